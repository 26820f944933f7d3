import type {
  Address,
  ClientTlsOptions,
  Connection,
  ConnectionHandler,
  Listener,
  Network,
  Random,
  ServerTlsOptions,
  Timers,
} from './environment.ts'
import { MemoryConnection, type PipeOptions } from './memory-connection.ts'
import { SystemError } from './system-error.ts'

/** The range that systems take ports from when they are asked for any. */
const firstFreePort = 49_152

export interface MemoryNetworkOptions {
  /** Bytes arrive a turn after they were sent. */
  readonly timers: Pick<Timers, 'nextTurn'>
  /** Cuts what is sent at random places, as networks may. Without it a piece is what was written at once, up to 64 KiB. */
  readonly random?: Random
  /** What a connection holds in each direction before `write` returns false. */
  readonly bufferBytes?: number
}

type Accept = (connection: Connection) => ConnectionHandler

/** A network inside the process. Hosts are names without meaning; a listener on `0.0.0.0` or `::` hears all of them. It has no TLS. */
export class MemoryNetwork implements Network {
  readonly #options: PipeOptions
  readonly #listeners = new Map<string, Accept>()
  #nextPort = firstFreePort

  constructor(options: MemoryNetworkOptions) {
    this.#options = { timers: options.timers, random: options.random, bufferBytes: options.bufferBytes ?? 64 * 1024 }
  }

  async listen(address: Address, accept: Accept, tls?: ServerTlsOptions): Promise<Listener> {
    requireClearText(tls)
    const { host } = address
    const port = address.port === 0 ? this.#freePort(host) : address.port
    const name = nameOf(host, port)
    if (this.#listeners.has(name)) throw new SystemError('EADDRINUSE', 'listen', name)
    this.#listeners.set(name, accept)
    return {
      address: { host, port },
      renewTls: requireClearText,
      close: async () => {
        if (this.#listeners.get(name) === accept) this.#listeners.delete(name)
      },
    }
  }

  async connect(address: Address, handler: ConnectionHandler, tls?: ClientTlsOptions): Promise<Connection> {
    requireClearText(tls)
    await this.#options.timers.nextTurn()
    const accept = this.#listenerAt(address)
    if (accept === undefined) throw new SystemError('ECONNREFUSED', 'connect', nameOf(address.host, address.port))
    const from = { host: 'localhost', port: this.#freePort('localhost') }
    const [near, far] = MemoryConnection.pair(this.#options, from, address)
    near.attach(handler)
    far.attach(accept(far))
    return near
  }

  #listenerAt({ host, port }: Address): Accept | undefined {
    return (
      this.#listeners.get(nameOf(host, port)) ??
      this.#listeners.get(nameOf('0.0.0.0', port)) ??
      this.#listeners.get(nameOf('::', port))
    )
  }

  #freePort(host: string): number {
    while (this.#listeners.has(nameOf(host, this.#nextPort))) this.#nextPort += 1
    return this.#nextPort++
  }
}

function nameOf(host: string, port: number): string {
  return `${host}:${port}`
}

function requireClearText(tls: object | undefined): void {
  if (tls !== undefined) throw new SystemError('ENOTSUP', 'tls', 'memory network')
}
