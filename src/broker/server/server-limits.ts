/** What one client, and all together, may take of the broker. */
export interface ServerLimits {
  /** The largest request (`socket.request.max.bytes`). Default: 100 MiB. */
  readonly maxRequestBytes: number
  /** The largest request of a client that has yet to log in (`sasl.server.max.receive.size`, Kafka's default is 512 KiB). Default: 64 KiB. */
  readonly maxLoginBytes: number
  /** Who fails to log in is told so after this time (`connection.failed.authentication.delay.ms`). Default: 100 ms. */
  readonly failedLoginDelayMs: number
  /** Requests of a connection that wait for those before them: above it, nothing more is read from it. Default: 1 MiB. */
  readonly maxWaitingBytes: number
  /** Appends of a connection whose acknowledgement may be waited for at once. Default: 16. */
  readonly maxOverlappingAppends: number
  /** Connections in all (`max.connections`). Default: 10,000. */
  readonly maxConnections: number
  /** Connections from one address (`max.connections.per.ip`). Default: 10,000. */
  readonly maxConnectionsPerAddress: number
  /** A connection on which nothing happens for so long is closed (`connections.max.idle.ms`). Default: 10 minutes. */
  readonly maxIdleMs: number
  /** A client that does not read its response for so long is dropped. Default: 30 seconds. */
  readonly maxUnreadMs: number
}

export const defaultServerLimits: ServerLimits = {
  maxRequestBytes: 104_857_600,
  maxLoginBytes: 65_536,
  failedLoginDelayMs: 100,
  maxWaitingBytes: 1_048_576,
  maxOverlappingAppends: 16,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 10_000,
  maxIdleMs: 600_000,
  maxUnreadMs: 30_000,
}
