import { requireFormat } from '../arguments.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import { compactedChangelog, declareLogging } from '../state/changelog-config.ts'
import { afterPrefix, encodedKey, justAfter } from '../state/key-bounds.ts'
import { KeyValueStore as KeyValueEntries, keyValueStore as keyValueEntries } from '../state/key-value-store.ts'
import { openedAs, requireKey } from './opened-store.ts'
import { type Recency, recencyOf } from './recency.ts'
import type { RowStore } from './result-store.ts'
import {
  entryOptions,
  type StoreIterator,
  type StoreWriter,
  type TypedStore,
  type TypedStoreOptions,
} from './typed-store.ts'
import { plainForm, timestampedForm, type ValueAndTimestamp, type ValueForm } from './value-form.ts'

/** Which keys, by the order of their bytes. */
export interface KeyRange<K> {
  /** The least key, included. Default: no bound. */
  readonly from?: K
  /** The greatest key, included. Default: no bound. Below `from` the range is empty. */
  readonly to?: K
  /** From the greatest key down. Default: false. */
  readonly reverse?: boolean
}

/** Reads a value for each key. Objects are the store's own: they are not to be changed. After Kafka Streams' ReadOnlyKeyValueStore. */
export interface ReadOnlyKeyValueStore<in out K, out V> {
  /** undefined where there is none. */
  get(key: K): V | undefined
  range(range: KeyRange<K>): StoreIterator<[key: K, value: V]>
  all(options?: { readonly reverse?: boolean }): StoreIterator<[key: K, value: V]>
  /** The entries whose keys' bytes begin with those of the prefix. */
  prefixScan<P>(prefix: P, serde: Serde<P>): StoreIterator<[key: K, value: V]>
  /** How many entries there are, about: what waits for a commit may be counted twice. */
  approximateNumEntries(): number
}

/** Reads and writes a value for each key. After Kafka Streams' KeyValueStore. */
export interface KeyValueStore<in out K, in out V> extends ReadOnlyKeyValueStore<K, V> {
  /** null deletes. */
  put(key: K, value: V | null): void
  /** Puts the value where the key has none; returns the one that was there. */
  putIfAbsent(key: K, value: V | null): V | undefined
  putAll(entries: Iterable<readonly [key: K, value: V | null]>): void
  /** Returns the value that was there. */
  delete(key: K): V | undefined
}

export type TimestampedKeyValueStore<K, V> = KeyValueStore<K, ValueAndTimestamp<V>>

type Declared<K, V> = TypedStore<KeyValueStore<K, V>, ReadOnlyKeyValueStore<K, V>>

export interface PlainKeyValueStoreOptions<K, V> extends TypedStoreOptions<K, V> {
  /**
   * How many entries there are at most: beyond it the one that was not read or written for longest is deleted. After a restart
   * that is the one that was not written for longest, by event time. Default: no bound.
   */
  readonly maxEntries?: number
}

/**
 * Declares a store of one value for each key. Its changelog has the timestamps of the records that were processed.
 * @throws MillraceError INVALID_ARGUMENT where the bound is not above 0
 */
export function keyValueStore<K, V>(name: string, options: PlainKeyValueStoreOptions<K, V>): Declared<K, V> {
  requireFormat(`keyValueStore('${name}', ...)`, options)
  const { maxEntries, key } = options
  if (maxEntries === undefined) return declared(name, options, plainForm<V>())
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new MillraceError('INVALID_ARGUMENT', `${maxEntries} is no bound for the entries of a store`, {
      at: { store: name },
      remedy: 'Give maxEntries as a whole number above 0, or leave it out.',
    })
  }
  const open: Declared<K, V>['open'] = (store, writer) =>
    new BoundedEntries(openedAs(store, KeyValueEntries), key, plainForm<V>(), writer, maxEntries)
  return { ...declared(name, options, plainForm<V>()), open }
}

/**
 * Declares a store of one value and its event time for each key, as tables and aggregations of the DSL keep them: these take it
 * as their `store`, and processors that are given it too reach their rows. Its changelog has the timestamps of the values.
 */
export function timestampedKeyValueStore<K, V>(
  name: string,
  options: TypedStoreOptions<K, V>,
): Declared<K, ValueAndTimestamp<V>> & RowStore<K, V> {
  requireFormat(`timestampedKeyValueStore('${name}', ...)`, options)
  const { key, value, logging, hotEntries } = options
  return {
    ...declared(name, options, timestampedForm<V>()),
    results: { kind: 'rows', key, value, logging, hotEntries },
  }
}

function declared<K, V, S>(name: string, options: TypedStoreOptions<K, V>, form: ValueForm<S>): Declared<K, S> {
  const { key, engine, logging } = options
  return {
    name,
    ...declareLogging(compactedChangelog, logging),
    engine,
    create: keyValueEntries({ name, ...entryOptions(options) }),
    open: (store, writer) => new WritableEntries(openedAs(store, KeyValueEntries), key, form, writer),
    openReadOnly: (store) => new ReadableEntries(openedAs(store, KeyValueEntries), key, form),
  }
}

