import type { Address, Connection, ConnectionHandler, Environment } from '../../env/environment.ts'
import type { ListenerOptions } from '../../listener-options.ts'
import type { Handler } from '../handlers/handler.ts'
import { type CredentialLookup, LoginMethods } from '../security/login-methods.ts'
import { ClientConnection } from './client-connection.ts'
import { listenerSettingsOf } from './listener-settings.ts'
import { OpenListener } from './open-listener.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import { defaultServerLimits, type ServerLimits } from './server-limits.ts'

export interface BrokerServerOptions {
  readonly environment: Environment
  readonly listeners: readonly ListenerOptions[]
  readonly handlers: readonly Handler[]
  /** Where the credentials of SCRAM are. */
  readonly credentials?: CredentialLookup
  readonly limits?: Partial<ServerLimits>
  /** Told of connections that were ended because of something the client or the broker did wrong. */
  readonly onConnectionError?: (error: unknown, peer: Address) => void
}

/**
 * Opens ports for Kafka's protocol: all of them, or none.
 * @throws MillraceError INVALID_ARGUMENT where a listener cannot be as it is asked for, NETWORK_FAILED where a port cannot be opened
 */
export async function listenForClients(options: BrokerServerOptions): Promise<BrokerServer> {
  const server = new BrokerServer(options)
  try {
    await server.open()
  } catch (error) {
    await server.close()
    throw error
  }
  return server
}

/** Ports on which clients of Kafka's protocol are served. The limits are for all of them together. */
export class BrokerServer {
  /** In the order in which they were given. */
  readonly listeners: readonly OpenListener[]
  readonly #options: BrokerServerOptions
  readonly #dispatcher: RequestDispatcher
  readonly #limits: ServerLimits
  readonly #connections = new Set<ClientConnection>()
  readonly #countByHost = new Map<string, number>()

  constructor(options: BrokerServerOptions) {
    this.#options = options
    this.listeners = listenerSettingsOf(options.listeners).map((settings) => {
      const { sasl } = settings
      const { environment, credentials } = options
      return new OpenListener(settings, sasl && new LoginMethods(sasl, environment, credentials))
    })
    this.#dispatcher = new RequestDispatcher(options.handlers)
    this.#limits = { ...defaultServerLimits, ...options.limits }
  }

  /** @throws MillraceError NETWORK_FAILED */
  async open(): Promise<void> {
    const { network } = this.#options.environment
    for (const listener of this.listeners) {
      await listener.open(network, (connection) => this.#accept(connection, listener))
    }
  }

  /** Where its first listener listens. */
  get address(): Address {
    return (this.listeners[0] as OpenListener).address
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** How often each version of each API was asked for: `apiKey.version` to a count. */
  get requestCounts(): ReadonlyMap<string, number> {
    return this.#dispatcher.counts
  }

  /** Stops listening and drops all clients. */
  async close(): Promise<void> {
    for (const listener of this.listeners) await listener.close()
    for (const client of this.#connections) client.end()
  }

  #accept(connection: Connection, listener: OpenListener): ConnectionHandler {
    const { host } = connection.peer
    const fromHost = this.#countByHost.get(host) ?? 0
    if (this.#connections.size >= this.#limits.maxConnections || fromHost >= this.#limits.maxConnectionsPerAddress) {
      connection.destroy()
      return refused
    }
    this.#countByHost.set(host, fromHost + 1)
    const client: ClientConnection = new ClientConnection({
      connection,
      listener,
      dispatcher: this.#dispatcher,
      limits: this.#limits,
      environment: this.#options.environment,
      onEnd: (error) => this.#forget(client, connection.peer, error),
    })
    this.#connections.add(client)
    return client
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
