/**
 * The streams and tables that a topology is written with, as interfaces in one place because each leads to the others. Names
 * and meanings are Kafka Streams'. Callbacks take `(value, key)`; a value is null at run time where a record has none, and
 * so is a key. Operators that make new keys mark the stream, and the next operator that keeps state by key first sends its
 * records through a repartition topic.
 */

import type { FixedKeyProcessorSupplier, ProcessorSupplier, ValueTransformerSupplier } from '../processor/processor.ts'
import type { SessionResultStore, WindowResultStore } from '../stores/result-store.ts'
import type { SinkTopic } from '../topology/node-topic.ts'
import type { TopicNameExtractor } from '../topology/sink-options.ts'
import type { Windowed } from '../windowed.ts'
import type {
  AggregateOptions,
  BranchOptions,
  ChosenTopicOptions,
  EmitOptions,
  EmitStrategy,
  ForeignKeyJoinOptions,
  GlobalTableJoinOptions,
  GroupByKeyOptions,
  GroupByOptions,
  JoinOptions,
  OperatorOptions,
  PrintOptions,
  ProcessOptions,
  ProcessValuesOptions,
  RepartitionOptions,
  StoreOptions,
  StreamJoinOptions,
  SuppressOptions,
  TableGroupByOptions,
  TableJoinOptions,
  TableOptions,
  ToOptions,
  ToTableOptions,
  TransformValuesOptions,
  WindowedAggregateOptions,
  WindowedByOptions,
  WindowedStoreOptions,
} from './operator-options.ts'
import type { SlidingWindows } from './sliding-windows.ts'
import type { UntilTimeLimit, UntilWindowCloses } from './suppressed.ts'
import type { UnlimitedWindows } from './unlimited-windows.ts'
import type { SessionWindows, TimeWindows } from './windows.ts'

/** A stream of records, each of them a fact of its own. */
export interface KStream<out K, out V> {
  /** Keeps the records for which the predicate holds. */
  filter<P extends (value: V, key: K) => boolean>(predicate: P, options?: OperatorOptions): KStream<K, TakenBy<P, K, V>>
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

  /** Calls the action for each record, and hands the record on. It cannot be `async`: nothing would wait for it. */
  peek(action: (value: V, key: K) => void, options?: OperatorOptions): KStream<K, V>
  /** Calls the action for each record, and ends there. It cannot be `async`: nothing would wait for it. */
  foreach(action: (value: V, key: K) => void, options?: OperatorOptions): void

  /** Hands a line `[label]: key, value` for each record to `write`, as `console.log`, and ends there. */
  print(write: (line: string) => void, options?: PrintOptions<K, V>): void

  /** The records of both streams; each stream keeps its order, nothing orders one against the other. */
  merge(other: KStream<K, V>, options?: OperatorOptions): KStream<K, V>

  /**
   * Runs processors of your own, which hand on any number of records of any kind for each. Where state is kept by key behind
   * it, the records first go through a repartition topic; nothing is repartitioned before it, even where keys have changed.
   * What it hands on has the types of `options.key` and `options.value`, or else of what comes in.
   */
  process<K2 = K, V2 = V>(supplier: ProcessorSupplier<K, V, K2, V2>, options?: ProcessOptions<K2, V2>): KStream<K2, V2>
  /** Runs processors of your own, which hand on any number of records for each, with the same key. */
  processValues<V2 = V>(
    supplier: FixedKeyProcessorSupplier<K, V, V2>,
    options?: ProcessValuesOptions<V2>,
  ): KStream<K, V2>

  /** Sends each record into the first branch whose predicate holds. */
  split(options?: OperatorOptions): BranchedKStream<K, V>

  /** Sends the records through a topic, so that those of one key come together. Records without a key are dropped and counted as `null-key`, unless a left join follows. */
  repartition(options?: RepartitionOptions<K, V>): KStream<K, V>

