/**
 * The streams and tables that a topology is written with, as interfaces in one place because each leads to the others. Names
 * and meanings are Kafka Streams'. Callbacks take `(value, key)`; a value is null at run time where a record has none, and
 * so is a key. Operators that make new keys mark the stream, and the next operator that keeps state by key first sends its
 * records through a repartition topic.
 */

import type { SinkTopic } from '../topology/node-topic.ts'
import type { Windowed } from '../windowed.ts'
import type {
  AggregateOptions,
  GroupByKeyOptions,
  GroupByOptions,
  OperatorOptions,
  StoreOptions,
  WindowedByOptions,
} from './operator-options.ts'
import type { Suppressed } from './suppressed.ts'
import type { SessionWindows, TimeWindows } from './windows.ts'

/** A stream of records, each of them a fact of its own. */
export interface KStream<out K, out V> {
  /** Keeps the records for which the predicate holds. */
  filter<S extends V>(predicate: (value: V, key: K) => value is S, options?: OperatorOptions): KStream<K, S>
  filter(predicate: (value: V, key: K) => boolean, options?: OperatorOptions): KStream<K, V>
  /** Drops the records for which the predicate holds. */
  filterNot(predicate: (value: V, key: K) => boolean, options?: OperatorOptions): KStream<K, V>

  /** Makes a new value for each record; the key stays. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, options?: OperatorOptions): KStream<K, V2>
  /** Makes any number of records of each, with new values; the key stays. */
  flatMapValues<V2>(mapper: (value: V, key: K) => readonly V2[], options?: OperatorOptions): KStream<K, V2>
  /** Makes a new `[key, value]` for each record. */
  map<K2, V2>(mapper: (value: V, key: K) => readonly [K2, V2], options?: OperatorOptions): KStream<K2, V2>
  /** Makes any number of records of each, as `[key, value]` pairs. */
  flatMap<K2, V2>(
    mapper: (value: V, key: K) => readonly (readonly [K2, V2])[],
    options?: OperatorOptions,
  ): KStream<K2, V2>
  /** Makes a new key for each record; the value stays. */
  selectKey<K2>(mapper: (value: V, key: K) => K2, options?: OperatorOptions): KStream<K2, V>

  /** Calls the action for each record, and hands the record on. */
  peek(action: (value: V, key: K) => void, options?: OperatorOptions): KStream<K, V>
  /** Calls the action for each record, and ends there. */
  foreach(action: (value: V, key: K) => void, options?: OperatorOptions): void

  /** The records of both streams; each stream keeps its order, nothing orders one against the other. */
  merge(other: KStream<K, V>, options?: OperatorOptions): KStream<K, V>

  /** Groups by the key, to keep state for each. Records without a key are dropped and counted as `null-key`. */
  groupByKey(options?: GroupByKeyOptions<NonNullable<K>, V>): KGroupedStream<NonNullable<K>, V>
  /** Groups by a new key, whose type is that of `options.key`. */
  groupBy<K2>(
    selector: (value: V, key: K) => NoInfer<K2> | null | undefined,
    options: GroupByOptions<K2, V>,
  ): KGroupedStream<K2, V>

  /** Writes the records to a topic. Its serdes must take the stream's keys and values; null stands for an absent one. */
  to(topic: SinkTopic<Exclude<K, null>, Exclude<V, null>>, options?: OperatorOptions): void
}

/** A stream grouped by key. Results are one per key; records without key or value are dropped and counted. */
export interface KGroupedStream<out K, out V> {
  /** Counts records. The count is kept as a 64-bit integer unless `options.value` says otherwise. */
  count(options?: StoreOptions<K, number>): KTable<K, number>
  /** Combines each value with the result so far; the first value is the first result. null deletes the result. */
  reduce(reducer: (aggregate: V, value: V) => V | null, options?: StoreOptions<K, V>): KTable<K, V>
  /** Folds each value into an aggregate, whose type is that of `options.value`. null deletes it. */
  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: AggregateOptions<K, A>,
  ): KTable<K, A>

  /** Groups by window of event time as well. */
  windowedBy(windows: TimeWindows, options?: WindowedByOptions<K, V>): TimeWindowedKStream<K, V>
  windowedBy(windows: SessionWindows, options?: WindowedByOptions<K, V>): SessionWindowedKStream<K, V>
}

/** A stream grouped by key and time window. Records without a key, and those too late for all their windows, are dropped and counted. */
export interface TimeWindowedKStream<out K, out V> {
  /** Counts records. The count is kept as a 64-bit integer unless `options.value` says otherwise. */
  count(options?: StoreOptions<K, number>): KTable<Windowed<K>, number>
  /** Combines each value with the window's result so far; the first value is the first result. null deletes the result. */
  reduce(reducer: (aggregate: V, value: V) => V | null, options?: StoreOptions<K, V>): KTable<Windowed<K>, V>
  /** Folds each value into its window's aggregate, whose type is that of `options.value`. null deletes it. */
  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: AggregateOptions<K, A>,
  ): KTable<Windowed<K>, A>
}

/** A stream grouped by key and session. A record that joins sessions deletes their results (null) and makes one for the whole. */
export interface SessionWindowedKStream<out K, out V> {
  /** Counts records. The count is kept as a 64-bit integer unless `options.value` says otherwise. */
  count(options?: StoreOptions<K, number>): KTable<Windowed<K>, number>
  /** Combines each value with the session's result so far, and the results of sessions that join. null deletes the result. */
  reduce(reducer: (aggregate: V, value: V) => V | null, options?: StoreOptions<K, V>): KTable<Windowed<K>, V>
  /** Folds each value into its session's aggregate, whose type is that of `options.value`; `merger` makes one of two sessions'. */
  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    merger: (a: NoInfer<A>, b: NoInfer<A>, key: K) => NoInfer<A>,
    options: AggregateOptions<K, A>,
  ): KTable<Windowed<K>, A>
}

/** What a table of these keys can hold back: the results of windows until the windows close, and otherwise nothing. */
export type SuppressedFor<K> = K extends Windowed<unknown> ? Suppressed : OnlyResultsOfWindowsCanWait

/** A type without values, named for the compiler's message. */
export interface OnlyResultsOfWindowsCanWait {
  readonly windowed: never
}

/** A table: the latest value of each key, as a stream of updates. */
export interface KTable<out K, out V> {
  /** Holds back updates. Only for results of windows. */
  suppress(suppressed: SuppressedFor<K>, options?: OperatorOptions): KTable<K, V>
  /** The updates as records; a deleted key is a record with the value null. */
  toStream(options?: OperatorOptions): KStream<K, V>
}
