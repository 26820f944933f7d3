import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { serviceOf } from '../../../src/broker/broker-service.ts'
import { type BrokerServer, listenForClients } from '../../../src/broker/server/broker-server.ts'
import { runCommand } from '../../../src/cli/command.ts'
import { scramUser, scramUserRecord } from '../../../src/cli/scram-user.ts'
import type { Address } from '../../../src/env/environment.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { VirtualHost } from '../../../src/env/virtual-environment.ts'
import type { ListenerOptions } from '../../../src/listener-options.ts'

export interface Said {
  readonly code: number | undefined
  readonly out: string
  readonly error: string
}

/** A broker on a real port, and `millrace` called with it. */
export class CalledCommands {
  readonly #broker: Broker
  readonly #server: BrokerServer

  private constructor(broker: Broker, server: BrokerServer) {
    this.#broker = broker
    this.#server = server
  }

  /** `users` as `--add-scram` has them. */
  static async open(listener: Partial<ListenerOptions> = {}, users: readonly string[] = []): Promise<CalledCommands> {
    const environment = { ...nodeEnvironment(), disk: new MemoryDisk() }
    const settings = { initialRebalanceDelayMs: 0, defaultPartitions: 1 }
    const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache', settings })
    await broker.topics.secure(users.map((user) => scramUserRecord(scramUser(user, environment.random))))
    const listeners = [{ host: '127.0.0.1', port: 0, ...listener }]
    const server = await listenForClients({
      environment,
      listeners,
      ...serviceOf(broker, undefined),
      onConnectionError: () => {},
    })
    return new CalledCommands(broker, server)
  }

  async close(): Promise<void> {
    await this.#server.close()
    await this.#broker.close()
  }

  get address(): Address {
    return this.#server.address
  }

  get bootstrap(): readonly string[] {
    return ['--bootstrap-server', `${this.#server.address.host}:${this.#server.address.port}`]
  }

  /** Calls a command; `set` may type something in, or say how much of what comes out is read. */
  async call(words: readonly string[], set: (host: VirtualHost) => void = () => {}): Promise<Said> {
    const host = new VirtualHost()
    set(host)
    const [name = '', ...rest] = words
    await runCommand({ ...nodeEnvironment(), host }, [name, ...this.bootstrap, ...rest])
    return { code: host.exitCode, ...host.written }
  }

  /** The same, which must do what it is asked for; returns what it printed. */
  async done(words: readonly string[], typed: readonly string[] = []): Promise<string> {
    const { code, out, error } = await this.call(words, (host) => host.typed.push(...typed))
    if (code !== undefined) throw new Error(`${words.join(' ')} ended with ${code}: ${error}`)
    return out
  }
}