  /** Takes the records as the updates of a table: null deletes. Records without a key are dropped and counted as `null-key`. */
  toTable(options?: ToTableOptions<NonNullable<K>, NonNullable<V>>): KTable<NonNullable<K>, NonNullable<V>>

  /**
   * Joins each record with what another stream or a table has for it; records that find nothing are left out.
   *
   * With a table: with its value for the record's key, as it is at that moment. Records without key or value are dropped and counted.
   * Both must have the same number of partitions.
   *
   * With a global table: with the row whose key `options.keySelector` makes of the record. Records without a value, or for which
   * no key is made, are dropped and counted. Neither topics nor event times are aligned with the table's: it is as the
   * application has it at that moment.
   *
   * With a stream: with its records that have the same key and a timestamp `within` the window around the record's own; the result
   * has the later timestamp of both. Records without key or value are dropped and counted. Both must have the same number of
   * partitions.
   */
  join<O extends Joinable<K>, R>(
    other: O,
    joiner: (value: NonNullable<V>, other: JoinedValue<O>, key: JoinedKey<O, K>) => R,
    ...options: JoinArguments<O, K, V>
  ): KStream<JoinedKey<O, K>, R>
  /**
   * As `join`, but records that find nothing are joined with null: without a key at once, in a join with a stream when event time
   * is past their window and the grace period, under their own timestamp.
   */
  leftJoin<O extends Joinable<K>, R>(
    other: O,
    joiner: (value: NonNullable<V>, other: JoinedValue<O> | null, key: K) => R,
    ...options: JoinArguments<O, K, V>
  ): KStream<K, R>
  /** As `leftJoin` with a stream, for the records of both. */
  outerJoin<V2, R>(
    other: KStream<NonNullable<K> | null, V2>,
    joiner: (left: NonNullable<V> | null, right: NonNullable<V2> | null, key: K) => R,
    options: StreamJoinOptions<NonNullable<K>, V, V2>,
  ): KStream<K, R>

  /** Groups by the key, to keep state for each. Records without a key are dropped and counted as `null-key`. */
  groupByKey(options?: GroupByKeyOptions<NonNullable<K>, V>): KGroupedStream<NonNullable<K>, V>
  /** Groups by a new key, whose type is that of `options.key`. */
  groupBy<K2>(
    selector: (value: V, key: K) => NoInfer<K2> | null | undefined,
    options: GroupByOptions<K2, V>,
  ): KGroupedStream<K2, V>

  // Two signatures that differ in how many arguments they take: the compiler then speaks of the one that was meant.
  /** Writes the records to a topic. Its serdes must take the stream's keys and values; null stands for an absent one. */
  to(topic: SinkTopic<Exclude<K, null>, Exclude<V, null>>): void
  /** Writes each record to the topic, or to the one that a function chooses for it, which must exist when the application starts. */
  to<T extends SinkTopic<Exclude<K, null>, Exclude<V, null>> | TopicNameExtractor<K, V>>(
    topic: T,
    options: T extends TopicNameExtractor<K, V> ? ChosenTopicOptions<K, V> : ToOptions<K, V> | undefined,
  ): void
}

/**
 * A table of which every task can read every row, whatever partition it is in: for joins on other keys than the stream's.
 * After Kafka Streams' GlobalKTable.
 */
export interface GlobalKTable<out K, out V> {
  /** What tells it from other tables. */
  readonly isGlobal: true
  /** The name of the store with the rows: the generated one too, unless only the store's engine was chosen. */
  readonly queryableStoreName: string | undefined
  /** Never there: it carries the types of keys and values. */
  readonly rows?: readonly [K, V]
}

/** What a stream of these keys can be joined with: a table or stream of the same keys, or a global table. */
export type Joinable<K> =
  | KTable<NonNullable<K>, unknown>
  | GlobalKTable<unknown, unknown>
  | KStream<NonNullable<K> | null, unknown>

/** What the joiner is given of the other side. */
export type JoinedValue<O> =
  O extends GlobalKTable<unknown, infer V>
    ? V
    : O extends KTable<unknown, infer V>
      ? V
      : O extends KStream<unknown, infer V>
        ? NonNullable<V>
        : never

