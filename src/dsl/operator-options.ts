import { type Duration, toMilliseconds } from '../duration.ts'
import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import type { RowStore } from '../stores/result-store.ts'
import type { SinkSerde, SinkTopic } from '../topology/node-topic.ts'
import type { ChosenTopicFormat, SinkOptions } from '../topology/sink-options.ts'
import type { SourceOptions } from '../topology/source-options.ts'
import type { JoinWindows } from './join-windows.ts'

/** A serde in place of options has a name, and would pass for them. */
interface NotASerde {
  /** Never there: it tells options from a serde. */
  readonly read?: never
}

export interface OperatorOptions extends NotASerde {
  /** The operator's name in the topology, in metrics and in errors. Default: a generated one. Letters, digits, `.`, `_` and `-`. */
  readonly name?: string
}

export interface PrintOptions<K, V> extends OperatorOptions {
  /** Stands before each line. Default: the name of the operator that the records come from. */
  readonly label?: string
  /** Makes the rest of the line. Default: key and value, objects as JSON. */
  readonly mapper?: (value: V, key: K) => string
}

export interface GroupByKeyOptions<K, V> extends NotASerde {
  /** The repartition topic, where the key has changed, is `<application id>-<name>-repartition`. Default: named after the store. */
  readonly name?: string
  /** Needed where the key has changed. */
  readonly key?: Serde<K>
  /** Needed where the value has changed and is written: to a repartition topic, or by `reduce` to its store. */
  readonly value?: Serde<V>
}

export interface GroupByOptions<K, V> {
  /** Names the operator, and the repartition topic `<application id>-<name>-repartition`. Default: the topic is named after the store. */
  readonly name?: string
  /** Serde of the new key. */
  readonly key: Serde<K>
  /** Needed where the value has changed. */
  readonly value?: Serde<V>
}

/** How an operator's store is kept, where it has one. */
export interface StoreSettings {
  /** Where the store is kept. Default: the application's engine. */
  readonly engine?: StoreEngineFactory
  /**
   * Whether updates go to the changelog topic `<application id>-<store>-changelog`, or settings of that topic. A store that is
   * not logged is empty after a restart that finds no state on disk, and one on disk may then be ahead of the input that is
   * read again. Default: true.
   */
  readonly logging?: Logging
  /**
   * Whether updates wait until the next commit (or until `run({ maxCacheBytes })` is exceeded): of each row the last one is
   * handed on then, with the value that was handed on before. Rows that came and went in between are not handed on. What reads the
   * store sees each update at once, and so do streams that join the table; tables that join it see what was handed on. After
   * Kafka Streams' record cache; it takes a store, which has no versions, and means nothing with `emit('window-close')`.
   * Default: false, every update is handed on at once.
   */
  readonly caching?: boolean
}

/** `D` is how the store can be declared. */
export interface StoreOptions<K, A, D = RowStore<K, A>> extends OperatorOptions, StoreSettings {
  /**
   * The store's name, by which it can be queried; its changelog is `<application id>-<store>-changelog`. Or the store as it was
   * declared, which processors that are given it too can read, and which says serdes, engine and logging. Default: a generated name.
   */
  readonly store?: string | D
  /** Serde of the keys in the store. Default: that of the stream. */
  readonly key?: Serde<K>
  /** Serde of the results in the store. */
  readonly value?: Serde<A>
}

export interface TableOptions<V, K = unknown> extends OperatorOptions, StoreSettings {
  /** Keeps the operator's rows in a store of this name, by which it can be queried, or in one that was declared, which says its serdes. Default: rows are derived when they are looked up. */
  readonly store?: string | RowStore<K, V>
  /** Serde of the values. Default: that of the table, where they are the same. */
  readonly value?: Serde<V>
}

export interface TransformValuesOptions<V, K = unknown> extends TableOptions<V, K> {
  /** The stores that the transformers use. Without a store of the operator's own, joins with it can only look up what needs none of them. */
  readonly stores?: readonly StoreDeclaration[]
}

export interface TableJoinOptions<V, K = unknown> extends OperatorOptions, StoreSettings {
  /** Keeps the joined rows in a store of this name, by which it can be queried, or in one that was declared, which says its serdes. Default: rows are joined when they are looked up, unless serde or engine of a store are given. */
  readonly store?: string | RowStore<K, V>
  /** Serde of the joined values. */
  readonly value?: Serde<V>
}

