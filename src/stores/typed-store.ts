import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'

/**
 * A store as users declare it, once, and name it wherever it is used: `S` is what reads and writes it, `R` what only reads.
 * After Kafka Streams' StoreBuilder.
 */
export interface TypedStore<S, R> extends StoreDeclaration {
  /** What reads and writes the store that a task made of this declaration. */
  readonly open: (store: StateStore, writer: StoreWriter) => S
  /** What only reads it. */
  readonly openReadOnly: (store: StateStore) => R
}

/** The options that the store of a task takes as they are. */
export function entryOptions<K, V>({
  key,
  value,
  hotEntries,
}: TypedStoreOptions<K, V>): Pick<TypedStoreOptions<K, V>, 'key' | 'value' | 'hotEntries'> {
  return { key, value, ...(hotEntries === undefined ? {} : { hotEntries }) }
}

/** What a typed store asks of whoever writes to it. */
export interface StoreWriter {
  /** Event time of the record that is processed: the timestamp of values that bring none. */
  timestamp(): number
  /** Counts a write that was not kept, because its window or session is expired. */
  expired(): void
}

/** What reads and writes a declared store. */
export type StoreOf<D> = D extends TypedStore<infer S, infer _R> ? S : never

/** What only reads a declared store. */
export type ReadOnlyStoreOf<D> = D extends TypedStore<infer _S, infer R> ? R : never

export interface TypedStoreOptions<K, V> {
  /** Serde of the keys. They are ordered by their bytes, unsigned: of numbers, negative ones come last. */
  readonly key: Serde<K>
  /** Serde of the values. */
  readonly value: Serde<V>
  /** Where the store is kept. Default: the application's engine. */
  readonly engine?: StoreEngineFactory
  /**
   * Whether updates go to the changelog topic `<application id>-<name>-changelog`, or settings of that topic. A store that
   * is not logged is empty after a restart that finds no state on disk. Default: true.
   */
  readonly logging?: Logging
  /** How many keys or values are kept decoded in memory beyond a commit. Default: 1,000,000. */
  readonly hotEntries?: number
}

/**
 * What iterating over a store gives: in order, lazily, to be used up in the call that began it. The store may be changed
 * meanwhile: an entry that is deleted before the iteration comes to it is left out, each has its value at that moment, and
 * none comes twice; whether keys that are new are met is not said. The iteration fails with CLOSED beyond a commit.
 */
export type StoreIterator<T> = IteratorObject<T, undefined, unknown>
