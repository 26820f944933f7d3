import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import { type BrokerServer, listenForClients } from '../../../src/broker/server/broker-server.ts'
import { runCommand } from '../../../src/cli/command.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { VirtualHost } from '../../../src/env/virtual-environment.ts'

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

  static async open(): Promise<CalledCommands> {
    const environment = { ...nodeEnvironment(), disk: new MemoryDisk() }
    const settings = { initialRebalanceDelayMs: 0, defaultPartitions: 1 }
    const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache', settings })
    const listeners = [{ host: '127.0.0.1', port: 0 }]
    const server = await listenForClients({
      environment,
      listeners,
      handlers: handlersOf(broker),
      onConnectionError: () => {},
    })
    return new CalledCommands(broker, server)
  }

  async close(): Promise<void> {
    await this.#server.close()
    await this.#broker.close()
  }

  get bootstrap(): readonly string[] {
    return ['--bootstrap-server', `127.0.0.1:${this.#server.address.port}`]
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
