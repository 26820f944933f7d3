/** How a broker under attack is. */
export interface BrokerReport {
  /** Bytes that the process has of the machine. */
  readonly rss: number
  /** Bytes that are in use. */
  readonly memory: number
  readonly connections: number
  /** Bytes of requests and of answers that were not read. */
  readonly heldBytes: number
  /** Errors that ended connections and were not ours. */
  readonly bugs: number
}
