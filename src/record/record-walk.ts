import { MillraceError } from '../errors.ts'
import { smallestRecordBytes } from './batch-format.ts'
import { headersEnd } from './headers.ts'
import { readVarint, readVarlong, varintEnd } from './varint.ts'

/** What is wrong with a record, as the end of a sentence about it. */
export interface RecordFault {
  /** Which of the batch's records, counted from 0. */
  readonly record: number
  /** Whether it is only its time that a number cannot hold. */
  readonly isOfTimestamp: boolean
  readonly reason: string
}

/**
 * Goes over the records of a batch without reading any: whether they are whole, as many as the batch says and numbered 0, 1,
 * 2..., so that a `BatchReader` finds in them what was meant; on the way it notes their times and whether all have keys.
 *
 * Only lengths and deltas are looked at, where they are. Nothing is allocated unless something is wrong; one walk is used
 * again and again.
 */
export class RecordWalk {
  /** The smallest and the largest timestamp, and which records have them; the smallest leaves out -1, which says that there is none. */
  earliestTimestamp: number = Number.POSITIVE_INFINITY
  earliestRecord = -1
  latestTimestamp: number = Number.NEGATIVE_INFINITY
  latestRecord = -1
  /** The first record without a key; -1 where all have one. */
  keylessRecord = -1

  /**
   * Walks `count` records, which must fill `bytes[start..end)`; what is wrong with the first that does not fit, or undefined.
   *
   * Records are first taken to be as nearly all are, and one condition at their end finds those that are not, as in
   * `BatchReader.next`; `#readRecord` then looks again, slower. Bytes behind the record may have been looked at, to no effect.
   */
  walk(bytes: Buffer, start: number, end: number, count: number, baseTimestamp: number): RecordFault | undefined {
    this.#startOver()
    let next = start
    for (let record = 0; record < count; record++) {
      const recordStart = next
      let position = next
      let length = bytes[position++]!
      if (length >= 0x80) length = (length & 0x7f) | (bytes[position++]! << 7)
      next = position + (length >>> 1)

      let time = bytes[++position]!
      position++
      if (time >= 0x80) time = (time & 0x7f) | (bytes[position++]! << 7)
      if (time >= 0x4000) time = (time & 0x3fff) | (bytes[position++]! << 14)
      if (time >= 0x200000) time = (time & 0x1fffff) | (bytes[position++]! << 21)

      let offset = bytes[position++]!
      if (offset >= 0x80) offset = (offset & 0x7f) | (bytes[position++]! << 7)
      if (offset >= 0x4000) offset = (offset & 0x3fff) | (bytes[position++]! << 14)

      let key = bytes[position++]!
      if (key >= 0x80) key = (key & 0x7f) | (bytes[position++]! << 7)
      if (key !== zigzagNull) position += key >>> 1

      let value = bytes[position++]!
      if (value >= 0x80) value = (value & 0x7f) | (bytes[position++]! << 7)
      if (value !== zigzagNull) position += value >>> 1

      const isUsual =
        bytes[position++] === 0 &&
        position === next &&
        next <= end &&
        (length | key | value) < 0x4000 &&
        time < 0x10000000 &&
        offset === record << 1 &&
        offset < 0x200000 &&
        (length & 1) === 0 &&
        ((key & 1) === 0 || key === zigzagNull) &&
        ((value & 1) === 0 || value === zigzagNull)
      if (isUsual) {
        this.#note(record, baseTimestamp + ((time >>> 1) ^ -(time & 1)), key !== zigzagNull)
        continue
      }
      const found = this.#readRecord(bytes, recordStart, end, record, baseTimestamp)
      if (typeof found !== 'number') return found
      next = found
    }
    return next === end ? undefined : fault(count - 1, `${end - next} bytes follow it`)
  }

  #startOver(): void {
    this.earliestTimestamp = Number.POSITIVE_INFINITY
    this.earliestRecord = -1
    this.latestTimestamp = Number.NEGATIVE_INFINITY
    this.latestRecord = -1
    this.keylessRecord = -1
  }

  #note(record: number, timestamp: number, hasKey: boolean): void {
    if (timestamp > this.latestTimestamp) {
      this.latestTimestamp = timestamp
      this.latestRecord = record
    }
    if (timestamp < this.earliestTimestamp && timestamp !== noTimestamp) {
      this.earliestTimestamp = timestamp
      this.earliestRecord = record
    }
    if (!hasKey && this.keylessRecord < 0) this.keylessRecord = record
  }

  /** Reads any record; returns where it ends, or what is wrong with it. */
  #readRecord(
    bytes: Buffer,
    start: number,
    recordsEnd: number,
    record: number,
    baseTimestamp: number,
  ): number | RecordFault {
    try {
      const length = readVarint(bytes, start, recordsEnd)
      let position = varintEnd(bytes, start)
      const end = position + length
      if (length < smallestRecordBytes - 1) return fault(record, `its length cannot be ${length} bytes`)
      if (end > recordsEnd) return fault(record, `it has ${length} bytes, of which ${recordsEnd - position} are there`)
      // The first byte holds attributes of the record, of which the format defines none.
      const timestamp = baseTimestamp + readVarlong(bytes, ++position, end)
      if (!Number.isSafeInteger(timestamp))
        return { ...fault(record, 'its timestamp is beyond 2^53 - 1'), isOfTimestamp: true }
      position = varintEnd(bytes, position)
      const offsetDelta = readVarint(bytes, position, end)
      if (offsetDelta !== record) return fault(record, `its offset delta is ${offsetDelta}`)
      position = varintEnd(bytes, position)
      const keyLength = readVarint(bytes, position, end)
      position = varintEnd(bytes, position)
      if (keyLength < -1 || keyLength > end - position) return fault(record, `its key has ${keyLength} bytes`)
      position += Math.max(keyLength, 0)
      const valueLength = readVarint(bytes, position, end)
      position = varintEnd(bytes, position)
      if (valueLength < -1 || valueLength > end - position) return fault(record, `its value has ${valueLength} bytes`)
      position += Math.max(valueLength, 0)
      const headerCount = readVarint(bytes, position, end)
      position = varintEnd(bytes, position)
      // A header takes two bytes at least.
      if (headerCount < 0 || headerCount > (end - position) / 2) return fault(record, `it has ${headerCount} headers`)
      position = headersEnd(bytes, position, end, headerCount)
      if (position !== end) return fault(record, `it has ${end - position} bytes more than its fields`)
      this.#note(record, timestamp, keyLength >= 0)
      return end
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      return { record, isOfTimestamp: error.code === 'NUMBER_OUT_OF_RANGE', reason: error.message }
    }
  }
}

/** The length -1, which stands for an absent key or value, as a varint. */
const zigzagNull = 1
const noTimestamp = -1

function fault(record: number, reason: string): RecordFault {
  return { record, isOfTimestamp: false, reason }
}