/** The key of a match. Only a global table is joined by another than the record's, which can then be null. */
export type JoinedKey<O, K> = O extends GlobalKTable<unknown, unknown> ? K : NonNullable<K>

/**
 * The options of a join, by what is joined. One signature instead of an overload for each: a wrong option is then one clear
 * line of the compiler's.
 */
export type JoinArguments<O, K, V> =
  O extends GlobalKTable<infer GK, unknown>
    ? [options: GlobalTableJoinOptions<K, V, GK>]
    : O extends KTable<unknown, unknown>
      ? [options?: JoinOptions<NonNullable<K>, V>]
      : O extends KStream<unknown, infer V2>
        ? [options: StreamJoinOptions<NonNullable<K>, V, V2>]
        : never

/**
 * A stream being split: `B` is what its branches are so far, by name or else by number, and `N` has one element for each. A
 * predicate that tells types apart narrows its branch and leaves the rest to those after it. After Kafka Streams'
 * BranchedKStream.
 */
export interface BranchedKStream<out K, out V, B = unknown, N extends readonly unknown[] = []> {
  /** Adds a branch, for the records that no branch before it took. */
  branch<
    P extends (value: V, key: K) => boolean,
    const Name extends string = never,
    R extends BranchEnd = KStream<K, TakenBy<P, K, V>>,
  >(
    predicate: P,
    options?: BranchOptions<Name, KStream<K, TakenBy<P, K, V>>, R>,
  ): BranchedKStream<K, LeftBy<P, K, V>, WithBranch<B, NameOr<Name, NextNumber<N>>, R>, [...N, unknown]>

  /** Ends the split with a branch for all other records, and returns the branches. */
  defaultBranch<const Name extends string = never, R extends BranchEnd = KStream<K, V>>(
    options?: BranchOptions<Name, KStream<K, V>, R>,
  ): Branches<WithBranch<B, NameOr<Name, 0>, R>>
  /** Ends the split, and returns the branches. Records that no branch took end here. */
  noDefaultBranch(): Branches<B>
}

type AnyStream = KStream<unknown, unknown>

/** What a function that goes on with a branch may return. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is what a function returns
export type BranchEnd = AnyStream | void

type Guard<V, S extends V, K> = (value: V, key: K) => value is S

/** The values that a branch takes: where its predicate tells types apart, those of the type. */
export type TakenBy<P, K, V> = P extends Guard<V, infer S, K> ? S : V
/** The values that it leaves to the branches after it. */
export type LeftBy<P, K, V> = P extends Guard<V, infer S, K> ? Exclude<V, S> : V

/** The branches so far and one more, unless it ended where it was made. */
export type WithBranch<B, Key extends string | number, R> = R extends AnyStream ? B & Record<Key, R> : B

/** The key of a branch in the result: its name, where it has one. */
export type NameOr<Name extends string, Count extends number> = [Name] extends [never] ? Count : Name

/** The number of the branch that comes next: the first is 1. */
export type NextNumber<N extends readonly unknown[]> = Extract<[...N, unknown]['length'], number>

/** The branches of a split, as one object. */
export type Branches<B> = { readonly [P in keyof B]: B[P] }

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

  /**
   * Begins an aggregation of several grouped streams into one result for each key. The aggregator's first parameter says the
   * result's type, which is that of all aggregators. Nothing happens until `aggregate`.
   */
  cogroup<A>(aggregator: (aggregate: A, value: V, key: K) => A | null): CogroupedKStream<K, V, A>

  /** Groups by window of event time as well. */
  windowedBy<W extends AnyWindows>(windows: W, options?: WindowedByOptions<K, V>): WindowedBy<W, K, V>
}

export type AnyWindows = TimeWindows | SlidingWindows | UnlimitedWindows | SessionWindows

