import type { Serde } from '../serde/serde.ts'
import { ChangelogLayer, type HotEntry, type KeyLayout, type StoredRow } from './changelog-layer.ts'
import type { ChangelogRecord, ChangelogSink, ChangelogValue, StateStore } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import { type RecordKey, StoreKeys } from './store-keys.ts'
import { defaultHotEntries } from './store-layout.ts'

export interface KeyValueStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** How many keys are kept in memory beyond a commit. Default: 1,000,000. */
  readonly hotEntries?: number
}

/** Makes stores of one value for each key: Kafka Streams' TimestampedKeyValueStore. */
export function keyValueStore<K, V>(options: KeyValueStoreOptions<K, V>): (engine: StoreEngine) => KeyValueStore {
  return (engine) => new KeyValueStore(options, engine)
}

/** The value of one key. Change it by `KeyValueStore.update` only. */
export class KeyValueEntry implements HotEntry {
  keyId: number
  value: unknown = undefined
  timestamp = 0
  dirty = false
  logged = false

  constructor(keyId: number) {
    this.keyId = keyId
  }
}

/**
 * A value for each key. Engine and changelog have the key's own bytes. Memory is bounded at each commit, as a
 * WindowStore's is.
 */
export class KeyValueStore implements StateStore {
  readonly name: string
  readonly keys: StoreKeys
  readonly #engine: StoreEngine
  readonly #layer: ChangelogLayer<KeyValueEntry>
  readonly #hotEntries: number
  /** By key id. */
  #entries: KeyValueEntry[] = []
  /** Whether the engine has no rows at all, so that it need not be asked. */
  #engineIsEmpty = false

  constructor(options: KeyValueStoreOptions<unknown, unknown>, engine: StoreEngine) {
    this.name = options.name
    this.keys = new StoreKeys(options.key)
    this.#engine = engine
    this.#hotEntries = options.hotEntries ?? defaultHotEntries
    const layout: KeyLayout<KeyValueEntry> = {
      writeChangelogKey: (entry, out) => this.keys.write(entry.keyId, out),
      writeEngineKey: (changelogKey, out) => out.writeBytes(changelogKey),
      isLive: () => true,
    }
    this.#layer = new ChangelogLayer({ store: this.name, engine, layout, value: options.value })
  }

  /** The id of the record's key, valid until the next commit. */
  keyId(record: RecordKey): number {
    return this.keys.idOf(record)
  }

  /** The entry of the key; its value is undefined where there is none. */
  entry(keyId: number): KeyValueEntry {
    const entries = this.#entries
    while (entries.length <= keyId) entries.push(this.#load(entries.length))
    return entries[keyId] as KeyValueEntry
  }

  /** Sets the entry's value; undefined or null deletes. */
  update(entry: KeyValueEntry, value: unknown, timestamp: number): void {
    this.#layer.update(entry, value, timestamp)
  }

  /** The value of a key, as operators see it now. */
  get(key: unknown): { readonly value: unknown; readonly timestamp: number } | undefined {
    const entry = this.entry(this.keys.idOfKey(key))
    return entry.value === undefined ? undefined : { value: entry.value, timestamp: entry.timestamp }
  }

  /** The rows with `from <= key < to` by their keys' bytes; see ChangelogLayer. */
  rows(from: Buffer | undefined, to: Buffer | undefined, isReverse: boolean): Generator<StoredRow, undefined> {
    return this.#layer.rows(from, to, isReverse)
  }

  approximateSize(): number {
    return this.#layer.approximateSize()
  }

  flush(changelog: ChangelogSink): void {
    this.#layer.flush(changelog)
  }

  commit(changelogPosition: number): void {
    this.#layer.commit(changelogPosition)
    if (this.keys.size > this.#hotEntries) this.#forgetClean()
  }

  position(): number {
    return this.#layer.position()
  }

  restore(record: ChangelogRecord): void {
    this.#layer.restore(record)
  }

  committed(key: Buffer): ChangelogValue | undefined {
    return this.#layer.committed(key)
  }

  ready(changelogPosition: number): void {
    this.#layer.ready(changelogPosition)
    this.#engineIsEmpty = this.#engine.isEmpty()
  }

  close(): void {
    this.#engine.close()
  }

  #load(keyId: number): KeyValueEntry {
    const entry = new KeyValueEntry(keyId)
    if (!this.#engineIsEmpty) this.#layer.load(entry)
    return entry
  }

  #forgetClean(): void {
    const kept = [...this.#layer.dirty]
    this.keys.keepOnly(kept)
    // Ids are given anew in the order of `kept`, so that the array stays dense.
    this.#entries = kept
    // What was forgotten must be read again, and the commit before this wrote it to the engine.
    this.#engineIsEmpty = false
  }
}
