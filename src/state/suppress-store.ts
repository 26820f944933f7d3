import { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import type { RecordHeader } from '../record/headers.ts'
import type { Serde } from '../serde/serde.ts'
import { BTree } from './b-tree.ts'
import { type BufferedRow, bufferedRowSerde } from './buffered-row.ts'
import type { HotEntry, KeyLayout } from './changelog-layer.ts'
import { LayeredStore } from './layered-store.ts'
import type { RecordOrigin } from './record-origin.ts'
import type { StoreEngine } from './store-engine.ts'
import type { RecordKey, StoreKeys } from './store-keys.ts'
import { endsInNumbers } from './store-layout.ts'

export interface SuppressStoreOptions<K, V> {
  readonly name: string
  /** The serde of the key without its window. */
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** How the windows of keys stand in the changelog's keys; `'none'` where keys have none, or where the key's serde writes them. */
  readonly windows: 'time' | 'session' | 'none'
  /** Of time windows, from a window's start to its end. */
  readonly sizeMs?: number
  /** Whether `bytes` is kept, for which every value is encoded when it comes. Default: false. */
  readonly measuresBytes?: boolean
}

/** What is buffered of a record. The name of the topic that it comes from counts for the bytes, as in Kafka Streams. */
export interface TableUpdate extends RecordOrigin {
  readonly timestamp: number
  readonly oldValue: unknown
  /** null deletes. */
  value(): unknown
  headers(): readonly RecordHeader[]
}

/** Makes buffers of updates that wait: Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer. */
export function suppressStore<K, V>(options: SuppressStoreOptions<K, V>): (engine: StoreEngine) => SuppressStore {
  return (engine) => new SuppressStore(options, engine)
}

/** The last update of one key, windowed or not. */
export class SuppressEntry implements HotEntry {
  keyId: number
  /** The window, where there is one. */
  start: number
  end: number
  value: BufferedRow | undefined = undefined
  /** Event time of the update. */
  timestamp = 0
  dirty = false
  logged = false

  constructor(keyId: number, start: number, end: number) {
    this.keyId = keyId
    this.start = start
    this.end = end
  }
}

/** What Kafka Streams counts for each row besides key, values, topic and headers: times, offset and partition. */
const fixedBytes = 8 + 8 + 8 + 4

/**
 * The last update of each key, with the value that was handed on before it, taken out in the order of (time, key bytes,
 * window). A later update takes the place of an earlier one, and leaves its time as it is.
 *
 * The whole buffer is in memory, decoded; the engine only keeps it over a restart, and `ready` reads it back. Keys of both
 * are Kafka's: the key, then `start8` of a time window or `end8 ‖ start8` of a session. Values are bufferedRowSerde's.
 */
export class SuppressStore extends LayeredStore<SuppressEntry> {
  readonly #windows: 'time' | 'session' | 'none'
  readonly #sizeMs: number
  /** Where values are encoded to be measured; undefined where nothing is measured. */
  readonly #measure: ByteWriter | undefined
  readonly #value: Serde<unknown>
  /** By key id; a key has few windows that wait. */
  #byKey: SuppressEntry[][] = []
  readonly #byTime = new BTree<number, Set<SuppressEntry>>()
  #size = 0
  #bytes = 0
  #earliest = Number.POSITIVE_INFINITY
  /** The entries of the earliest time, the last of them being the first to go, and some that were removed; undefined until it is asked for. */
  #order: SuppressEntry[] | undefined = undefined

  constructor(options: SuppressStoreOptions<unknown, unknown>, engine: StoreEngine) {
    const layout: KeyLayout<SuppressEntry> = {
      writeChangelogKey: (entry, out) => writeChangelogKey(this.keys, options.windows, entry, out),
    }
    super({ ...options, value: bufferedRowSerde(options.value) as Serde<unknown>, layout }, engine)
    this.#windows = options.windows
    this.#sizeMs = options.sizeMs ?? 0
    this.#measure = options.measuresBytes === true ? new ByteWriter(1_024) : undefined
    this.#value = options.value
  }

  /** How many updates wait. */
  get size(): number {
    return this.#size
  }

  /** What they take by Kafka Streams' measure: the bytes of keys, values and headers, and a little for each. */
  get bytes(): number {
    return this.#bytes
  }

  /** The time of the update that goes first; infinite where nothing is buffered. */
  get earliest(): number {
    return this.#earliest
  }

  override get hasWindows(): boolean {
    return this.#windows !== 'none'
  }

  /** The id of the record's key without its window, valid until the next commit. */
  override keyId(record: RecordKey): number {
    return this.hasWindows ? this.keys.idOfInner(record) : this.keys.idOf(record)
  }

  /** What waits for the key and window; undefined where nothing does. */
  find(keyId: number, start: number, end: number): SuppressEntry | undefined {
    const entries = this.#byKey[keyId]
    if (entries === undefined) return undefined
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i] as SuppressEntry
      if (entry.end === end && entry.start === start) return entry
    }
    return undefined
  }

  /** Adds a place for the key and window, which nothing waits for yet, to be filled by `update`. */
  add(keyId: number, start: number, end: number, row: BufferedRow): SuppressEntry {
    const entry = this.layer.takeSpare() ?? new SuppressEntry(keyId, start, end)
    entry.keyId = keyId
    entry.start = start
    entry.end = end
    entry.value = row
    this.#insert(entry, row.time)
    return entry
  }

  /** Sets the update that waits. */
  update(entry: SuppressEntry, update: TableUpdate): void {
    const row = entry.value as BufferedRow
    row.value = update.value()
    row.headers = update.headers()
    row.takeOrigin(update)
    this.layer.update(entry, row, update.timestamp)
    if (this.#measure !== undefined)
      this.#setBytes(row, this.#sizeOf(entry, row, update.oldValue) + update.topic.length)
  }

  /** The update that goes first. There is one. */
  first(): SuppressEntry {
    const entries = this.#byTime.get(this.#earliest) as Set<SuppressEntry>
    this.#order ??= [...entries].sort(
      (a, b) => this.keys.compare(b.keyId, a.keyId) || b.end - a.end || b.start - a.start,
    )
    const order = this.#order
    while (!entries.has(order[order.length - 1] as SuppressEntry)) order.pop()
    return order[order.length - 1] as SuppressEntry
  }

  remove(entry: SuppressEntry): void {
    const row = entry.value as BufferedRow
    const entries = this.#byKey[entry.keyId] as SuppressEntry[]
    entries.splice(entries.indexOf(entry), 1)
    const sameTime = this.#byTime.get(row.time) as Set<SuppressEntry>
    sameTime.delete(entry)
    if (sameTime.size === 0) {
      this.#byTime.delete(row.time)
      if (row.time === this.#earliest) this.#setEarliest(this.#byTime.minKey() ?? Number.POSITIVE_INFINITY)
    }
    this.#size--
    this.#bytes -= row.bytes
    this.layer.remove(entry)
  }

  protected override boundMemory(): void {
    if (this.keys.isMostlyIdle(this.#size)) this.#forgetKeys()
  }

  override ready(changelogPosition: number): void {
    super.ready(changelogPosition)
    for (const { key, value } of this.engine.range(undefined, undefined)) {
      const entry = this.#entryOf(key)
      this.layer.decodeRow(value, entry)
      const row = entry.value as unknown as BufferedRow
      this.#insert(entry, row.time)
      this.#bytes += row.bytes
    }
  }

  #entryOf(changelogKey: Buffer): SuppressEntry {
    const keyEnd = endsInNumbers(this.name, changelogKey, windowBytes[this.#windows])
    const keyId = this.keys.idOfBytes(changelogKey, 0, keyEnd)
    if (this.#windows === 'none') return new SuppressEntry(keyId, 0, 0)
    const first = readInt64(changelogKey, keyEnd)
    if (this.#windows === 'session') return new SuppressEntry(keyId, readInt64(changelogKey, keyEnd + 8), first)
    return new SuppressEntry(keyId, first, Math.min(first + this.#sizeMs, Number.MAX_SAFE_INTEGER))
  }

  #insert(entry: SuppressEntry, time: number): void {
    while (this.#byKey.length <= entry.keyId) this.#byKey.push([])
    ;(this.#byKey[entry.keyId] as SuppressEntry[]).push(entry)
    const sameTime = this.#byTime.get(time)
    if (sameTime === undefined) this.#byTime.set(time, new Set([entry]))
    else sameTime.add(entry)
    this.#size++
    if (time <= this.#earliest) this.#setEarliest(time)
  }

  #setEarliest(time: number): void {
    this.#earliest = time
    this.#order = undefined
  }

  #setBytes(row: BufferedRow, bytes: number): void {
    this.#bytes += bytes - row.bytes
    row.bytes = bytes
  }

  /** Kafka Streams' measure, but for the topic. An old value that is the prior one counts once. */
  #sizeOf(entry: SuppressEntry, row: BufferedRow, oldValue: unknown): number {
    const out = this.#measure as ByteWriter
    out.clear()
    if (row.value !== null) this.#value.write(row.value, out)
    const priorAt = out.length
    if (row.prior !== undefined) this.#value.write(row.prior, out)
    const oldAt = out.length
    if (oldValue !== undefined) this.#value.write(oldValue, out)
    const bytes = out.buffer
    const isPrior = bytes.compare(bytes, oldAt, out.length, priorAt, oldAt) === 0
    let size = fixedBytes + windowBytes[this.#windows] + (isPrior ? oldAt : out.length)
    size += this.keys.endOf(entry.keyId) - this.keys.startOf(entry.keyId)
    for (const { key, value } of row.headers) size += key.length + (value === null ? 0 : value.length)
    return size
  }

  #forgetKeys(): void {
    const buffered = this.#byKey.flat()
    this.keys.keepOnly([...new Set([...buffered, ...this.layer.dirty])])
    this.#byKey = []
    for (const entry of buffered) {
      while (this.#byKey.length <= entry.keyId) this.#byKey.push([])
      ;(this.#byKey[entry.keyId] as SuppressEntry[]).push(entry)
    }
  }
}

const windowBytes = { time: 8, session: 16, none: 0 } as const

function writeChangelogKey(
  keys: StoreKeys,
  windows: SuppressStoreOptions<unknown, unknown>['windows'],
  entry: SuppressEntry,
  out: ByteWriter,
): void {
  keys.write(entry.keyId, out)
  if (windows === 'session') out.writeInt64(entry.end)
  if (windows !== 'none') out.writeInt64(entry.start)
}