/** A grouped stream with windows of the kind. One signature instead of an overload for each: a wrong argument is then one clear line of the compiler's. */
export type WindowedBy<W extends AnyWindows, K, V> = W extends SessionWindows
  ? SessionWindowedKStream<K, V>
  : W extends UnlimitedWindows
    ? UnlimitedWindowedKStream<K, V>
    : TimeWindowedKStream<K, V>

/**
 * Streams grouped by the same keys, that are aggregated into results of one type: `V` is what their values can be. Each
 * stream has its own aggregator; all must have the same number of partitions. After Kafka Streams' CogroupedKStream.
 */
export interface CogroupedKStream<out K, out V, in out A> {
  /** Adds a stream. It cannot be one that is in already. */
  cogroup<V2>(
    grouped: KGroupedStream<K, V2>,
    aggregator: (aggregate: A, value: V2, key: K) => A | null,
  ): CogroupedKStream<K, V | V2, A>
  /** Folds the values of all streams into one aggregate for each key. null deletes it. Records without key or value are dropped and counted. */
  aggregate(initializer: () => A, options: AggregateOptions<K, A>): KTable<K, A>

  /** Groups by window of event time as well. Each stream has an event time of its own, which decides what is late. */
  windowedBy<W extends AnyWindows>(windows: W, options?: WindowedByOptions<K, V>): CogroupedWindowedBy<W, K, A>
}

export type CogroupedWindowedBy<W extends AnyWindows, K, A> = W extends SessionWindows
  ? SessionWindowedCogroupedKStream<K, A>
  : TimeWindowedCogroupedKStream<K, A>

/** Streams grouped by the same keys and by windows of time. */
export interface TimeWindowedCogroupedKStream<out K, in out A> {
  /** Folds the values of all streams into one aggregate for each key and window. null deletes it. */
  aggregate(
    initializer: () => A,
    options: WindowedAggregateOptions<K, A, WindowResultStore<K, A>>,
  ): KTable<Windowed<K>, A>
}

/** Streams grouped by the same keys and by sessions, which records of any of the streams lengthen. */
export interface SessionWindowedCogroupedKStream<out K, in out A> {
  /** Folds the values of all streams into one aggregate for each key and session; `merger` makes one of two sessions'. */
  aggregate(
    initializer: () => A,
    merger: (a: A, b: A, key: K) => A,
    options: WindowedAggregateOptions<K, A, SessionResultStore<K, A>>,
  ): KTable<Windowed<K>, A>
}

/** A stream grouped by key and a window that never ends. Records without a key, and those before the window, are dropped and counted. */
export interface UnlimitedWindowedKStream<out K, out V> {
  /** Counts records. The count is kept as a 64-bit integer unless `options.value` says otherwise. */
  count(options?: WindowedStoreOptions<K, number>): KTable<Windowed<K>, number>
  /** Combines each value with the window's result so far; the first value is the first result. null deletes the result. */
  reduce(reducer: (aggregate: V, value: V) => V | null, options?: WindowedStoreOptions<K, V>): KTable<Windowed<K>, V>
  /** Folds each value into its window's aggregate, whose type is that of `options.value`. null deletes it. */
  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: WindowedAggregateOptions<K, A>,
  ): KTable<Windowed<K>, A>
}

/**
 * A stream grouped by key and window of time. Records without a key, those too late for all their windows and, in sliding
 * windows, those without a value are dropped and counted.
 */
export interface TimeWindowedKStream<out K, out V> {
  /** When results are handed on. Default: `'window-update'`. */
  emit(strategy: EmitStrategy, options?: EmitOptions): TimeWindowedKStream<K, V>
  /** Counts records. The count is kept as a 64-bit integer unless `options.value` says otherwise. */
  count(options?: WindowedStoreOptions<K, number, WindowResultStore<K, number>>): KTable<Windowed<K>, number>
  /** Combines each value with the window's result so far; the first value is the first result. null deletes the result. */
  reduce(
    reducer: (aggregate: V, value: V) => V | null,
    options?: WindowedStoreOptions<K, V, WindowResultStore<K, V>>,
  ): KTable<Windowed<K>, V>
  /** Folds each value into its window's aggregate, whose type is that of `options.value`. null deletes it. */
  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: WindowedAggregateOptions<K, A, WindowResultStore<K, A>>,
  ): KTable<Windowed<K>, A>
}

