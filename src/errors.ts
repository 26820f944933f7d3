/**
 * Everything that can go wrong and that a caller may want to tell apart, as one table.
 * `retriable` says whether the same call can succeed later without anything being changed by hand.
 */
export const errorCodes = {
  /** An argument or option is not one of the values that are allowed. */
  INVALID_ARGUMENT: { retriable: false },
  /** The topology cannot be built or run as written. */
  INVALID_TOPOLOGY: { retriable: false },
  /** Bytes must be written or read where no serde for them is known. */
  SERDE_REQUIRED: { retriable: false },
  /** A serde could not turn bytes into a value, or a value into bytes. */
  SERDE_FAILED: { retriable: false },
  /** A user's function threw. */
  OPERATOR_FAILED: { retriable: false },
  /** A record's event time is negative, not a number, or out of the bounds that its topic sets. */
  INVALID_TIMESTAMP: { retriable: false },
  /** A record batch is damaged: bad length, magic or checksum. */
  CORRUPT_BATCH: { retriable: false },
  /** A record batch is compressed with a codec that there is not. */
  UNSUPPORTED_COMPRESSION: { retriable: false },
  /** A record is larger than the topic allows, or a batch decompresses to more than a reader does. */
  RECORD_TOO_LARGE: { retriable: false },
  /** The topic or partition does not exist. */
  UNKNOWN_TOPIC_OR_PARTITION: { retriable: true },
  /** The topic exists already, with another shape. */
  TOPIC_MISMATCH: { retriable: false },
  /** The offset is below the log's start or above its end. */
  OFFSET_OUT_OF_RANGE: { retriable: false },
  /** A number does not fit a JavaScript number exactly (beyond 2^53 - 1). */
  NUMBER_OUT_OF_RANGE: { retriable: false },
  /** A record batch is not one that its sender may write: its records are not whole, or it is a control record, or has a producer id but no sequence number. */
  INVALID_RECORD: { retriable: false },
  /** A producer writes with an epoch that a later one with the same id, or the end of its transaction, has made invalid. */
  INVALID_PRODUCER_EPOCH: { retriable: false },
  /** A batch of an idempotent producer is neither the next one nor one of the last five. */
  OUT_OF_ORDER_SEQUENCE_NUMBER: { retriable: false },
  /** The transaction is not in a state in which this can be done. */
  INVALID_TXN_STATE: { retriable: false },
  /** A producer of the same transactional id has been started since, or the transaction took too long: this one must end. */
  PRODUCER_FENCED: { retriable: false },
  /** The transactional id is not known, or not with this producer id. */
  INVALID_PRODUCER_ID_MAPPING: { retriable: false },
  /** The last transaction of the id is still being ended. */
  CONCURRENT_TRANSACTIONS: { retriable: true },
  /** A transaction is open that commits another offset. */
  UNSTABLE_OFFSET_COMMIT: { retriable: true },
  /** A transaction's timeout is not one that the broker allows. */
  INVALID_TRANSACTION_TIMEOUT: { retriable: false },
  /** There is no such transactional id. */
  TRANSACTIONAL_ID_NOT_FOUND: { retriable: false },
  /** A transaction marker comes from a coordinator that another one has replaced. */
  TRANSACTION_COORDINATOR_FENCED: { retriable: false },
  /** More waits to be acknowledged than is allowed: what was refused may be sent again when some of it is. */
  QUEUE_FULL: { retriable: true },
  /** A suppression's buffer holds more than it may, and was to stop the application then. */
  BUFFER_FULL: { retriable: false },
  /** Another process holds the data directory. */
  DIRECTORY_LOCKED: { retriable: true },
  /** The data directory or a file in it cannot be read or written. */
  DIRECTORY_UNUSABLE: { retriable: false },
  /** The disk is full. Nothing of the failed write was kept. */
  DISK_FULL: { retriable: true },
  /** The disk reported a failure; the log directory is offline until the process is restarted. */
  STORAGE_FAILED: { retriable: false },
  /** The cluster, store or application was closed. */
  CLOSED: { retriable: false },
  /** A client asks for an API, or a version of one, that the broker does not have. */
  UNSUPPORTED_VERSION: { retriable: false },
  /** Bytes that are not a message of Kafka's protocol. */
  MALFORMED_MESSAGE: { retriable: false },
  /** A client is not who it says, or has not said it in the way that is asked for. */
  AUTHENTICATION_FAILED: { retriable: false },
  /** A client may not do what it asks for, and wants no answer that would say so. */
  NOT_AUTHORIZED: { retriable: false },
  /** A connection could not be made or was lost. */
  NETWORK_FAILED: { retriable: true },
  /** A Kafka cluster refused what it was asked for; the message has its reason. */
  REQUEST_REFUSED: { retriable: false },
} as const

export type ErrorCode = keyof typeof errorCodes

/** Where a failure happened. Every field that is known is given, and printed in this order. */
export interface Place {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** Which record of a batch that has no offset yet, counted from 0. */
  readonly record?: number
  readonly operator?: string
  readonly store?: string
  readonly path?: string
  readonly line?: number
}

export interface ErrorDetails {
  readonly at?: Place
  /** What the reader can do about it, as a sentence. */
  readonly remedy?: string
  readonly cause?: unknown
}

/** A failure with a stable code: match on `code`, show `message`. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode
  readonly retriable: boolean
  readonly at: Place
  readonly #what: string
  readonly #details: ErrorDetails

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(sentence(what, details), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retriable = errorCodes[code].retriable
    this.at = details.at ?? {}
    this.#what = what
    this.#details = details
  }

  /** The same failure, saying more of where it happened: what it says itself is kept. */
  placedAt(at: Place): MillraceError {
    return new MillraceError(this.code, this.#what, { ...this.#details, at: { ...at, ...this.at } })
  }
}

/** Stops the program where an invariant of our own code does not hold; never used for bad input. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`Bug in millrace: this must hold but does not: ${invariant}`)
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function sentence(what: string, details: ErrorDetails): string {
  const places = Object.entries(details.at ?? {}).map(([name, value]) => `${name} ${value}`)
  const where = places.length === 0 ? '' : ` (${places.join(', ')})`
  const remedy = details.remedy === undefined ? '' : ` ${details.remedy}`
  return `${what.replace(/\.$/, '')}${where}.${remedy}`
}
