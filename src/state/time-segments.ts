import { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import type { StoreEngine } from './store-engine.ts'
import type { StoreKeys } from './store-keys.ts'
import { timeKey } from './store-layout.ts'

/** A segment is half the retention long and at least a minute, as Kafka Streams' are. */
const smallestSegmentMs = 60_000
/** Comes after all rows: their first byte is below 0x80. */
export const afterRows: Buffer = Buffer.from([0xff])
/** Holds the segment length that the rows were written with. */
const lengthKey = Buffer.from([0xff, 1])

/**
 * Time cut into segments, whose number begins an engine's keys: the rows of a key are then one short range in each of the
 * two or three segments that are kept, and what has expired is dropped by whole segments. Where the segment length changed
 * with the retention, the engine is emptied, and the changelog restores it.
 */
export class TimeSegments {
  readonly #lengthMs: number
  readonly #engine: StoreEngine
  /** Those that have rows in the engine or in the batch on its way there. */
  #used = new Set<number>()
  /** Segments before this one are forgotten. */
  #firstLive = 0
  readonly #rangeKey = new ByteWriter(256)

  constructor(retentionMs: number, engine: StoreEngine) {
    this.#lengthMs = Math.max(smallestSegmentMs, Math.ceil(retentionMs / 2))
    this.#engine = engine
    this.#requireLength()
    this.find()
  }

  of(time: number): number {
    return Math.floor(time / this.#lengthMs)
  }

  /** Begins an engine's key: `segment8 ‖ keyLength4 ‖ key`, where the key is `bytes[0..keyEnd)`. */
  writeStart(time: number, bytes: Buffer, keyEnd: number, out: ByteWriter): void {
    out.writeInt64(this.of(time))
    out.writeInt32(keyEnd)
    out.writeRange(bytes, 0, keyEnd)
  }

  /** The range of engine keys that a key has in a segment. */
  rangeOf(segment: number, keys: StoreKeys, keyId: number): readonly [from: Buffer, to: Buffer] {
    const out = this.#rangeKey
    out.clear()
    out.writeInt64(segment)
    out.writeInt32(keys.endOf(keyId) - keys.startOf(keyId))
    keys.write(keyId, out)
    const from = out.toBuffer()
    return [from, Buffer.concat([from, afterRows])]
  }

  /** Says that rows of this time will be written. */
  use(time: number): void {
    this.#used.add(this.of(time))
  }

  /** The last moment of the last segment with rows; -1 where there is none. */
  get end(): number {
    return (Math.max(-1, ...this.#used) + 1) * this.#lengthMs - 1
  }

  /** The segments with rows, ascending. */
  ascending(): number[] {
    return [...this.#used].sort((a, b) => a - b)
  }

  /** Forgets the segments that end before the time; the range of engine keys to delete where there were any. */
  expireBefore(time: number): readonly [from: Buffer, to: Buffer] | undefined {
    const firstLive = this.of(time)
    if (firstLive <= this.#firstLive) return undefined
    this.#firstLive = firstLive
    let isDropped = false
    for (const segment of this.#used) if (segment < firstLive) isDropped = this.#used.delete(segment)
    return isDropped ? [timeKey(0), timeKey(firstLive)] : undefined
  }

  /** Looks for the segments that have rows in the engine, leaping from one to the next. */
  find(): void {
    this.#used = new Set()
    this.#firstLive = 0
    for (let next: number | undefined = 0; next !== undefined; ) {
      let found: number | undefined
      for (const { key } of this.#engine.range(timeKey(next), afterRows)) {
        found = readInt64(key, 0)
        this.#used.add(found)
        break
      }
      next = found === undefined ? undefined : found + 1
    }
  }

  #requireLength(): void {
    const length = timeKey(this.#lengthMs)
    if (this.#engine.get(lengthKey)?.equals(length) === true) return
    this.#engine.clear()
    this.#engine.write({ operations: [{ kind: 'put', key: lengthKey, value: length }], position: 0 })
  }
}
