import { readInt64 } from '../bytes/int64.ts'
import { type RecordHeader, readHeaders, sizeOfHeaders, writeHeaders } from '../record/headers.ts'
import type { Serde } from '../serde/serde.ts'
import { BTree } from './b-tree.ts'
import { compareText, textOf } from './byte-text.ts'
import { ChangelogLayer, type HotEntry, type KeyLayout } from './changelog-layer.ts'
import type { ChangelogRecord, ChangelogSink, ChangelogValue, StateStore } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import { type RecordKey, StoreKeys } from './store-keys.ts'

export interface GraceBufferOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** Makes buffers of records that wait until event time has passed them by a grace period: Kafka Streams' RocksDBTimeOrderedKeyValueBuffer. */
export function graceBuffer<K, V>(options: GraceBufferOptions<K, V>): (engine: StoreEngine) => GraceBuffer {
  return (engine) => new GraceBuffer(options, engine)
}

/** What is kept of a record beside its key and timestamp. */
export interface BufferedValue {
  readonly value: unknown
  readonly headers: readonly RecordHeader[]
}

/** A record that waits. */
export class BufferedEntry implements HotEntry {
  keyId: number
  readonly timestamp: number
  /** Tells records of one key and time apart. */
  readonly number: number
  /** BufferedValue. */
  value: unknown = undefined
  dirty = false
  logged = false

  constructor(keyId: number, timestamp: number, number: number) {
    this.keyId = keyId
    this.timestamp = timestamp
    this.number = number
  }

  get buffered(): BufferedValue {
    return this.value as BufferedValue
  }
}

/** Keys that nothing is buffered for any more are forgotten when they are this many and outnumber the others. */
const leastForgottenKeys = 1_024
const mostNumbers = 0x7fff_ffff

/**
 * Records, taken out in the order of (timestamp, key bytes, order of coming). All of them are in memory, decoded; the
 * engine only keeps them over a restart. Changelog and engine keys are Kafka's: `0 ‖ time8 ‖ key ‖ number4`.
 */
export class GraceBuffer implements StateStore {
  readonly name: string
  readonly keys: StoreKeys
  readonly #engine: StoreEngine
  readonly #layer: ChangelogLayer<BufferedEntry>
  readonly #layout: KeyLayout<BufferedEntry>
  readonly #byTime = new BTree<string, BufferedEntry>(undefined, compareText)
  #lastNumber = 0

  constructor(options: GraceBufferOptions<unknown, unknown>, engine: StoreEngine) {
    this.name = options.name
    this.keys = new StoreKeys(options.key)
    this.#engine = engine
    this.#layout = {
      writeChangelogKey: (entry, out) => {
        out.writeInt8(0)
        out.writeInt64(entry.timestamp)
        this.keys.write(entry.keyId, out)
        out.writeInt32(entry.number)
      },
      writeEngineKey: (changelogKey, out) => out.writeBytes(changelogKey),
      isLive: () => true,
    }
    this.#layer = new ChangelogLayer({
      store: this.name,
      engine,
      layout: this.#layout,
      value: withHeaders(options.value),
    })
  }

  /** How many records are buffered. */
  get size(): number {
    return this.#byTime.size
  }

  /** The timestamp of the earliest record; infinite where there is none. */
  get earliest(): number {
    const first = this.#byTime.minKey()
    return first === undefined ? Number.POSITIVE_INFINITY : (this.#byTime.get(first) as BufferedEntry).timestamp
  }

  /** The id of the record's key, valid until the next commit. */
  keyId(record: RecordKey): number {
    return this.keys.idOf(record)
  }

  put(keyId: number, timestamp: number, value: BufferedValue): void {
    this.#lastNumber = (this.#lastNumber + 1) & mostNumbers
    const entry = new BufferedEntry(keyId, timestamp, this.#lastNumber)
    this.#byTime.set(this.#orderOf(entry), entry)
    this.#layer.update(entry, value, timestamp)
  }

  /** Hands out and takes away the records up to the timestamp, included. */
  takeUntil(timestamp: number, emit: (entry: BufferedEntry) => void): void {
    while (this.earliest <= timestamp) {
      const order = this.#byTime.minKey() as string
      const entry = this.#byTime.get(order) as BufferedEntry
      emit(entry)
      this.#byTime.delete(order)
      this.#layer.update(entry, undefined, entry.timestamp)
    }
  }

  flush(changelog: ChangelogSink): void {
    this.#layer.flush(changelog)
  }

  commit(changelogPosition: number): void {
    this.#layer.commit(changelogPosition)
    if (this.keys.size - this.size >= Math.max(leastForgottenKeys, this.size)) {
      this.keys.keepOnly([...new Set([...this.#byTime.values(), ...this.#layer.dirty])])
    }
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
      const number = key.readInt32BE(key.length - 4)
      const entry = new BufferedEntry(this.keys.idOfBytes(key, 9, key.length - 4), readInt64(key, 1), number)
      this.#layer.decodeRow(value, entry)
      this.#byTime.set(textOf(key), entry)
      this.#lastNumber = Math.max(this.#lastNumber, number)
    }
  }

  close(): void {
    this.#engine.close()
  }

  #orderOf(entry: BufferedEntry): string {
    return textOf(this.#layer.keyOf(entry))
  }
}

/** `headers4 ‖ headers ‖ value`, where headers4 counts the headers. */
function withHeaders(value: Serde<unknown>): Serde<unknown> {
  return {
    name: value.name,
    write(buffered, out) {
      const { headers, value: inner } = buffered as BufferedValue
      out.writeInt32(headers.length)
      const at = out.reserve(sizeOfHeaders(headers))
      writeHeaders(out.buffer, at, headers)
      value.write(inner, out)
    },
    read(bytes, start, end): BufferedValue {
      const count = bytes.readInt32BE(start)
      const headers = readHeaders(bytes, start + 4, end, count)
      return { headers, value: value.read(bytes, start + 4 + sizeOfHeaders(headers), end) }
    },
  }
}