/** A stream grouped by key and session. A record that joins sessions deletes their results (null) and makes one for the whole. */
export interface SessionWindowedKStream<out K, out V> {
  /** When results are handed on. Default: `'window-update'`; with `'window-close'` there are no deletions. */
  emit(strategy: EmitStrategy, options?: EmitOptions): SessionWindowedKStream<K, V>
  /** Counts records. The count is kept as a 64-bit integer unless `options.value` says otherwise. */
  count(options?: WindowedStoreOptions<K, number, SessionResultStore<K, number>>): KTable<Windowed<K>, number>
  /** Combines each value with the session's result so far, and the results of sessions that join. null deletes the result. */
  reduce(
    reducer: (aggregate: V, value: V) => V | null,
    options?: WindowedStoreOptions<K, V, SessionResultStore<K, V>>,
  ): KTable<Windowed<K>, V>
  /** Folds each value into its session's aggregate, whose type is that of `options.value`; `merger` makes one of two sessions'. */
  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    merger: (a: NoInfer<A>, b: NoInfer<A>, key: K) => NoInfer<A>,
    options: WindowedAggregateOptions<K, A, SessionResultStore<K, A>>,
  ): KTable<Windowed<K>, A>
}

/** What a table of these keys can hold back: updates for a time, and only the results of windows until the windows close. */
export type SuppressedFor<K> =
  | UntilTimeLimit
  | (K extends Windowed<unknown> ? UntilWindowCloses : OnlyResultsOfWindowsCanWait)

/** A type without values, named for the compiler's message. */
export interface OnlyResultsOfWindowsCanWait {
  readonly windowed: never
}

/**
 * A table grouped by a new key. An update takes the row's value before out of the result of its group, and the value now into
 * the result of its group, which may be another.
 */
export interface KGroupedTable<out K, out V> {
  /** Counts rows. A group that had rows and has none any more counts 0. */
  count(options?: StoreOptions<K, number>): KTable<K, number>
  /** Combines values: `adder` takes one in, `subtractor` takes one out; the first value is the first result. null deletes the result. */
  reduce(
    adder: (aggregate: V, value: V) => V | null,
    subtractor: (aggregate: V, value: V) => V | null,
    options?: StoreOptions<K, V>,
  ): KTable<K, V>
  /** Folds values into an aggregate, whose type is that of `options.value`: `adder` takes one in, `subtractor` takes one out. null deletes it. */
  aggregate<A>(
    initializer: () => NoInfer<A>,
    adder: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    subtractor: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: AggregateOptions<K, A>,
  ): KTable<K, A>
}

/** The values of a table. */
export type RowOf<O> = O extends KTable<unknown, infer V> ? V : never

/** The options of a join with a table: one of other keys can only be joined by a foreign key. */
export type TableJoinOptionsFor<O, K, V, R> =
  O extends KTable<infer FK, unknown>
    ? O extends KTable<K, unknown>
      ? Partial<ForeignKeyJoinOptions<K, V, FK, R>> | undefined
      : ForeignKeyJoinOptions<K, V, FK, R>
    : never

/** A table: the latest value of each key, as a stream of updates. */
export interface KTable<out K, out V> {
  /**
   * The name of the store with the rows, where one was named; undefined for a table that was not told a name, also where
   * operators further down make it keep its rows. A join of tables that was told of its store but not the name has the generated one.
   */
  readonly queryableStoreName: string | undefined

