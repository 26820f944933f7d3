import type { Address } from '../env/environment.ts'

/**
 * The cluster port: what the runtime needs of a log, in raw record batches (Kafka's format v2, see `record/`), never one
 * object per record. Implementations: the embedded broker (`memory:`, `embedded:DIR`); each passes the same conformance suite.
 */
export interface Cluster {
  /** How the cluster was named: `memory:`, `embedded:./data`. */
  readonly address: string
  /** Where clients of Kafka's protocol are served; undefined where none are. */
  readonly listening: Address | undefined

  /**
   * Makes the topics that do not exist.
   * @throws MillraceError TOPIC_MISMATCH where one exists with another number of partitions.
   */
  createTopics(topics: readonly TopicSpec[]): Promise<void>
  /** All topics, or those of the names that exist, sorted by name. */
  describeTopics(names?: readonly string[]): Promise<TopicDescription[]>
  /** For each partition the first offset there is, and the one after the last that readers of this isolation may see. */
  offsets(partitions: readonly TopicPartition[], isolation?: Isolation): Promise<OffsetRange[]>
  /** For each time the first record of the partition that is not older, or the first with the largest timestamp; undefined where readers may see none. */
  offsetsForTimes(times: readonly TimeLookup[]): Promise<(TimestampedOffset | undefined)[]>

  /**
   * Deletes the records below an offset of each partition, or all that readers may see where the offset is -1: of all
   * partitions or none. Resolves when nobody will see them again, with the first offset of each that can be read now.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE (above what readers may see), DISK_FULL,
   * STORAGE_FAILED, CLOSED
   */
  deleteRecords(offsets: readonly PartitionOffset[]): Promise<number[]>

  /**
   * Appends whole record batches (base offsets are the log's to set, and it does so in the caller's bytes). The bytes are
   * the caller's again when this function returns, before the promise resolves; the promise resolves when the batches are
   * as durable as the cluster promises. Appends to a partition are in the order of the calls.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, CORRUPT_BATCH, INVALID_TIMESTAMP, RECORD_TOO_LARGE, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  append(partition: TopicPartition, batches: Buffer): Promise<AppendResult>

  reader(options?: ReaderOptions): LogReader

  /** What the group committed for each partition; undefined where nothing. */
  committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<(CommittedOffset | undefined)[]>
  /** Commits all of the offsets or none; resolves when they are as durable as the cluster promises. */
  commitOffsets(group: string, offsets: readonly OffsetCommit[]): Promise<void>

  /**
   * Makes the caller the one producer of the transactional id: whoever had it before is shut out, and its open transaction
   * aborted when this resolves. A transaction that is open longer than the timeout is aborted, and its producer shut out.
   * @throws MillraceError INVALID_ARGUMENT, INVALID_TRANSACTION_TIMEOUT, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  transactions(transactionalId: string, options: TransactionOptions): Promise<TransactionalProducer>

  /** Makes everything durable and lets go of the log. Closing twice does nothing. */
  close(): Promise<void>
}

/**
 * What a reader sees of transactions (Kafka's `isolation.level`): `read-uncommitted` everything, in the order of the log;
 * `read-committed` nothing of aborted ones, and nothing behind the first that is open.
 */
export type Isolation = 'read-uncommitted' | 'read-committed'

export interface ReaderOptions {
  /** Default: `read-uncommitted`. */
  readonly isolation?: Isolation
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** Kafka's topic settings (`cleanup.policy`, `retention.ms`...), kept with the topic. */
  readonly config?: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

export interface OffsetRange {
  /** The first offset that can be read. */
  readonly start: number
  /** The offset after the last one that readers may see: the high watermark, or the last stable offset of committed records. */
  readonly end: number
}

export interface TimeLookup extends TopicPartition {
  /** Milliseconds since 1970, or the largest timestamp that there is. */
  readonly timestamp: number | 'max-timestamp'
}

export interface TimestampedOffset {
  readonly offset: number
  readonly timestamp: number
}

export interface AppendResult {
  /** The offset of the first record of the append. */
  readonly baseOffset: number
}

export interface CommittedOffset {
  /** The next offset to read. */
  readonly offset: number
  /** What the committer wrote beside it. */
  readonly metadata: string
}

export interface OffsetCommit extends TopicPartition, CommittedOffset {}

export interface TransactionOptions {
  /** In milliseconds, up to the 15 minutes that a broker allows by default. */
  readonly timeoutMs: number
}

/**
 * Writes in transactions, one after the other: what is appended, and the offsets that are added, count together when it is
 * committed, for readers of committed records and for `committedOffsets`, or not at all. The first append, or offset, after the
 * end of one begins the next.
 */
export interface TransactionalProducer {
  /**
   * As `Cluster.append`, in the transaction, but for one whole batch.
   * @throws MillraceError as `Cluster.append`; PRODUCER_FENCED, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE where another producer
   * has the id now, or the transaction took too long
   */
  append(partition: TopicPartition, batch: Buffer): Promise<AppendResult>
  /** As `Cluster.commitOffsets`, in the transaction. */
  addOffsets(group: string, offsets: readonly OffsetCommit[]): Promise<void>
  /** Commits everything since the last end; the appends have resolved. Resolves when readers can see it; does nothing where there is nothing. */
  commit(): Promise<void>
  /** Drops everything since the last end. */
  abort(): Promise<void>
}

/** Reads a changing set of partitions, each from a position that advances with what was fetched. */
export interface LogReader {
  /** Starts reading a partition at an offset, or moves there. */
  seek(partition: TopicPartition, offset: number): void
  /** Stops reading a partition. */
  unassign(partition: TopicPartition): void
  /**
   * The next batches of those of the wanted partitions (default: all assigned) that have some; waits at most `maxWaitMs`
   * for the first to have some, and resolves with none then or when the signal aborts. At most one result per partition.
   * @throws MillraceError OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, STORAGE_FAILED, CLOSED
   */
  fetch(options: FetchOptions): Promise<FetchedBatches[]>
  close(): void
}

export interface FetchOptions {
  readonly maxWaitMs: number
  readonly partitions?: readonly TopicPartition[]
  readonly signal?: AbortSignal
}

export interface FetchedBatches {
  readonly topic: string
  readonly partition: number
  /** The position asked for: records below it, at the start of the first batch, are to be skipped. */
  readonly fromOffset: number
  /** Where the next fetch of this partition will begin. */
  readonly nextOffset: number
  /**
   * Whole batches, none where all that was read belongs to aborted transactions. Valid until this partition is fetched again
   * or the reader is closed.
   */
  readonly bytes: Buffer
  /** The end of what the reader may see, when the bytes were read. */
  readonly highWatermark: number
}
