import type { Disk } from '../../env/environment.ts'
import { IndexFile } from './index-file.ts'

const entryBytes = 8

/**
 * A segment's sparse offset index: for some of its batches the last offset, relative to the segment's base, and the position
 * where the batch begins, in Kafka's format (two big-endian int32 an entry).
 */
export class OffsetIndex {
  readonly file: IndexFile
  readonly #baseOffset: number
  /** Of the last entry; -1 and 0 where there is none. */
  #lastRelative = -1
  #lastPosition = 0

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new IndexFile(disk, path, entryBytes)
    this.#baseOffset = baseOffset
  }

  get length(): number {
    return this.file.length
  }

  /** Position of the batch that the last entry points at; 0 where there is no entry. */
  get lastPosition(): number {
    return this.#lastPosition
  }

  /** Last offset of that batch; one below the segment's base where there is no entry. */
  get lastOffset(): number {
    return this.#baseOffset + this.#lastRelative
  }

  append(lastOffset: number, position: number): void {
    const relative = lastOffset - this.#baseOffset
    this.file.append((bytes, at) => {
      bytes.writeInt32BE(relative, at)
      bytes.writeInt32BE(position, at + 4)
    })
    this.#lastRelative = relative
    this.#lastPosition = position
  }

  /** A position at or before the batch that holds the offset, where a batch begins. */
  lookup(offset: number): number {
    if (offset >= this.lastOffset) return this.#lastPosition
    const count = this.#countUpTo(offset - this.#baseOffset)
    return count === 0 ? 0 : this.#positionAt(count - 1)
  }

  /** Where batches begin that lie behind a position, in order. */
  *positionsAbove(position: number): Generator<number> {
    const first = this.file.countWhile((bytes, at) => bytes.readInt32BE(at + 4) <= position)
    for (let i = first; i < this.length; i++) yield this.#positionAt(i)
  }

  /** Forgets the batches that hold the offset or begin behind it. */
  truncateFrom(offset: number): void {
    this.file.truncate(this.#countUpTo(offset - 1 - this.#baseOffset))
    this.#readLast()
  }

  clear(): void {
    this.file.clear()
    this.#readLast()
  }

  /**
   * Takes the file for the index. Where it is missing or cannot be an index of a log of this size, the index is left empty.
   * A file that lacks the last entries is still right: a lookup then begins further in front.
   */
  load(logSize: number): void {
    let lastRelative = -1
    let lastPosition = -1
    const isTaken = this.file.load((bytes, at) => {
      const relative = bytes.readInt32BE(at)
      const position = bytes.readInt32BE(at + 4)
      if (relative <= lastRelative || position <= lastPosition || position >= logSize) return false
      lastRelative = relative
      lastPosition = position
      return true
    })
    this.#lastRelative = isTaken ? lastRelative : -1
    this.#lastPosition = isTaken ? Math.max(lastPosition, 0) : 0
  }

  #readLast(): void {
    const last = this.length === 0 ? undefined : this.file.entry(this.length - 1)
    this.#lastRelative = last?.readInt32BE(0) ?? -1
    this.#lastPosition = last?.readInt32BE(4) ?? 0
  }

  #positionAt(entry: number): number {
    return this.file.entry(entry).readInt32BE(4)
  }

  /** How many entries have a relative offset that is not above the given one. */
  #countUpTo(relativeOffset: number): number {
    return this.file.countWhile((bytes, at) => bytes.readInt32BE(at) <= relativeOffset)
  }
}
