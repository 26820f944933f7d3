import { readInt64, writeInt64 } from '../../bytes/int64.ts'
import type { Disk } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { IndexFile } from './index-file.ts'

const entryBytes = 12

/**
 * A segment's sparse time index: the largest timestamp so far, whenever it has grown and the offset index gets an entry, with
 * the last offset of the batch that it came with. So no batch up to that offset has a larger timestamp. Held in memory; the
 * file is in Kafka's format (int64 timestamp, int32 relative offset, big-endian).
 */
export class TimeIndex {
  readonly file: IndexFile
  readonly #baseOffset: number
  #timestamps = new Float64Array(32)
  #relativeOffsets = new Int32Array(32)
  #length = 0

  constructor(path: string, baseOffset: number) {
    this.file = new IndexFile(path, entryBytes)
    this.#baseOffset = baseOffset
  }

  get length(): number {
    return this.#length
  }

  get sizeBytes(): number {
    return this.#length * entryBytes
  }

  /** -1 where there is no entry. */
  get lastTimestamp(): number {
    return this.#length === 0 ? -1 : (this.#timestamps[this.#length - 1] as number)
  }

  /** One below the segment's base where there is no entry. */
  get lastOffset(): number {
    return this.#baseOffset + (this.#length === 0 ? -1 : (this.#relativeOffsets[this.#length - 1] as number))
  }

  /** Adds an entry where the timestamp is above the last one's. */
  append(timestamp: number, offset: number): void {
    if (timestamp <= this.lastTimestamp) return
    if (this.#length === this.#timestamps.length) this.#grow()
    this.#timestamps[this.#length] = timestamp
    this.#relativeOffsets[this.#length] = offset - this.#baseOffset
    this.#length++
  }

  /** The offset from which on a batch may have a timestamp that is not below the given one. */
  lookup(timestamp: number): number {
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#timestamps[middle] as number) < timestamp) low = middle + 1
      else high = middle
    }
    return this.#baseOffset + (low === 0 ? 0 : (this.#relativeOffsets[low - 1] as number))
  }

  /** Forgets the entries of offsets above the given one. */
  truncateAbove(offset: number): void {
    while (this.#length > 0 && this.lastOffset > offset) this.#length--
    this.file.truncate(this.#length)
  }

  clear(): void {
    this.#length = 0
    this.file.clear()
  }

  save(disk: Disk): void {
    this.file.save(disk, this.#length, (from) => {
      const bytes = Buffer.allocUnsafe((this.#length - from) * entryBytes)
      for (let at = 0, i = from; i < this.#length; i++, at += entryBytes) {
        writeInt64(bytes, at, this.#timestamps[i] as number)
        bytes.writeInt32BE(this.#relativeOffsets[i] as number, at + 8)
      }
      return bytes
    })
  }

  /** Reads the file; false where it is missing, cut or cannot be a time index: it must be made again then. */
  load(disk: Disk): boolean {
    this.#length = 0
    const bytes = this.file.load(disk)
    if (bytes !== undefined && this.file.isExact && this.#fill(bytes)) return true
    this.clear()
    return false
  }

  #fill(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; at += entryBytes) {
      const timestamp = timestampAt(bytes, at)
      const offset = this.#baseOffset + bytes.readInt32BE(at + 8)
      if (timestamp === undefined || timestamp <= this.lastTimestamp || offset <= this.lastOffset) return false
      this.append(timestamp, offset)
    }
    return true
  }

  #grow(): void {
    const timestamps = new Float64Array(this.#length * 2)
    timestamps.set(this.#timestamps)
    this.#timestamps = timestamps
    const relativeOffsets = new Int32Array(this.#length * 2)
    relativeOffsets.set(this.#relativeOffsets)
    this.#relativeOffsets = relativeOffsets
  }
}

function timestampAt(bytes: Buffer, at: number): number | undefined {
  try {
    return readInt64(bytes, at)
  } catch (error) {
    if (error instanceof MillraceError) return undefined
    throw error
  }
}
