import { requireFormat } from '../arguments.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import type { Serde } from '../serde/serde.ts'
import { declareLogging, versionedChangelog } from '../state/changelog-config.ts'
import {
  tooLate,
  VersionedStore as VersionedEntries,
  versionedStore as versionedEntries,
} from '../state/versioned-store.ts'
import { lastVersionAt } from '../state/versions.ts'
import { openedAs, requireKey, requireTime } from './opened-store.ts'
import {
  entryOptions,
  type StoreIterator,
  type StoreWriter,
  type TypedStore,
  type TypedStoreOptions,
} from './typed-store.ts'

export interface VersionedKeyValueStoreOptions<K, V> extends TypedStoreOptions<K, V> {
  /** How far back in event time, from the latest version that was put, versions can be looked up and put. */
  readonly historyRetention: Duration
}

/** A value and from when to when it holds, in milliseconds since 1970. */
export interface VersionedRecord<V> {
  readonly value: V
  readonly timestamp: number
  /** When the next version begins, which is not of this one any more; undefined for the latest version. */
  readonly validTo: number | undefined
}

/** Which versions of a key. */
export interface VersionRange {
  /** Versions that hold then or later. Default: all that are kept. */
  readonly from?: number
  /** Versions that begin then or earlier. Default: no bound. */
  readonly to?: number
  /** From the latest version back. Default: false. */
  readonly reverse?: boolean
}

/** Reads the versions of each key's value. Objects are the store's own: they are not to be changed. */
export interface ReadOnlyVersionedKeyValueStore<in out K, out V> {
  /**
   * The latest version; with `asOf` the one that held then. undefined where there was none, it was deleted, or `asOf` is
   * earlier than the history goes back, unless the latest version held then.
   */
  get(key: K, asOf?: number): VersionedRecord<V> | undefined
  /** The versions of a key by their timestamps, without deletions. After Kafka Streams' MultiVersionedKeyQuery (KIP-968). */
  versions(key: K, range?: VersionRange): StoreIterator<VersionedRecord<V>>
}

/** Reads and writes the versions of each key's value. After Kafka Streams' VersionedKeyValueStore (KIP-889). */
export interface VersionedKeyValueStore<in out K, in out V> extends ReadOnlyVersionedKeyValueStore<K, V> {
  /**
   * Puts a version, also between others; null deletes from then on, and one of the same timestamp is replaced. Returns when it
   * ends to hold: infinite for the latest version, undefined where it is older than the history goes back and was not put,
   * which is counted.
   */
  put(key: K, value: V | null, timestamp: number): number | undefined
  /** Deletes from the time on, until the next version; returns the version that held then. One that is too old is not put, and counted. */
  delete(key: K, timestamp: number): VersionedRecord<V> | undefined
}

type Declared<K, V> = TypedStore<VersionedKeyValueStore<K, V>, ReadOnlyVersionedKeyValueStore<K, V>>

/** Declares a store of the versions of each key's value. Its changelog is compacted only beyond the history. */
export function versionedKeyValueStore<K, V>(
  name: string,
  options: VersionedKeyValueStoreOptions<K, V>,
): Declared<K, V> {
  requireFormat(`versionedKeyValueStore('${name}', ...)`, options)
  const { key, engine, logging } = options
  const historyRetentionMs = toMilliseconds(options.historyRetention, 'history retention')
  return {
    name,
    ...declareLogging(versionedChangelog(historyRetentionMs), logging),
    engine,
    create: versionedEntries({ name, ...entryOptions(options), historyRetentionMs }),
    open: (store, writer) => new WritableVersions(openedAs(store, VersionedEntries), key, writer),
    openReadOnly: (store) => new ReadableVersions(openedAs(store, VersionedEntries), key),
  }
}

class ReadableVersions<K, V> implements ReadOnlyVersionedKeyValueStore<K, V> {
  protected readonly entries: VersionedEntries
  protected readonly key: Serde<K>

  constructor(entries: VersionedEntries, key: Serde<K>) {
    this.entries = entries
    this.key = key
  }

  get(key: K, asOf?: number): VersionedRecord<V> | undefined {
    const { entries } = this
    const keyId = this.keyId(key)
    const version =
      asOf === undefined ? entries.latest(keyId) : entries.asOf(keyId, requireTime(asOf, 'time', entries.name))
    if (version === undefined) return undefined
    const versions = entries.versions(keyId)
    return this.#record(versions, lastVersionAt(versions, version.timestamp))
  }

  versions(key: K, { from = 0, to = Infinity, reverse = false }: VersionRange = {}): StoreIterator<VersionedRecord<V>> {
    const earliest = Math.max(from, this.entries.earliest)
    const versions = [...this.entries.versions(this.keyId(key))]
    const found = versions
      .map((_, at) => at)
      .filter((at) => {
        const validTo = versions[at + 1]?.timestamp ?? Infinity
        return versions[at]?.value !== undefined && (versions[at]?.timestamp as number) <= to && validTo > earliest
      })
    if (reverse) found.reverse()
    return found.values().map((at) => this.#record(versions, at))
  }

  protected keyId(key: K): number {
    return this.entries.keys.idOfKey(requireKey(key, this.entries.name))
  }

  #record(versions: ReturnType<VersionedEntries['versions']>, at: number): VersionedRecord<V> {
    const { timestamp, value } = versions[at] as (typeof versions)[number]
    return { value: value as V, timestamp, validTo: versions[at + 1]?.timestamp }
  }
}

class WritableVersions<K, V> extends ReadableVersions<K, V> implements VersionedKeyValueStore<K, V> {
  readonly #writer: StoreWriter

  constructor(entries: VersionedEntries, key: Serde<K>, writer: StoreWriter) {
    super(entries, key)
    this.#writer = writer
  }

  put(key: K, value: V | null, timestamp: number): number | undefined {
    requireTime(timestamp, 'timestamp', this.entries.name)
    const validTo = this.entries.put(this.keyId(key), value, timestamp)
    if (validTo !== tooLate) return validTo
    this.#writer.expired()
    return undefined
  }

  delete(key: K, timestamp: number): VersionedRecord<V> | undefined {
    requireTime(timestamp, 'timestamp', this.entries.name)
    const before = timestamp < this.entries.earliest ? undefined : this.get(key, timestamp)
    this.put(key, null, timestamp)
    return before
  }
}
