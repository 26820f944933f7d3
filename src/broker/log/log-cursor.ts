import { MillraceError, type Place } from '../../errors.ts'
import { baseOffsetOf, batchHeaderBytes, batchSize, lastOffsetOf } from '../../record/batch-format.ts'
import { fileUnusable, isOutOfFiles } from '../disk-error.ts'
import { headerFault } from './batch-check.ts'
import { quarantined } from './damaged-range.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Segment } from './segment.ts'

/** Gives buffers of at least so many bytes. */
export interface BufferSource {
  take(bytes: number): Buffer
}

const nothing = Buffer.alloc(0)
const newBuffers: BufferSource = { take: (bytes) => Buffer.allocUnsafeSlow(bytes) }

/**
 * A place in a log that reads from there on, into a buffer of its own that is used again for each read. It remembers where
 * in which file it is, so that only a jump has to look into the index.
 */
export class LogCursor {
  readonly log: PartitionLog
  /** The next read begins with the batch that holds this offset. */
  offset: number
  readonly #bufferBytes: number
  readonly #buffers: BufferSource
  #buffer: Buffer = nothing
  #segment: Segment | undefined
  #position = 0
  #layoutVersion = 0
  /** The least offset that the batch at the position may begin with. */
  #leastOffset = 0
  /** Whether the batch that holds the offset begins at the position. */
  #isInPlace = false

  /** @param buffers where its buffers come from, which stay with whoever lends them; default: new ones */
  constructor(log: PartitionLog, offset: number, bufferBytes: number, buffers: BufferSource = newBuffers) {
    this.log = log
    this.offset = offset
    this.#bufferBytes = Math.max(bufferBytes, batchHeaderBytes)
    this.#buffers = buffers
  }

  seek(offset: number): void {
    if (offset !== this.offset) this.#isInPlace = false
    this.offset = offset
  }

