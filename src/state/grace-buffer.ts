import { readInt64 } from '../bytes/int64.ts'
import { type RecordHeader, readHeaders, sizeOfHeaders, writeHeaders } from '../record/headers.ts'
import type { Serde } from '../serde/serde.ts'
import { BTree } from './b-tree.ts'
import { compareText, textOf } from './byte-text.ts'
import type { HotEntry, KeyLayout } from './changelog-layer.ts'
import { LayeredStore } from './layered-store.ts'
import { originEnd, type RecordOrigin, readOrigin, writeOrigin } from './record-origin.ts'
import type { StoreEngine } from './store-engine.ts'

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
  readonly origin: RecordOrigin
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

const mostNumbers = 0x7fff_ffff

/**
 * Records, taken out in the order of (timestamp, key bytes, order of coming). All of them are in memory, decoded; the
 * engine only keeps them over a restart. Changelog and engine keys are Kafka's: `0 ‖ time8 ‖ key ‖ number4`.
 */
export class GraceBuffer extends LayeredStore<BufferedEntry> {
  readonly #byTime = new BTree<string, BufferedEntry>(undefined, compareText)
  #lastNumber = 0

  constructor(options: GraceBufferOptions<unknown, unknown>, engine: StoreEngine) {
    const layout: KeyLayout<BufferedEntry> = {
      writeChangelogKey: (entry, out) => {
        out.writeInt8(0)
        out.writeInt64(entry.timestamp)
        this.keys.write(entry.keyId, out)
        out.writeInt32(entry.number)
      },
    }
    super({ ...options, value: bufferedValueSerde(options.value), layout }, engine)
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

  put(keyId: number, timestamp: number, value: BufferedValue): void {
    this.#lastNumber = (this.#lastNumber + 1) & mostNumbers
    const entry = new BufferedEntry(keyId, timestamp, this.#lastNumber)
    this.#byTime.set(this.#orderOf(entry), entry)
    this.layer.update(entry, value, timestamp)
  }

  /** Hands out and takes away the records up to the timestamp, included. */
  takeUntil(timestamp: number, emit: (entry: BufferedEntry) => void): void {
    while (this.earliest <= timestamp) {
      const order = this.#byTime.minKey() as string
      const entry = this.#byTime.get(order) as BufferedEntry
      emit(entry)
      this.#byTime.delete(order)
      this.layer.update(entry, undefined, entry.timestamp)
    }
  }

  protected override boundMemory(): void {
    if (this.keys.isMostlyIdle(this.size)) {
      this.keys.keepOnly([...new Set([...this.#byTime.values(), ...this.layer.dirty])])
    }
  }

  override ready(changelogPosition: number): void {
    super.ready(changelogPosition)
    for (const { key, value } of this.engine.range(undefined, undefined)) {
      const number = key.readInt32BE(key.length - 4)
      const entry = new BufferedEntry(this.keys.idOfBytes(key, 9, key.length - 4), readInt64(key, 1), number)
      this.layer.decodeRow(value, entry)
      this.#byTime.set(textOf(key), entry)
      this.#lastNumber = Math.max(this.#lastNumber, number)
    }
  }

  #orderOf(entry: BufferedEntry): string {
    return textOf(this.layer.keyOf(entry))
  }
}

/** `origin ‖ headers4 ‖ headers ‖ value`, where headers4 counts the headers. */
function bufferedValueSerde(value: Serde<unknown>): Serde<unknown> {
  return {
    name: value.name,
    write(buffered, out) {
      const { headers, origin, value: inner } = buffered as BufferedValue
      writeOrigin(origin, out)
      out.writeInt32(headers.length)
      const at = out.reserve(sizeOfHeaders(headers))
      writeHeaders(out.buffer, at, headers)
      value.write(inner, out)
    },
    read(bytes, start, end): BufferedValue {
      const countAt = originEnd(bytes, start)
      const headers = readHeaders(bytes, countAt + 4, end, bytes.readInt32BE(countAt))
      const origin = readOrigin(bytes, start)
      return { headers, origin, value: value.read(bytes, countAt + 4 + sizeOfHeaders(headers), end) }
    },
  }
}
