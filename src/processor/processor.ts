/**
 * The Processor API: steps of a topology that users write, with state, timers and all of a record. Names and meanings are
 * Kafka Streams' (`org.apache.kafka.streams.processor.api`).
 */
import type { Duration } from '../duration.ts'
import type { TypedStore } from '../stores/typed-store.ts'
import type { DropReason, PunctuationType } from '../topology/processor.ts'
import type { FixedKeyRecord, ForwardableRecord, ProcessorRecord } from './processor-record.ts'

/**
 * Takes records, and hands on any number of any kind for each. There is one for each task, made by its supplier; it is
 * never entered twice at once. Its functions cannot be `async`: nothing would wait for them.
 */
export interface Processor<in KIn, in VIn, out KOut, out VOut> {
  /** Called once, when the stores are ready and before the first record. The place for `schedule`. */
  init?(context: ProcessorContext<KOut, VOut>): void
  process(record: ProcessorRecord<KIn, VIn>, context: ProcessorContext<KOut, VOut>): void
  /** Called when the task ends. */
  close?(): void
}

/** Makes a processor: a new one at each call. It is called once for each task, and twice more when the topology is written. */
export type ProcessorSupplier<KIn, VIn, KOut, VOut> = () => Processor<KIn, VIn, KOut, VOut>

/** Takes records, and hands on any number of records with the same key for each. */
export interface FixedKeyProcessor<in KIn, in VIn, out VOut> {
  /** Called once, when the stores are ready and before the first record. The place for `schedule`. */
  init?(context: FixedKeyProcessorContext<KIn, VOut>): void
  process(record: FixedKeyRecord<KIn, VIn>, context: FixedKeyProcessorContext<KIn, VOut>): void
  /** Called when the task ends. */
  close?(): void
}

/** Makes a processor: a new one at each call. It is called once for each task, and twice more when the topology is written. */
export type FixedKeyProcessorSupplier<KIn, VIn, VOut> = () => FixedKeyProcessor<KIn, VIn, VOut>

/**
 * Makes a new value for each row of a table, with state and timers of its own; it hands on nothing else. `value` is null where
 * the row is deleted or was not there. After Kafka Streams' ValueTransformerWithKey.
 */
export interface ValueTransformer<in K, in V, out V2> {
  /** Called once, when the stores are ready and before the first row. The place for `schedule`. */
  init?(context: ProcessingContext): void
  /** null deletes the row. */
  transform(value: V | null, key: K, context: ProcessingContext): V2 | null
  /** Called when the task ends. */
  close?(): void
}

/** Makes a transformer: a new one at each call. */
export type ValueTransformerSupplier<K, V, V2> = () => ValueTransformer<K, V, V2>

/** What every processor may know and do. */
export interface ProcessingContext {
  readonly applicationId: string
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  /** Where the record at hand comes from; undefined in punctuations, and for records that they handed on. */
  readonly recordMetadata: RecordMetadata | undefined
  /** The greatest event time of the task's records so far, the one at hand included, in milliseconds since 1970; -1 before the first. It is kept over restarts. */
  readonly currentStreamTimeMs: number
  /** The clock on the wall, in milliseconds since 1970. */
  readonly currentSystemTimeMs: number

  /**
   * What reads and writes a store that is connected to the processor.
   * @throws MillraceError INVALID_TOPOLOGY where it is not connected, or is global
   */
  store<S, R>(store: TypedStore<S, R>): S
  /**
   * What reads a store that is connected to the processor, or a global store, which needs no connection.
   * @throws MillraceError INVALID_TOPOLOGY where there is no such store for it
   */
  readOnlyStore<S, R>(store: TypedStore<S, R>): R

  /**
   * Calls the punctuator at regular intervals, with the time at the call. In `'stream-time'` it is called after a record
   * that takes the event time to or beyond the next interval, for the first time after the first record: intervals count
   * from `startAt`, or else from 0. In `'wall-clock'` time they count from `startAt`, or else from now, and the first call is
   * after now. Intervals that were missed are left out. Schedules are not kept over restarts: `init` makes them anew.
   * @param interval at least one millisecond
   * @returns a function that ends the calls
   * @throws MillraceError INVALID_ARGUMENT
   */
  schedule(
    interval: Duration,
    type: PunctuationType,
    punctuator: (timestamp: number) => void,
    options?: ScheduleOptions,
  ): () => void

  /** Asks for a commit soon, before the commit interval is over. */
  commit(): void
  /** Counts a record that is not handed on, in the application's metrics. */
  drop(reason: DropReason): void
}

export interface ScheduleOptions {
  /** A time that intervals count from (KIP-1146), in milliseconds since 1970. */
  readonly startAt?: number
}

/** The context of a processor that hands on keys `K` and values `V`. */
export interface ProcessorContext<in K, in V> extends ProcessingContext {
  /**
   * Hands a record on to all children, or to the one of that name. It returns when they have processed it.
   * @throws MillraceError INVALID_TOPOLOGY where the child is none; INVALID_TIMESTAMP
   */
  forward(record: ForwardableRecord<K | null, V | null>, child?: string): void
}

/** The context of a processor that hands on values `V` with the keys it was given. */
export interface FixedKeyProcessorContext<in K, in V> extends ProcessingContext {
  /**
   * Hands a record on to all children, or to the one of that name. It returns when they have processed it.
   * @throws MillraceError INVALID_TOPOLOGY where the child is none; INVALID_TIMESTAMP
   */
  forward(record: FixedKeyRecord<K, V | null>, child?: string): void
}

export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}
