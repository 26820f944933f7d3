import type { KeyLookup, KeysAhead } from '../record/keys-ahead.ts'
import type { Serde } from '../serde/serde.ts'
import type { HotEntry, KeyLayout, StoredRow } from './changelog-layer.ts'
import { LayeredStore } from './layered-store.ts'
import type { StoreEngine } from './store-engine.ts'

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

/** What the higher of two integers of 32 bits counts. */
const highUnit = 4_294_967_296

/** The value of one key. Change it by `KeyValueStore.update` only. */
export class KeyValueEntry implements HotEntry {
  keyId: number
  value: unknown = undefined
  /** The timestamp, as two integers of 32 bits: V8 keeps a larger number in an object of its own, one more place in memory to wait for. */
  #timeHigh = 0
  #timeLow = 0
  dirty = false
  logged = false

  constructor(keyId: number) {
    this.keyId = keyId
  }

  get timestamp(): number {
    return this.#timeHigh * highUnit + (this.#timeLow >>> 0)
  }

  set timestamp(timestamp: number) {
    const high = Math.floor(timestamp / highUnit)
    this.#timeHigh = high | 0
    this.#timeLow = (timestamp - high * highUnit) | 0
  }
}

/**
 * A value for each key. Engine and changelog have the key's own bytes. Memory is bounded at each commit, as a
 * WindowStore's is.
 */
export class KeyValueStore extends LayeredStore<KeyValueEntry> implements KeyLookup {
  /** By key id. */
  #entries: KeyValueEntry[] = []
  /** Of no meaning: it is there so that the compiler does not leave out looking at entries. */
  looked = 0
  /** Whether the engine has no rows at all, so that it need not be asked. */
  #engineIsEmpty = false

  constructor(options: KeyValueStoreOptions<unknown, unknown>, engine: StoreEngine) {
    const layout: KeyLayout<KeyValueEntry> = {
      writeChangelogKey: (entry, out) => this.keys.write(entry.keyId, out),
    }
    super({ ...options, layout }, engine)
  }

  /** The entry of the key; its value is undefined where there is none. */
  entry(keyId: number): KeyValueEntry {
    const entries = this.#entries
    while (entries.length <= keyId) entries.push(this.#load(entries.length))
    return entries[keyId] as KeyValueEntry
  }

  get expectsKeys(): boolean {
    return this.keys.areMany
  }

  expectKeys(keys: KeysAhead): void {
    const ids = this.keys.expect(keys)
    if (ids === undefined) return
    const entries = this.#entries
    let looked = 0
    for (let i = 0; i < keys.count; i++) {
      const id = ids[i]
      // An entry may lie in two lines of the cache: its first field is in one, its last field in the other.
      if (id >= 0 && id < entries.length) looked += entries[id].keyId + (entries[id].logged ? 1 : 0)
    }
    this.looked = looked
  }

  /** Sets the entry's value; undefined or null deletes. */
  update(entry: KeyValueEntry, value: unknown, timestamp: number): void {
    this.layer.update(entry, value, timestamp)
  }

  /** The value of a key, as operators see it now. */
  get(key: unknown): { readonly value: unknown; readonly timestamp: number } | undefined {
    const entry = this.entry(this.keys.idOfKey(key))
    return entry.value === undefined ? undefined : { value: entry.value, timestamp: entry.timestamp }
  }

  /** The rows with `from <= key < to` by their keys' bytes; see ChangelogLayer. */
  rows(from: Buffer | undefined, to: Buffer | undefined, isReverse: boolean): Generator<StoredRow, undefined> {
    return this.layer.rows(from, to, isReverse)
  }

  approximateSize(): number {
    return this.layer.approximateSize()
  }

  override ready(changelogPosition: number): void {
    super.ready(changelogPosition)
    this.#engineIsEmpty = this.engine.isEmpty()
  }

  #load(keyId: number): KeyValueEntry {
    const entry = new KeyValueEntry(keyId)
    if (!this.#engineIsEmpty) this.layer.load(entry)
    return entry
  }

  protected override forgetClean(): void {
    const kept = [...this.layer.dirty]
    this.keys.keepOnly(kept)
    // Ids are given anew in the order of `kept`, so that the array stays dense.
    this.#entries = kept
    // What was forgotten must be read again, and the commit before this wrote it to the engine.
    this.#engineIsEmpty = false
  }
}
