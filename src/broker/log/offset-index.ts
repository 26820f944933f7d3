import type { Disk } from '../../env/environment.ts'
import { IndexFile } from './index-file.ts'

const entryBytes = 8

/**
 * A segment's sparse offset index: for some of its batches the last offset, relative to the segment's base, and the position
 * where the batch begins. Held in memory; the file is in Kafka's format (two big-endian int32 an entry).
 */
export class OffsetIndex {
  readonly file: IndexFile
  readonly #baseOffset: number
  /** Relative offset and position of each entry, one after the other. */
  #entries = new Int32Array(64)
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

  /** Position of the batch that the last entry points at; 0 where there is no entry. */
  get lastPosition(): number {
    return this.#length === 0 ? 0 : this.#positionAt(this.#length - 1)
  }

  /** Last offset of that batch; one below the segment's base where there is no entry. */
  get lastOffset(): number {
    const relativeOffset = this.#length === 0 ? -1 : (this.#entries[this.#length * 2 - 2] as number)
    return this.#baseOffset + relativeOffset
  }

  get hasFullRunUnsaved(): boolean {
    return this.file.hasFullRun(this.#length)
  }

  append(lastOffset: number, position: number): void {
    if (this.#length * 2 === this.#entries.length) {
      const larger = new Int32Array(this.#entries.length * 2)
      larger.set(this.#entries)
      this.#entries = larger
    }
    this.#entries[this.#length * 2] = lastOffset - this.#baseOffset
    this.#entries[this.#length * 2 + 1] = position
    this.#length++
  }

  /** A position at or before the batch that holds the offset, where a batch begins. */
  lookup(offset: number): number {
    const count = this.#countUpTo(offset - this.#baseOffset)
    return count === 0 ? 0 : this.#positionAt(count - 1)
  }

  /** Where batches begin that lie behind a position, in order. */
  *positionsAbove(position: number): Generator<number> {
    for (let i = 0; i < this.#length; i++) if (this.#positionAt(i) > position) yield this.#positionAt(i)
  }

  /** Forgets the batches that hold the offset or begin behind it. */
  truncateFrom(offset: number): void {
    while (this.#length > 0 && this.lastOffset >= offset) this.#length--
    this.file.truncate(this.#length)
  }

  clear(): void {
    this.#length = 0
    this.file.clear()
  }

  save(disk: Disk): void {
    this.file.save(disk, this.#length, (from) => {
      const bytes = Buffer.allocUnsafe((this.#length - from) * entryBytes)
      for (let at = 0, i = from * 2; i < this.#length * 2; i++, at += 4) {
        bytes.writeInt32BE(this.#entries[i] as number, at)
      }
      return bytes
    })
  }

  /**
   * Reads the file. Where it is missing or cannot be an index of a log of this size, the index is left empty.
   * A file that lacks the last entries is still right: a lookup then begins further in front.
   */
  load(disk: Disk, logSize: number): void {
    this.#length = 0
    const bytes = this.file.load(disk)
    if (bytes !== undefined && !this.#fill(bytes, logSize)) this.clear()
  }

  #fill(bytes: Buffer, logSize: number): boolean {
    let lastRelative = -1
    let lastPosition = -1
    for (let at = 0; at < bytes.length; at += entryBytes) {
      const relative = bytes.readInt32BE(at)
      const position = bytes.readInt32BE(at + 4)
      if (relative <= lastRelative || position <= lastPosition || position >= logSize) return false
      this.append(this.#baseOffset + relative, position)
      lastRelative = relative
      lastPosition = position
    }
    return true
  }

  #positionAt(entry: number): number {
    return this.#entries[entry * 2 + 1] as number
  }

  /** How many entries have a relative offset that is not above the given one. */
  #countUpTo(relativeOffset: number): number {
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle * 2] as number) <= relativeOffset) low = middle + 1
      else high = middle
    }
    return low
  }
}
