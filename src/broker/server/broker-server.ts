import type { Address, Connection, ConnectionHandler, Environment, Listener } from '../../env/environment.ts'
import { MillraceError, messageOf } from '../../errors.ts'
import type { Handler } from '../handlers/handler.ts'
import { ClientConnection } from './client-connection.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import { defaultServerLimits, type ServerLimits } from './server-limits.ts'

export interface BrokerServerOptions {
  readonly environment: Environment
  /** Where it listens; port 0 takes a free one. */
  readonly listen: Address
  /** What clients are told to connect to. Default: where it listens, `localhost` for all addresses. */
  readonly advertised?: Address
  readonly handlers: readonly Handler[]
  readonly limits?: Partial<ServerLimits>
  /** Told of connections that were ended because of something the client or the broker did wrong. */
  readonly onConnectionError?: (error: unknown, peer: Address) => void
}

/**
 * Opens a port for Kafka's protocol.
 * @throws MillraceError NETWORK_FAILED where that is not possible
 */
export async function listenForClients(options: BrokerServerOptions): Promise<BrokerServer> {
  const server = new BrokerServer(options)
  const { host, port } = options.listen
  try {
    server.start(await options.environment.network.listen(options.listen, (connection) => server.accept(connection)))
  } catch (cause) {
    throw new MillraceError('NETWORK_FAILED', `The broker cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      remedy: 'Choose another port, or end the program that has it.',
      cause,
    })
  }
  return server
}

/** A port on which clients of Kafka's protocol are served. */
export class BrokerServer {
  readonly #options: BrokerServerOptions
  readonly #dispatcher: RequestDispatcher
  readonly #limits: ServerLimits
  readonly #connections = new Set<ClientConnection>()
  readonly #countByHost = new Map<string, number>()
  #listener: Listener | undefined

  constructor(options: BrokerServerOptions) {
    this.#options = options
    this.#dispatcher = new RequestDispatcher(options.handlers)
    this.#limits = { ...defaultServerLimits, ...options.limits }
  }

  start(listener: Listener): void {
    this.#listener = listener
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener?.address ?? this.#options.listen
  }

  /** What clients are told to connect to. */
  get advertised(): Address {
    const { host, port } = this.address
    const isEverywhere = host === '0.0.0.0' || host === '::' || host === ''
    return this.#options.advertised ?? { host: isEverywhere ? 'localhost' : host, port }
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** How often each version of each API was asked for: `apiKey.version` to a count. */
  get requestCounts(): ReadonlyMap<string, number> {
    return this.#dispatcher.counts
  }

  accept(connection: Connection): ConnectionHandler {
    const { host } = connection.peer
    const fromHost = this.#countByHost.get(host) ?? 0
    if (this.#connections.size >= this.#limits.maxConnections || fromHost >= this.#limits.maxConnectionsPerAddress) {
      connection.destroy()
      return refused
    }
    this.#countByHost.set(host, fromHost + 1)
    const client: ClientConnection = new ClientConnection({
      connection,
      advertised: this.advertised,
      dispatcher: this.#dispatcher,
      limits: this.#limits,
      environment: this.#options.environment,
      onEnd: (error) => this.#forget(client, connection.peer, error),
    })
    this.#connections.add(client)
    return client
  }

  /** Stops listening and drops all clients. */
  async close(): Promise<void> {
    await this.#listener?.close()
    for (const client of this.#connections) client.end()
  }

  #forget(client: ClientConnection, peer: Address, error: unknown): void {
    this.#connections.delete(client)
    const left = (this.#countByHost.get(peer.host) ?? 1) - 1
    if (left > 0) this.#countByHost.set(peer.host, left)
    else this.#countByHost.delete(peer.host)
    if (error !== undefined) this.#options.onConnectionError?.(error, peer)
  }
}

const refused: ConnectionHandler = { onData: () => {}, onClose: () => {} }
