/** What one client, and all together, may take of the broker. Kafka has many of these, but by default without a bound. */
export interface ServerLimits {
  /** The largest request (`socket.request.max.bytes`). Default: 100 MiB. */
  readonly maxRequestBytes: number
  /** The largest request of any API but Produce: what it is decoded to may take many times of it. Default: 4 MiB. */
  readonly maxOrdinaryBytes: number
  /** The largest request of a client that has yet to log in (`sasl.server.max.receive.size`, Kafka's default is 512 KiB). Default: 64 KiB. */
  readonly maxLoginBytes: number
  /** A client that has not logged in after this time is dropped. Default: 30 seconds. */
  readonly maxLoginMs: number
  /** Who fails to log in is told so after this time (`connection.failed.authentication.delay.ms`). Default: 100 ms. */
  readonly failedLoginDelayMs: number
  /** Requests of a connection that wait for those before them: above it, nothing more is read from it. Default: 1 MiB. */
  readonly maxWaitingBytes: number
  /** Appends of a connection whose acknowledgement may be waited for at once. Default: 16. */
  readonly maxOverlappingAppends: number
  /** Requests of all connections that have arrived and were not answered (`queued.max.request.bytes`): above it, connections wait with more. Default: 512 MiB. */
  readonly maxRequestsBytes: number
  /** Answers of all connections that clients have not read: above it, requests wait. Default: 512 MiB. */
  readonly maxAnswersBytes: number
  /** Connections in all (`max.connections`). Default: 10,000. */
  readonly maxConnections: number
  /** Connections from one address (`max.connections.per.ip`). Default: 2,000. */
  readonly maxConnectionsPerAddress: number
  /** A connection on which nothing happens for so long is closed (`connections.max.idle.ms`). Default: 10 minutes. */
  readonly maxIdleMs: number
  /** A request that has begun to arrive is given this time, and more for its size by `minRequestRate`; or its turn, where it has to wait for room. Default: 30 seconds. */
  readonly maxArrivalMs: number
  /** Bytes a second that a request arrives with at least. Default: 16 KiB. */
  readonly minRequestRate: number
  /** A client that does not read its response for so long is dropped. Default: 30 seconds. */
  readonly maxUnreadMs: number
}

export const defaultServerLimits: ServerLimits = {
  maxRequestBytes: 104_857_600,
  maxOrdinaryBytes: 4_194_304,
  maxLoginBytes: 65_536,
  maxLoginMs: 30_000,
  failedLoginDelayMs: 100,
  maxWaitingBytes: 1_048_576,
  maxOverlappingAppends: 16,
  maxRequestsBytes: 536_870_912,
  maxAnswersBytes: 536_870_912,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 2_000,
  maxIdleMs: 600_000,
  maxArrivalMs: 30_000,
  minRequestRate: 16_384,
  maxUnreadMs: 30_000,
}
