import type { Duration } from '../duration.ts'

/** What a function of event time may know of a record beside key and value. It is one object for all records: not to be kept. */
export interface TimestampContext {
  /** The record's own timestamp, in milliseconds since 1970. */
  readonly timestamp: number
  /** The greatest event time of the partition's records so far; -1 before the first. */
  readonly partitionTime: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Event time of a record, in milliseconds since 1970. After Kafka Streams' TimestampExtractor. */
export type TimestampExtractor<K, V> = (value: V, key: K, record: TimestampContext) => number

/** How the records of a source get their event times, and where reading begins. After Kafka Streams' Consumed. */
export interface SourceOptions<K, V> {
  /**
   * Event time of a record, in place of the topic's `timestamp`: a function of it, or `'wall-clock'` for the time at which it
   * is read. A fraction of a millisecond is left out; what is negative or not a number is no time.
   */
  readonly timestamp?: TimestampExtractor<K, V> | 'wall-clock'
  /**
   * What happens with a record that has no valid event time. Default: as `badRecords` of the application says.
   * - `'fail'` ends the application (Kafka Streams' FailOnInvalidTimestamp)
   * - `'skip'` counts the record as `negative-timestamp` and goes on (LogAndSkipOnInvalidTimestamp)
   * - `'partition-time'` takes the greatest event time of the partition so far, and fails where there is none
   *   (UsePartitionTimeOnInvalidTimestamp)
   */
  readonly invalidTimestamp?: InvalidTimestampPolicy
  /**
   * Where reading a partition begins when the application has committed nothing for it (KIP-1106). Default: `'earliest'`.
   * - `'earliest'` and `'latest'`: at the first record there is, or behind the last
   * - `'none'`: the application does not start
   * - `{ by }`: at the first record whose timestamp is at most that old
   */
  readonly offsetReset?: OffsetReset
}

export type InvalidTimestampPolicy = 'fail' | 'skip' | 'partition-time'

export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly by: Duration }