class ReadableEntries<K, V> implements ReadOnlyKeyValueStore<K, V> {
  protected readonly entries: KeyValueEntries
  protected readonly form: ValueForm<V>
  protected readonly key: Serde<K>

  constructor(entries: KeyValueEntries, key: Serde<K>, form: ValueForm<V>) {
    this.entries = entries
    this.form = form
    this.key = key
  }

  get(key: K): V | undefined {
    const { value, timestamp } = this.entryOf(key)
    return value === undefined ? undefined : this.form.shown(value, timestamp)
  }

  range({ from, to, reverse = false }: KeyRange<K>): StoreIterator<[K, V]> {
    const low = from === undefined ? undefined : encodedKey(requireKey(from, this.entries.name), this.key)
    const high = to === undefined ? undefined : justAfter(encodedKey(requireKey(to, this.entries.name), this.key))
    return this.#rows(low, high, reverse)
  }

  all({ reverse = false }: { readonly reverse?: boolean } = {}): StoreIterator<[K, V]> {
    return this.#rows(undefined, undefined, reverse)
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): StoreIterator<[K, V]> {
    const from = encodedKey(requireKey(prefix, this.entries.name), serde)
    return this.#rows(from, afterPrefix(from), false)
  }

  approximateNumEntries(): number {
    return this.entries.approximateSize()
  }

  protected entryOf(key: K) {
    return this.entries.entry(this.entries.keys.idOfKey(requireKey(key, this.entries.name)))
  }

  #rows(from: Buffer | undefined, to: Buffer | undefined, isReverse: boolean): StoreIterator<[K, V]> {
    return this.entries
      .rows(from, to, isReverse)
      .map(({ key, value, timestamp }): [K, V] => [
        this.key.read(key, 0, key.length),
        this.form.shown(value, timestamp),
      ])
  }
}

class WritableEntries<K, V> extends ReadableEntries<K, V> implements KeyValueStore<K, V> {
  readonly #present: () => number

  constructor(entries: KeyValueEntries, key: Serde<K>, form: ValueForm<V>, writer: StoreWriter) {
    super(entries, key, form)
    this.#present = () => writer.timestamp()
  }

  put(key: K, value: V | null): void {
    this.#put(this.entryOf(key), value)
  }

  putIfAbsent(key: K, value: V | null): V | undefined {
    const entry = this.entryOf(key)
    if (entry.value !== undefined) return this.form.shown(entry.value, entry.timestamp)
    this.#put(entry, value)
    return undefined
  }

  putAll(entries: Iterable<readonly [K, V | null]>): void {
    for (const [key, value] of entries) this.put(key, value)
  }

  delete(key: K): V | undefined {
    const entry = this.entryOf(key)
    if (entry.value === undefined) return undefined
    const before = this.form.shown(entry.value, entry.timestamp)
    this.#put(entry, null)
    return before
  }

  #put(entry: ReturnType<KeyValueEntries['entry']>, given: V | null | undefined): void {
    if (given === null || given === undefined) this.entries.update(entry, undefined, this.#present())
    else this.entries.update(entry, this.form.valueOf(given), this.form.timestampOf(given, this.#present))
  }
}

/** Deletes the entries that were not used for longest where there are more than a bound. After Kafka Streams' MemoryNavigableLRUCache. */
class BoundedEntries<K, V> extends WritableEntries<K, V> {
  readonly #maxEntries: number
  readonly #recency: Recency<K>

  constructor(entries: KeyValueEntries, key: Serde<K>, form: ValueForm<V>, writer: StoreWriter, maxEntries: number) {
    super(entries, key, form, writer)
    this.#maxEntries = maxEntries
    this.#recency = recencyOf(entries, () => this.#byAge())
  }

  override get(key: K): V | undefined {
    const value = super.get(key)
    if (value !== undefined) this.#recency.touch(this.#bytesOf(key), key)
    return value
  }

  override put(key: K, value: V | null): void {
    super.put(key, value)
    if (value === null || value === undefined) this.#recency.forget(this.#bytesOf(key))
    else this.#use(key)
  }

  override putIfAbsent(key: K, value: V | null): V | undefined {
    const before = super.putIfAbsent(key, value)
    if (before !== undefined || (value !== null && value !== undefined)) this.#use(key)
    return before
  }

  override delete(key: K): V | undefined {
    this.#recency.forget(this.#bytesOf(key))
    return super.delete(key)
  }

  #use(key: K): void {
    this.#recency.touch(this.#bytesOf(key), key)
    while (this.#recency.size > this.#maxEntries) this.delete(this.#recency.eldest())
  }

  #bytesOf(key: K): Buffer {
    return encodedKey(key, this.key)
  }

  #byAge(): (readonly [Buffer, K])[] {
    const rows = [...this.entries.rows(undefined, undefined, false)]
    rows.sort((a, b) => a.timestamp - b.timestamp)
    return rows.map(({ key }) => [Buffer.from(key), this.key.read(key, 0, key.length)] as const)
  }
}
