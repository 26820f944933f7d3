import type { DiskFile } from '../../env/environment.ts'
import {
  baseOffsetOf,
  batchHeaderBytes,
  batchSize,
  lastOffsetOf,
  leaderEpochOf,
  maxTimestampOf,
} from '../../record/batch-format.ts'
import { checksumFault, headerFault } from './batch-check.ts'
import type { DamagedRange } from './damaged-range.ts'

export const scanChunkBytes = 1_048_576

export interface ScanOptions {
  /** Where a batch begins. */
  readonly position: number
  /** The offset that this batch must begin with; undefined where it is not known. */
  readonly baseOffset: number | undefined
  readonly checksums: boolean
  /** Whether offsets may be missing between batches, because the log was compacted. */
  readonly allowsGaps: boolean
  /** What is passed over: the segment's. */
  readonly damaged: readonly DamagedRange[]
  /** Where chunks of the file are read into. */
  readonly buffer: Buffer
}

/** Walks the batches of a segment file one after the other until its end or the first that is not whole and right. */
export class SegmentScanner {
  /** The batch of the last `next`, or, after `next` returned false, where the batches end. */
  position: number
  /** Bytes of the batch. */
  size = 0
  lastOffset = -1
  maxTimestamp = -1
  /** Why the bytes at `position` are not a batch; undefined at the end of the file. */
  fault: string | undefined
  readonly #file: DiskFile
  readonly #fileSize: number
  readonly #checksums: boolean
  readonly #allowsGaps: boolean
  readonly #damaged: readonly DamagedRange[]
  #dueOffset: number | undefined
  #buffer: Buffer
  /** The part of the file that is in the buffer. */
  #bufferedFrom = 0
  #bufferedTo = 0

  constructor(file: DiskFile, options: ScanOptions) {
    this.#file = file
    this.#fileSize = file.size()
    this.#checksums = options.checksums
    this.#allowsGaps = options.allowsGaps
    this.#damaged = options.damaged
    this.#dueOffset = options.baseOffset
    this.#buffer = options.buffer
    this.position = options.position
  }

  get baseOffset(): number {
    return baseOffsetOf(this.#buffer, this.position - this.#bufferedFrom)
  }

  get leaderEpoch(): number {
    return leaderEpochOf(this.#buffer, this.position - this.#bufferedFrom)
  }

  /** The whole batch; valid until the next call of the scanner. */
  batch(): Buffer {
    this.#provide(this.size)
    const start = this.position - this.#bufferedFrom
    return this.#buffer.subarray(start, start + this.size)
  }

  next(): boolean {
    this.position += this.size
    this.size = 0
    if (this.#damaged.length > 0) this.#passOverDamage()
    const left = this.#fileSize - this.position
    if (left <= 0) return false
    this.#provide(Math.min(left, batchHeaderBytes))
    const start = this.position - this.#bufferedFrom
    this.fault = headerFault(this.#buffer, start, start + left, this.#dueOffset, this.#allowsGaps)
    if (this.fault !== undefined) return false
    const size = batchSize(this.#buffer, start)
    if (this.#checksums) {
      this.#provide(size)
      this.fault = checksumFault(this.#buffer, this.position - this.#bufferedFrom)
      if (this.fault !== undefined) return false
    }
    this.size = size
    const at = this.position - this.#bufferedFrom
    this.lastOffset = lastOffsetOf(this.#buffer, at)
    this.maxTimestamp = maxTimestampOf(this.#buffer, at)
    this.#dueOffset = this.lastOffset + 1
    return true
  }

  #passOverDamage(): void {
    const range = this.#damaged.find((one) => one.position === this.position)
    if (range === undefined) return
    this.position = range.endPosition
    this.#dueOffset = range.nextOffset
  }

  /** Sees to it that `size` bytes from the position on are in the buffer. */
  #provide(size: number): void {
    if (this.position >= this.#bufferedFrom && this.position + size <= this.#bufferedTo) return
    if (size > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(size)
    const length = Math.min(this.#buffer.length, this.#fileSize - this.position)
    this.#bufferedFrom = this.position
    this.#bufferedTo = this.position + this.#file.read(this.#buffer.subarray(0, length), this.position)
  }
}
