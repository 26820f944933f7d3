import type { Compression } from '../../record/compression.ts'

/** What of a topic's settings its logs follow. The names and defaults are Kafka's (org.apache.kafka.storage.internals.log.LogConfig). */
export interface LogSettings {
  /** A segment is closed and a new one begun when it would grow above this (`segment.bytes`). Default: 1 GiB. */
  readonly segmentBytes: number
  /** The same when a record is this much younger than the segment's first (`segment.ms`). Default: 7 days. */
  readonly segmentMs: number
  /** By how much at most a segment is closed earlier than that, by chance, so that not all are at once (`segment.jitter.ms`). Default: 0. */
  readonly segmentJitterMs: number
  /** The same when an index of the segment has reached this (`segment.index.bytes`). Default: 10 MiB. */
  readonly segmentIndexBytes: number
  /** One index entry per this many bytes of log (`index.interval.bytes`). Default: 4 KiB. */
  readonly indexIntervalBytes: number
  /** The largest record batch that is taken (`max.message.bytes`). Default: 1048588. */
  readonly maxMessageBytes: number
  /** How the records of what clients write are compressed in the log (`compression.type`). Default: as their producer has them. */
  readonly compressionType: 'producer' | 'uncompressed' | Exclude<Compression, 'none'>
  /** 1 to 9, or -1 for its own default (`compression.gzip.level`). Default: -1. */
  readonly gzipLevel: number
  /** Up to 22 (`compression.zstd.level`). Default: 3. */
  readonly zstdLevel: number
  /** Whether records have the time that their producer gave them, or that of the append (`message.timestamp.type`). Default: their producer's. */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** How far a producer's timestamp may lie before the clock's time (`message.timestamp.before.max.ms`). Default: any. */
  readonly timestampBeforeMaxMs: number
  /** How far it may lie after the clock's time (`message.timestamp.after.max.ms`). Default: any; Kafka's is an hour. */
  readonly timestampAfterMaxMs: number
  /** An idempotent producer that was not heard of for this long is forgotten (the broker's `producer.id.expiration.ms`). */
  readonly producerIdExpirationMs: number
  /** What becomes of old records (`cleanup.policy`). Default: `delete`. */
  readonly cleanupPolicy: CleanupPolicy
  /** How old a segment's youngest record gets before the segment is deleted; -1 for any age (`retention.ms`). Default: -1; Kafka's is 7 days. */
  readonly retentionMs: number
  /** How large the log gets before its first segment is deleted; -1 for any size (`retention.bytes`). Default: -1. */
  readonly retentionBytes: number
  /** How long the files of deleted segments are kept under another name (`file.delete.delay.ms`). Default: a minute. */
  readonly fileDeleteDelayMs: number
  /** How long compaction keeps a tombstone, and a transaction's marker, from when it first meets it (`delete.retention.ms`). Default: a day. */
  readonly deleteRetentionMs: number
  /** How much of a log is not compacted before it is (`min.cleanable.dirty.ratio`). Default: 0.5. */
  readonly minCleanableDirtyRatio: number
  /** How long a record is at least left alone by compaction (`min.compaction.lag.ms`). Default: 0. */
  readonly minCompactionLagMs: number
  /** How long a record waits at most for compaction, whatever the dirty ratio (`max.compaction.lag.ms`). Default: any time. */
  readonly maxCompactionLagMs: number
}

export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete' | 'none'

export const defaultLogSettings: LogSettings = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4_096,
  maxMessageBytes: 1_048_588,
  compressionType: 'producer',
  gzipLevel: -1,
  zstdLevel: 3,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  timestampAfterMaxMs: Number.POSITIVE_INFINITY,
  producerIdExpirationMs: 86_400_000,
  cleanupPolicy: 'delete',
  retentionMs: -1,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  deleteRetentionMs: 86_400_000,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.POSITIVE_INFINITY,
}

/** Positions in a segment are int32, in the index as in Kafka's. */
export const maxSegmentBytes = 2_147_483_647

/** A segment that waits too long for compaction must be closed before that. (Kafka: LogConfig.maxSegmentMs.) */
export function longestSegmentMs(settings: LogSettings): number {
  const { segmentMs, maxCompactionLagMs } = settings
  return isCompacted(settings) ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
}

/** Whether old segments are deleted by age and size. */
export function deletesByAge({ cleanupPolicy }: LogSettings): boolean {
  return cleanupPolicy === 'delete' || cleanupPolicy === 'compact,delete'
}

/** Whether only the last record of each key is kept. */
export function isCompacted({ cleanupPolicy }: LogSettings): boolean {
  return cleanupPolicy === 'compact' || cleanupPolicy === 'compact,delete'
}