  /**
   * The next whole batches below the given offset (default: the high watermark), at most as many as fit the buffer but always
   * one: a larger batch makes the buffer grow. The first may begin below the offset. Empty where there is nothing to read yet.
   * Valid until the next read; checksums are left to whoever decodes the records.
   * @throws MillraceError OFFSET_OUT_OF_RANGE, CORRUPT_BATCH, UNKNOWN_TOPIC_OR_PARTITION (it was deleted), STORAGE_FAILED
   */
  read(below: number = this.log.highWatermark): Buffer {
    const log = this.log
    log.context.status.requireOnline()
    log.requireExisting()
    if (this.offset < log.logStartOffset || this.offset > log.logEndOffset) throw this.#outOfRange()
    if (this.offset >= below) return nothing
    const limit = log.damage.length === 0 ? below : Math.min(below, this.#startOfDamage())
    const isJump = !this.#isInPlace || this.#layoutVersion !== log.layoutVersion
    this.#isInPlace = false
    let segment = isJump ? this.#jump() : (this.#segment as Segment)
    let leastBytes = batchHeaderBytes
    for (;;) {
      segment = this.#segmentWithMore(segment)
      // All records up to the end are gone: compacted, or lost in a crash before they were acknowledged.
      if (this.#position >= segment.size && segment.allowsGaps) return nothing
      const length = this.#fill(segment, leastBytes)
      const start = isJump ? this.#startIn(segment, length) : 0
      const end = this.#endIn(segment, start, length, limit)
      if (end > start) {
        this.#position += end
        this.#isInPlace = true
        return this.#buffer.subarray(start, end)
      }
      this.#position += start
      const left = length - start
      // The records between the offset and the next batch were compacted away.
      if (left >= batchHeaderBytes && baseOffsetOf(this.#buffer, start) >= limit) return nothing
      leastBytes = left < batchHeaderBytes ? batchHeaderBytes : batchSize(this.#buffer, start)
    }
  }

  /** Reads from the position on: as much as there is and the buffer may hold, but at least what is needed. */
  #fill(segment: Segment, leastBytes: number): number {
    const wanted = Math.min(Math.max(this.#bufferBytes, leastBytes), segment.size - this.#position)
    if (wanted > this.#buffer.length) {
      // Grown in steps: a reader at the end of the log finds a little more each time.
      const grown = Math.min(this.#bufferBytes, this.#buffer.length * 2)
      this.#buffer = this.#buffers.take(Math.max(wanted, grown))
    }
    try {
      const into = wanted === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, wanted)
      const length = segment.file.read(into, this.#position)
      if (length === wanted && length > 0) return length
    } catch (error) {
      if (isOutOfFiles(error)) throw fileUnusable(error, 'opening a segment of the log', segment.path)
      throw this.log.context.status.goOffline('reading the log', segment.path, error)
    }
    throw this.#damaged(segment, this.#position, 'the file ends before it')
  }

  /** Where in the bytes read the batch begins that holds the offset; where the whole batches end, if it is not among them. */
  #startIn(segment: Segment, length: number): number {
    let at = 0
    while (at + batchHeaderBytes <= length) {
      this.#requireHeader(segment, at)
      const size = batchSize(this.#buffer, at)
      const lastOffset = lastOffsetOf(this.#buffer, at)
      if (lastOffset >= this.offset || at + size > length) return at
      this.#leastOffset = lastOffset + 1
      at += size
    }
    return at
  }

  /**
   * Where the whole batches below an offset end, or those in front of a damaged one, which is then left for the
   * next read to report; moves the offset behind them.
   */
  #endIn(segment: Segment, start: number, length: number, below: number): number {
    let at = start
    while (at + batchHeaderBytes <= length) {
      if (at === start) this.#requireDue(segment, at, length)
      else if (this.#faultAt(segment, at, this.offset) !== undefined) break
      const size = batchSize(this.#buffer, at)
      const lastOffset = lastOffsetOf(this.#buffer, at)
      const isBelow = lastOffset < this.offset
      if (isBelow || at + size > length || baseOffsetOf(this.#buffer, at) >= below) break
      this.offset = lastOffset + 1
      this.#leastOffset = this.offset
      at += size
    }
    return at
  }

  #jump(): Segment {
    const segment = this.log.segmentOf(this.offset)
    this.#segment = segment
    this.#position = segment.positionOf(this.offset)
    this.#leastOffset = segment.baseOffset
    this.#layoutVersion = this.log.layoutVersion
    return segment
  }

  /** The segment, or the first behind it that is not read to its end: compaction may have taken what was asked for, or all of one. */
  #segmentWithMore(segment: Segment): Segment {
    let current = segment
    while (this.#position >= current.size) {
      const next = this.log.segmentAfter(current)
      if (next === undefined) break
      current = next
      this.#position = 0
    }
    this.#segment = current
    return current
  }

  #requireHeader(segment: Segment, at: number): void {
    const fault = this.#faultAt(segment, at, undefined)
    if (fault !== undefined) throw this.#damaged(segment, this.#position + at, fault)
  }

  /** The batch that holds the offset, or the first one behind it: checksums do not cover where it says that it is. */
  #requireDue(segment: Segment, at: number, length: number): void {
    this.#requireHeader(segment, at)
    const baseOffset = baseOffsetOf(this.#buffer, at)
    const lastOffset = lastOffsetOf(this.#buffer, at)
    const isRight = baseOffset >= this.#leastOffset && lastOffset >= this.offset && lastOffset < segment.nextOffset
    // Of a batch that is not read as a whole yet it does not matter.
    if (isRight || at + batchSize(this.#buffer, at) > length) return
    const fault = `it says that it has offsets ${baseOffset} to ${lastOffset}, where ${this.#leastOffset} to ${segment.nextOffset - 1} may be`
    throw this.#damaged(segment, this.#position + at, fault)
  }

  #faultAt(segment: Segment, at: number, dueOffset: number | undefined): string | undefined {
    return headerFault(this.#buffer, at, segment.size - this.#position, dueOffset, segment.allowsGaps)
  }

  #damaged(segment: Segment, position: number, fault: string): MillraceError {
    return damagedBatch(fault, position, { ...this.#place(), offset: this.offset, path: segment.path })
  }

  /** Where the first damaged range behind the offset begins, which is in none itself. */
  #startOfDamage(): number {
    const range = this.log.damage.find(({ nextOffset }) => nextOffset > this.offset)
    if (range === undefined) return Number.MAX_SAFE_INTEGER
    if (range.offset > this.offset) return range.offset
    this.#isInPlace = false
    throw quarantined(range, this.#place())
  }

  #outOfRange(): MillraceError {
    const { logStartOffset, logEndOffset } = this.log
    const what = `The log holds offsets from ${logStartOffset} up to, but not including, ${logEndOffset}`
    return new MillraceError('OFFSET_OUT_OF_RANGE', what, { at: { ...this.#place(), offset: this.offset } })
  }

  #place(): Place {
    return { topic: this.log.topic, partition: this.log.partition }
  }
}

/** A batch of the log that was good once and is not now. */
export function damagedBatch(fault: string, position: number, at: Place): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `The batch at position ${position} of the log is damaged: ${fault}`, {
    at,
    remedy: 'The file was left as it is: put back a copy of it, or read on after the damage.',
  })
}