export interface ForeignKeyJoinOptions<K, V, FK, R> extends TableJoinOptions<R, K> {
  /** The key of the other table's row that belongs to a row; null or undefined where there is none. Must make the same of the same. */
  readonly foreignKey: (value: V, key: K) => FK | null | undefined
  /** The partition of this table's topic that a key is in, where it is not the one that Kafka's default partitioner chooses. Default: answers go to where the row that asks is. */
  readonly partitioner?: (key: K, partitions: number) => number
  /** The partition of the other table's topic that a foreign key is in. Default: the one that Kafka's default partitioner chooses. */
  readonly otherPartitioner?: (foreignKey: FK, partitions: number) => number
}

export interface TableGroupByOptions<K, V> {
  /** Names the operator, and the repartition topic `<application id>-<name>-repartition`. Default: the topic is named after the store. */
  readonly name?: string
  /** Serde of the new key. */
  readonly key: Serde<K>
  /** Serde of the new value. */
  readonly value: Serde<V>
}

export interface VersionedOptions {
  /**
   * Keeps the versions of each row so far back in event time (KIP-889, KIP-914): updates may come in any order, those of
   * earlier versions do not replace later ones, and a stream is joined with the version that held at its record's time.
   * Updates older than that are dropped and counted as `late`. Default: only the last update of a row counts.
   */
  readonly versioned?: Duration
}

/** The history that the options ask for, in milliseconds. */
export function historyOf({ versioned }: VersionedOptions): number | undefined {
  return versioned === undefined ? undefined : toMilliseconds(versioned, 'history retention')
}

/** A record cache hands on only the last update of a row, while of versions all are handed on; and no declared store of rows has them. */
type VersionedOrCached = { readonly versioned?: never } | { readonly caching?: false; readonly store?: string }

export type ToTableOptions<K, V> = StoreOptions<K, V> & VersionedOptions & VersionedOrCached

export interface StreamOptions<K, V> extends OperatorOptions, SourceOptions<K, V> {}

export type SourceTableOptions<K, V> = OperatorOptions &
  SourceOptions<K, V> &
  StoreSettings &
  VersionedOptions &
  VersionedOrCached & {
    /** Keeps the rows in a store of this name, by which it can be queried, or in one that was declared, which says its serdes. Default: they are kept only where an operator needs them. */
    readonly store?: string | RowStore<K, V>
  }

export interface ToOptions<K, V> extends OperatorOptions, SinkOptions<K, V> {}

export interface ChosenTopicOptions<K, V>
  extends OperatorOptions,
    SinkOptions<K, V>,
    ChosenTopicFormat<SinkSerde<Exclude<K, null>>, SinkSerde<Exclude<V, null>>> {}

export interface RepartitionOptions<K, V> extends NotASerde {
  /** The topic is `<application id>-<name>-repartition`. Default: a generated one. */
  readonly name?: string
  /** Needed where the key has changed. */
  readonly key?: Serde<K>
  /** Needed where the value has changed. */
  readonly value?: Serde<V>
  /** Partitions of the topic. Default: as many as the topics have that the records come from. */
  readonly partitions?: number
  /** Chooses the partitions of each record, as that of `to` does. Default: by the key's bytes. */
  partitioner?(key: K, value: V, partitions: number): number | readonly number[] | undefined
}

export interface JoinOptions<K, V> extends OperatorOptions {
  /**
   * How long a record waits, in event time, for updates of the table that come late: it is joined, with the version that held
   * at its time, when a record that much later has come. For versioned tables, whose history is at least as long (KIP-923).
   * Records later than that are joined at once. Default: every record is joined at once.
   */
  readonly grace?: Duration
  /** Needed where the key has changed: the stream's records then go through the topic `<application id>-<name>-repartition`. */
  readonly key?: Serde<K>
  /** Serde of the stream's values, needed where key and value have changed. */
  readonly value?: Serde<V>
}

export interface ProcessValuesOptions<V> extends OperatorOptions {
  /** The stores that the processors use. Processors that share a store run in the same tasks. */
  readonly stores?: readonly StoreDeclaration[]
  /** Serde of the values that are handed on, which also says their type. Default: none, and the type of the values that come in. */
  readonly value?: Serde<V>
}

export interface ProcessOptions<K, V> extends ProcessValuesOptions<V> {
  /** Serde of the keys that are handed on, which also says their type. Default: none, and the type of the keys that come in. */
  readonly key?: Serde<K>
}

export interface GlobalStoreOptions<K, V>
  extends OperatorOptions,
    Pick<SourceOptions<K, V>, 'timestamp' | 'invalidTimestamp'> {}