  /** Keeps the rows for which the predicate holds; an update that does not pass deletes. */
  filter<P extends (value: V, key: K) => boolean>(
    predicate: P,
    options?: TableOptions<TakenBy<P, K, V>, K>,
  ): KTable<K, TakenBy<P, K, V>>
  /** Leaves out the rows for which the predicate holds. */
  filterNot(predicate: (value: V, key: K) => boolean, options?: TableOptions<V, K>): KTable<K, V>
  /**
   * Makes a new value for each row; the key stays. null deletes the row. Without a store the mapper is called again when a
   * row is looked up, and must make the same of the same.
   */
  mapValues<V2>(mapper: (value: V, key: K) => V2 | null, options?: TableOptions<V2, K>): KTable<K, V2>
  /**
   * Makes a new value for each row by transformers of your own, which may keep state; they are called for deletions too, with
   * null. Without a store a transformer is called again when a row is looked up, also for one that is not there, and must make
   * the same of the same. Results have the type of `options.value`, or else of the table's values.
   */
  transformValues<V2 = V>(
    supplier: ValueTransformerSupplier<K, V, V2>,
    options?: TransformValuesOptions<V2, K>,
  ): KTable<K, V2>
  /**
   * Groups by a new key: the selector makes a new `[key, value]` of each row, whose types are those of the serdes. Rows for
   * which it makes no key or no value have no group. It is called for values before and now, and must make the same of the same.
   */
  groupBy<K2, V2>(
    selector: (value: V, key: K) => readonly [NoInfer<K2> | null | undefined, NoInfer<V2> | null | undefined] | null,
    options: TableGroupByOptions<K2, V2>,
  ): KGroupedTable<K2, V2>
  // Two signatures that differ in how many arguments they take: the compiler then speaks of the one that was meant.
  /**
   * Joins the tables by their keys: a row for each key that both have. An update of either makes the row anew, with the
   * later of both timestamps; null from the joiner deletes it. Both must have the same number of partitions.
   */
  join<V2, R>(other: KTable<K, V2>, joiner: (left: V, right: V2, key: K) => R | null): KTable<K, R>
  /**
   * Joins the tables by their keys, or, with `options.foreignKey`, each row with the row of the other table whose key that finds
   * in it; many rows may have the same. An update of either then makes the joined rows anew. Neither topics nor keys are aligned: rows
   * ask for one another through two topics of the application's own, so that results come a little later than their records,
   * and an outdated one is never the last.
   */
  join<O extends KTable<unknown, unknown>, R>(
    other: O,
    joiner: (left: V, right: RowOf<O>, key: K) => R | null,
    options: TableJoinOptionsFor<O, K, V, R>,
  ): KTable<K, R>
  /** As `join`, with a row for each key of this table; where the other has none, the joiner is given null. */
  leftJoin<V2, R>(other: KTable<K, V2>, joiner: (left: V, right: V2 | null, key: K) => R | null): KTable<K, R>
  /** As `join`, also by a foreign key, but with a row for each row of this table; where there is none of the other, the joiner is given null. */
  leftJoin<O extends KTable<unknown, unknown>, R>(
    other: O,
    joiner: (left: V, right: RowOf<O> | null, key: K) => R | null,
    options: TableJoinOptionsFor<O, K, V, R>,
  ): KTable<K, R>
  /** As `join`, with a row for each key that either table has; where one of them has none, the joiner is given null. */
  outerJoin<V2, R>(
    other: KTable<K, V2>,
    joiner: (left: V | null, right: V2 | null, key: K) => R | null,
    options?: TableJoinOptions<R, K>,
  ): KTable<K, R>
  /** Holds back updates, to hand on the last of each key only: until windows close, or for a time. */
  suppress(suppressed: SuppressedFor<K>, options?: SuppressOptions): KTable<K, V>
  /** The updates as records; a deleted key is a record with the value null. */
  toStream(): KStream<K, V>
  /** As `toStream()`, with the keys that a mapper makes. `options.name` names the operator that makes records of updates. */
  toStream<M extends ((value: V, key: K) => unknown) | OperatorOptions>(
    mapperOrOptions: M,
    options?: OperatorOptions,
  ): KStream<KeyMadeBy<M, K>, V>
}

/** The keys that a mapper makes, where there is one. */
export type KeyMadeBy<M, K> = M extends (...record: never) => infer K2 ? K2 : K
