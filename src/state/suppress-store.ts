import { readInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'
import { BTree } from './b-tree.ts'
import { ChangelogLayer, type HotEntry, type KeyLayout } from './changelog-layer.ts'
import type { ChangelogRecord, ChangelogSink, ChangelogValue, StateStore } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import { type RecordKey, StoreKeys } from './store-keys.ts'
import { endsInNumbers } from './store-layout.ts'

export interface SuppressStoreOptions<K, V> {
  readonly name: string
  /** The serde of the key without its window. */
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** Makes buffers of results whose windows are open: Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer. */
export function suppressStore<K, V>(options: SuppressStoreOptions<K, V>): (engine: StoreEngine) => SuppressStore {
  return (engine) => new SuppressStore(options, engine)
}

/** The last value of one windowed key. */
export class SuppressEntry implements HotEntry {
  keyId: number
  start: number
  end: number
  value: unknown = undefined
  timestamp = 0
  dirty = false
  logged = false

  constructor(keyId: number, start: number, end: number) {
    this.keyId = keyId
    this.start = start
    this.end = end
  }
}

/** Keys that nothing is buffered for any more are forgotten when they are this many and outnumber the others. */
const leastForgottenKeys = 1_024

/**
 * The last value of each windowed key, taken out in the order of (window end, key bytes, window start).
 *
 * The whole buffer is in memory, decoded; the engine (`end8 ‖ key ‖ start8`) only keeps it over a restart, and `ready`
 * reads it back. Changelog: `key ‖ end8 ‖ start8`, Kafka's form of keys in sessions, for both kinds of windows.
 */
export class SuppressStore implements StateStore {
  readonly name: string
  readonly keys: StoreKeys
  readonly #engine: StoreEngine
  readonly #layer: ChangelogLayer<SuppressEntry>
  /** By key id; a key has few open windows. */
  #byKey: SuppressEntry[][] = []
  readonly #byEnd = new BTree<number, Set<SuppressEntry>>()
  #size = 0
  #earliestEnd = Number.POSITIVE_INFINITY

  constructor(options: SuppressStoreOptions<unknown, unknown>, engine: StoreEngine) {
    this.name = options.name
    this.keys = new StoreKeys(options.key)
    this.#engine = engine
    const layout = suppressLayout(this.name, this.keys)
    this.#layer = new ChangelogLayer({ store: this.name, engine, layout, value: options.value })
  }

  /** How many values are buffered. */
  get size(): number {
    return this.#size
  }

  /** The end of the window that ends first; infinite where nothing is buffered. */
  get earliestEnd(): number {
    return this.#earliestEnd
  }

  /** The id of the record's key without its window, valid until the next commit. */
  keyId(record: RecordKey): number {
    return this.keys.idOfInner(record)
  }

  /** Whether a value is buffered for the key and window. */
  has(keyId: number, start: number, end: number): boolean {
    return this.#find(keyId, start, end) !== undefined
  }

  /** Buffers the value; it takes the place of one that is buffered for the same key and window. */
  put(keyId: number, start: number, end: number, value: unknown, timestamp: number): void {
    const entry = this.#find(keyId, start, end) ?? this.#add(keyId, start, end)
    this.#layer.update(entry, value, timestamp)
  }

  /** Takes the value of the key and window away, where there is one. */
  remove(keyId: number, start: number, end: number): void {
    const entry = this.#find(keyId, start, end)
    if (entry !== undefined) this.#remove(entry)
  }

  /** Hands out and takes away the values of all windows that end at or before the time. */
  evict(until: number, emit: (entry: SuppressEntry) => void): void {
    while (this.#earliestEnd <= until) {
      const entries = [...(this.#byEnd.get(this.#earliestEnd) as Set<SuppressEntry>)]
      entries.sort((left, right) => this.keys.compare(left.keyId, right.keyId) || left.start - right.start)
      for (const entry of entries) {
        emit(entry)
        this.#remove(entry)
      }
    }
  }

  flush(changelog: ChangelogSink): void {
    this.#layer.flush(changelog)
  }

  commit(changelogPosition: number): void {
    this.#layer.commit(changelogPosition)
    if (this.keys.size - this.#size >= Math.max(leastForgottenKeys, this.#size)) this.#forgetKeys()
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
    for (const { key, value } of this.#engine.range(undefined, undefined)) {
      const keyId = this.keys.idOfBytes(key, 8, key.length - 8)
      this.#layer.decodeRow(value, this.#add(keyId, readInt64(key, key.length - 8), readInt64(key, 0)))
    }
  }

  close(): void {
    this.#engine.close()
  }

  #find(keyId: number, start: number, end: number): SuppressEntry | undefined {
    const entries = this.#byKey[keyId]
    if (entries === undefined) return undefined
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i] as SuppressEntry
      if (entry.end === end && entry.start === start) return entry
    }
    return undefined
  }

  #add(keyId: number, start: number, end: number): SuppressEntry {
    const entry = this.#layer.takeSpare() ?? new SuppressEntry(keyId, start, end)
    entry.keyId = keyId
    entry.start = start
    entry.end = end
    while (this.#byKey.length <= keyId) this.#byKey.push([])
    ;(this.#byKey[keyId] as SuppressEntry[]).push(entry)
    const sameEnd = this.#byEnd.get(end)
    if (sameEnd === undefined) this.#byEnd.set(end, new Set([entry]))
    else sameEnd.add(entry)
    this.#size++
    if (end < this.#earliestEnd) this.#earliestEnd = end
    return entry
  }

  #remove(entry: SuppressEntry): void {
    const entries = this.#byKey[entry.keyId] as SuppressEntry[]
    entries.splice(entries.indexOf(entry), 1)
    const sameEnd = this.#byEnd.get(entry.end) as Set<SuppressEntry>
    sameEnd.delete(entry)
    if (sameEnd.size === 0) {
      this.#byEnd.delete(entry.end)
      if (entry.end === this.#earliestEnd) this.#earliestEnd = this.#byEnd.minKey() ?? Number.POSITIVE_INFINITY
    }
    this.#size--
    this.#layer.remove(entry)
  }

  #forgetKeys(): void {
    const buffered = this.#byKey.flat()
    this.keys.keepOnly([...new Set([...buffered, ...this.#layer.dirty])])
    this.#byKey = []
    for (const entry of buffered) {
      while (this.#byKey.length <= entry.keyId) this.#byKey.push([])
      ;(this.#byKey[entry.keyId] as SuppressEntry[]).push(entry)
    }
  }
}

function suppressLayout(store: string, keys: StoreKeys): KeyLayout<SuppressEntry> {
  return {
    writeChangelogKey(entry, out) {
      keys.write(entry.keyId, out)
      out.writeInt64(entry.end)
      out.writeInt64(entry.start)
    },
    writeEngineKey(changelogKey, out) {
      const keyEnd = endsInNumbers(store, changelogKey, 16)
      out.writeRange(changelogKey, keyEnd, keyEnd + 8)
      out.writeRange(changelogKey, 0, keyEnd)
      out.writeRange(changelogKey, keyEnd + 8, keyEnd + 16)
    },
    isLive: () => true,
  }
}
