import { BufferPool } from '../../bytes/buffer-pool.ts'
import type { Address, Cancel, Connection, ConnectionHandler, Environment } from '../../env/environment.ts'
import type { ListenerOptions } from '../../listener-options.ts'
import type { GuardedBroker } from '../guards/guarded-broker.ts'
import type { Handler } from '../handlers/handler.ts'
import type { ClientQuotas } from '../quotas/client-quotas.ts'
import { QuotaKeeper } from '../quotas/quota-keeper.ts'
import { type CredentialLookup, LoginMethods } from '../security/login-methods.ts'
import { ByteBudget } from './byte-budget.ts'
import { ClientConnection } from './client-connection.ts'
import { listenerSettingsOf } from './listener-settings.ts'
import { OpenListener } from './open-listener.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import { defaultServerLimits, type ServerLimits } from './server-limits.ts'

export interface BrokerServerOptions {
  readonly environment: Environment
  readonly listeners: readonly ListenerOptions[]
  readonly handlers: readonly Handler[]
  /** Who may do what. Default: everybody may do everything. */
  readonly guarded?: GuardedBroker | undefined
  /** How much clients may take. Default: as much as they like. */
  readonly quotas?: ClientQuotas
  /** Where the credentials of SCRAM are. */
  readonly credentials?: CredentialLookup
  readonly limits?: Partial<ServerLimits>
  /** Where large requests and answers are put together. Default: a pool that keeps 16 MiB. */
  readonly buffers?: BufferPool
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

/** Buffers that are kept for the next requests and answers. */
const mostFreeBytes = 16 * 1024 * 1024

/** Ports on which clients of Kafka's protocol are served. The limits are for all of them together. */
export class BrokerServer {
  /** In the order in which they were given. */
  readonly listeners: readonly OpenListener[]
  readonly #options: BrokerServerOptions
  readonly #dispatcher: RequestDispatcher
  readonly #limits: ServerLimits
  readonly #connections = new Set<ClientConnection>()
  readonly #countByHost = new Map<string, number>()
  readonly #requestBudget: ByteBudget
  readonly #answerBudget: ByteBudget
  readonly #buffers: BufferPool
  #stopSweeping: Cancel | undefined

  constructor(options: BrokerServerOptions) {
    this.#options = options
    this.listeners = listenerSettingsOf(options.listeners).map((settings) => {
      const { sasl } = settings
      const { environment, credentials } = options
      return new OpenListener(settings, sasl && new LoginMethods(sasl, environment, credentials))
    })
    this.#dispatcher = new RequestDispatcher({
      handlers: options.handlers,
      guarded: options.guarded,
      clock: options.environment.clock,
      quotas: options.quotas && new QuotaKeeper(options.quotas),
    })
    this.#limits = { ...defaultServerLimits, ...options.limits }
    this.#buffers = options.buffers ?? new BufferPool(mostFreeBytes)
    this.#requestBudget = new ByteBudget(this.#limits.maxRequestsBytes)
    this.#answerBudget = new ByteBudget(this.#limits.maxAnswersBytes)
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

  /** Bytes that requests and unread answers of all connections take. */
  get heldBytes(): number {
    return this.#requestBudget.used + this.#answerBudget.used
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
    this.#stopSweeping?.()
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
      requestBudget: this.#requestBudget,
      answerBudget: this.#answerBudget,
      buffers: this.#buffers,
      environment: this.#options.environment,
      onEnd: (error) => this.#forget(client, connection.peer, error),
    })
    this.#connections.add(client)
    if (this.#stopSweeping === undefined) this.#sweep()
    return client
  }

  /** One timer for all connections looks for those that have taken too long for something. */
  #sweep(): void {
    const { clock, timers } = this.#options.environment
    const { maxIdleMs, maxLoginMs, maxArrivalMs } = this.#limits
    const everyMs = Math.max(10, Math.min(1_000, Math.min(maxIdleMs, maxLoginMs, maxArrivalMs) / 4))
    const look = (): void => {
      this.#stopSweeping = undefined
      const nowMs = clock.monotonicMs()
      for (const client of this.#connections) client.endIfOverdue(nowMs)
      if (this.#connections.size > 0) this.#sweep()
    }
    this.#stopSweeping = timers.after(everyMs, look, { isBackground: true })
  }

  #forget(client: ClientConnection, peer: Address, error: unknown): void {
    this.#connections.delete(client)
    const left = (this.#countByHost.get(peer.host) ?? 1) - 1
    if (left > 0) this.#countByHost.set(peer.host, left)
    else this.#countByHost.delete(peer.host)
    if (error !== undefined && !isGone(error)) this.#options.onConnectionError?.(error, peer)
  }
}

/** Clients break off all the time, and nobody has done anything wrong. */
function isGone(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown }
  return code === 'ECONNRESET' || code === 'EPIPE'
}

const refused: ConnectionHandler = { onData: () => {}, onClose: () => {} }