export interface GlobalTableOptions<K, V> extends GlobalStoreOptions<K, V> {
  /** The store's name, by which it can be queried, or the store as it was declared, for processors to read. Default: a generated name. */
  readonly store?: string | RowStore<K, V>
  /** Where the store is kept; it is filled anew at each start. Default: the application's engine. */
  readonly engine?: StoreEngineFactory
}

export interface GlobalTableJoinOptions<K, V, GK> extends OperatorOptions {
  /** Makes the key of the table's row to join a record with; null or undefined where there is none. */
  readonly keySelector: (value: NonNullable<V>, key: K) => GK | null | undefined
}

export interface SuppressOptions extends OperatorOptions {
  /**
   * Whether what waits goes to the changelog topic `<application id>-<store>-changelog`, or settings of that topic. What is not
   * logged is lost in a restart that finds no state on disk: it is then never handed on. Default: true.
   */
  readonly logging?: Logging
}

/** How a join of streams keeps the records of one side. After the store suppliers of Kafka Streams' StreamJoined. */
export interface JoinSideStore {
  /** The store's name; its changelog is `<application id>-<name>-changelog`. Default: as the join's `store` says. */
  readonly name?: string
  /** Where it is kept. Default: the join's `engine`. */
  readonly engine?: StoreEngineFactory
}

export interface StreamJoinOptions<K, V, V2> extends OperatorOptions {
  /** How far apart the timestamps of two records may be that belong together, and how late they may come. */
  readonly within: JoinWindows
  /** Begins the names of the stores that keep both streams' records. Default: generated names. */
  readonly store?: string
  /** Needed where the key has changed: the stream's records then go through the topic `<application id>-<name>-left-repartition`, those of the other through `-right-repartition`. */
  readonly key?: Serde<K>
  /** Serde of this stream's values, needed where they have changed. */
  readonly value?: Serde<V>
  /** Serde of the other stream's values, needed where they have changed. */
  readonly otherValue?: Serde<V2>
  /**
   * In left and outer joins: how often records that have found none are looked for at most, by the clock on the wall; those
   * whose time was over in between come together, with the next record after that which moves event time. Default: 0, at
   * each such record (Kafka Streams: 1 s).
   */
  readonly emitEvery?: Duration
  /** Where the stores are kept. Default: the application's engine. */
  readonly engine?: StoreEngineFactory
  /** The store of this stream's records. */
  readonly thisStore?: JoinSideStore
  /** The store of the other stream's records. */
  readonly otherStore?: JoinSideStore
  /**
   * Whether what the stores keep goes to their changelog topics, or settings of these topics. Stores that are not logged are
   * empty after a restart that finds no state on disk. Default: true.
   */
  readonly logging?: Logging
}

/** A branch of a split: `S` is its stream, `R` what `with` makes of that. */
export interface BranchOptions<N extends string, S, R> {
  /** The branch's key in the result, and the end of its operator's name, which begins with that of the split. Default: its number from 1 on, 0 for the default branch. */
  readonly name?: N
  /**
   * Goes on with the branch at once. A stream that it returns is in the result in the branch's place; where it returns nothing
   * the branch ends there, and is not in the result. After Kafka Streams' Branched.withFunction and withConsumer.
   */
  readonly with?: (branch: S) => R
}

export interface WindowedStoreOptions<K, A, D = never> extends StoreOptions<K, A, D> {
  /**
   * How long results of windows are kept, in event time: until another window starts (or session ends) so long after. At least
   * as long as records can still change them, which is the default.
   */
  readonly retention?: Duration
}

export type WindowedAggregateOptions<K, A, D = never> = WindowedStoreOptions<K, A, D> & SaysAggregate<A, D>

export type AggregateOptions<K, A, D = RowStore<K, A>> = StoreOptions<K, A, D> & SaysAggregate<A, D>

/** Serde of the aggregates, which also says their type; or the store, which was declared with it. */
type SaysAggregate<A, D> = { readonly value: Serde<A> } | { readonly store: D }

/**
 * When results of windows are handed on: at every update, or once, when the window closes, that is when event time, as the
 * operator's own partition sees it, is past its end and grace. After Kafka Streams' EmitStrategy.
 */
export type EmitStrategy = 'window-update' | 'window-close'

export interface EmitOptions {
  /**
   * With `'window-close'`: how often results are handed on at most, by the clock on the wall; those of windows that closed in
   * between come together, with the next record after that. Default: 0, after every record that closes windows (Kafka Streams: 1 s).
   */
  readonly every?: Duration
}

export interface WindowedByOptions<K, V> {
  /** Takes, unchanged, the records that come too late for all of their windows. Default: they are only counted. */
  readonly late?: SinkTopic<K, V>
}
