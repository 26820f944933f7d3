import { readInt64, writeInt64 } from '../../bytes/int64.ts'
import type { Disk } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { IndexFile } from './index-file.ts'

const entryBytes = 12

/**
 * A segment's sparse time index: the largest timestamp so far, whenever it has grown and the offset index gets an entry, with
 * the last offset of the batch that it came with. So no batch up to that offset has a larger timestamp. In Kafka's format
 * (int64 timestamp, int32 relative offset, big-endian).
 */
export class TimeIndex {
  readonly file: IndexFile
  readonly #baseOffset: number
  /** Of the last entry; -1 where there is none. */
  #lastTimestamp = -1
  #lastRelative = -1

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new IndexFile(disk, path, entryBytes)
    this.#baseOffset = baseOffset
  }

  get length(): number {
    return this.file.length
  }

  /** -1 where there is no entry. */
  get lastTimestamp(): number {
    return this.#lastTimestamp
  }

  /** One below the segment's base where there is no entry. */
  get lastOffset(): number {
    return this.#baseOffset + this.#lastRelative
  }

  /** Adds an entry where the timestamp is above the last one's. */
  append(timestamp: number, offset: number): void {
    if (timestamp <= this.#lastTimestamp) return
    const relative = offset - this.#baseOffset
    this.file.append((bytes, at) => {
      writeInt64(bytes, at, timestamp)
      bytes.writeInt32BE(relative, at + 8)
    })
    this.#lastTimestamp = timestamp
    this.#lastRelative = relative
  }

  /** The offset from which on a batch may have a timestamp that is not below the given one. */
  lookup(timestamp: number): number {
    const count = this.file.countWhile((bytes, at) => (timestampAt(bytes, at) ?? Number.POSITIVE_INFINITY) < timestamp)
    return this.#baseOffset + (count === 0 ? 0 : this.file.entry(count - 1).readInt32BE(8))
  }

  /** Forgets the entries of offsets above the given one. */
  truncateAbove(offset: number): void {
    const relative = offset - this.#baseOffset
    this.file.truncate(this.file.countWhile((bytes, at) => bytes.readInt32BE(at + 8) <= relative))
    this.#readLast()
  }

  clear(): void {
    this.file.clear()
    this.#readLast()
  }

  /** Takes the file for the index; false where it is missing, cut or cannot be a time index: it must be made again then. */
  load(): boolean {
    let lastTimestamp = -1
    let lastRelative = -1
    const isTaken = this.file.load((bytes, at) => {
      const timestamp = timestampAt(bytes, at)
      const relative = bytes.readInt32BE(at + 8)
      if (timestamp === undefined || timestamp <= lastTimestamp || relative <= lastRelative) return false
      lastTimestamp = timestamp
      lastRelative = relative
      return true
    })
    if (!isTaken || !this.file.isExact) {
      this.clear()
      return false
    }
    this.#lastTimestamp = lastTimestamp
    this.#lastRelative = lastRelative
    return true
  }

  #readLast(): void {
    const last = this.length === 0 ? undefined : this.file.entry(this.length - 1)
    this.#lastTimestamp = last === undefined ? -1 : (timestampAt(last, 0) ?? -1)
    this.#lastRelative = last?.readInt32BE(8) ?? -1
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
