import type { Clock, Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { attributesOf, baseTimestampOf, deleteHorizonBit } from '../../record/batch-format.ts'
import { BatchReader } from '../../record/batch-reader.ts'
import { readTransactionMarker } from '../../record/control-record.ts'
import { type BatchFilter, filterBatch } from './batch-filter.ts'
import type { CleanableRange } from './cleanable-range.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import { KeyOffsets } from './key-offsets.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Segment } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'
import { publishSwap, removeCleaned } from './segment-swap.ts'

export interface LogCompactionOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** What the last offsets of keys may take (`log.cleaner.dedupe.buffer.size`): where more keys are dirty, a round ends earlier. */
  readonly maxKeyBytes: number
  /** Whether to give up. */
  readonly isStopped: () => boolean
}

const bufferBytes = 1_048_576
/** Sockets and timers have their turn after this long. */
const sliceMs = 5
/** Relative offsets in an index are int32. */
const maxRelativeOffset = 2_147_483_647

/**
 * One round of compaction of one log (Kafka: Cleaner): finds the last offset of each key in the dirty part, as far as there
 * is room for keys, then writes the segments below anew without records that have a later one. Offsets stay.
 *
 * Kept beside that: tombstones and markers until their delete horizon, which is set when they are first compacted; markers as long
 * as a record of their transaction is left; the last batch of each producer and of the round, emptied, which hold a
 * sequence number and an offset. Records of aborted transactions go.
 */
export class LogCompaction {
  readonly #log: PartitionLog
  readonly #range: CleanableRange
  readonly #options: LogCompactionOptions
  readonly #nowMs: number
  readonly #layoutVersion: number
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes)
  readonly #reader = new BatchReader()
  readonly #keys: KeyOffsets
  /** The last offset that the keys account for. */
  #lastMapped: number
  #sliceEndMs: number

  constructor(log: PartitionLog, range: CleanableRange, options: LogCompactionOptions) {
    this.#log = log
    this.#range = range
    this.#options = options
    this.#nowMs = options.clock.wallMs()
    this.#layoutVersion = log.layoutVersion
    this.#keys = new KeyOffsets(options.maxKeyBytes)
    this.#lastMapped = range.firstDirtyOffset - 1
    this.#sliceEndMs = options.clock.monotonicMs() + sliceMs
  }

  /**
   * Resolves with the offset up to which keys are there once now.
   * @throws MillraceError CLOSED (it was to give up, or the log was changed otherwise), CORRUPT_BATCH, DISK_FULL, STORAGE_FAILED
   */
  async run(): Promise<number> {
    await this.#mapKeys()
    const end = this.#lastMapped + 1
    const segments = this.#log.segments.filter(({ baseOffset }) => baseOffset < Math.min(end, this.#range.endOffset))
    const transactions = new CleanedTransactions(this.#abortedBelow(this.#range.endOffset))
    let version = this.#layoutVersion
    for (const group of this.#groups(segments)) {
      await this.#clean(group, transactions, version)
      version = this.#log.layoutVersion
    }
    return end
  }

  async #mapKeys(): Promise<void> {
    const { firstDirtyOffset, endOffset } = this.#range
    const transactions = new CleanedTransactions(
      this.#abortedBelow(endOffset).filter((one) => one.lastOffset >= firstDirtyOffset),
    )
    for (const segment of this.#log.segments) {
      const next = this.#log.segmentAfter(segment)
      if (next === undefined || next.baseOffset <= firstDirtyOffset || segment.baseOffset >= endOffset) continue
      const scanner = this.#scannerOf(segment, firstDirtyOffset)
      for (; scanner.next(); await this.#pause(this.#layoutVersion)) {
        if (!this.#mapBatch(scanner.batch(), transactions)) return
      }
      this.#requireWhole(scanner, segment)
      this.#lastMapped = Math.max(this.#lastMapped, next.baseOffset - 1)
    }
  }

  /** False where the keys are full: the batch is then not accounted for, or only in part. */
  #mapBatch(bytes: Buffer, transactions: CleanedTransactions): boolean {
    const reader = this.#reader
    reader.reset(bytes)
    reader.nextBatch()
    const isControl = reader.isControl
    if (isControl) transactions.isObsolete(reader, markerIn(bytes))
    else if (!transactions.isAborted(reader)) {
      while (reader.next()) {
        if (reader.keyStart < 0 || reader.offset < this.#range.firstDirtyOffset) continue
        if (!this.#keys.put(reader.bytes, reader.keyStart, reader.keyEnd, reader.offset)) return false
      }
    }
    this.#lastMapped = Math.max(this.#lastMapped, reader.lastOffset)
    return true
  }

  /** Segments that become one: together no larger than one may be. */
  #groups(segments: readonly Segment[]): Segment[][] {
    const { segmentBytes, segmentIndexBytes } = this.#log.settings
    const groups: Segment[][] = []
    let bytes = 0
    let indexBytes = 0
    for (const segment of segments) {
      const group = groups.at(-1)
      const segmentIndex = Math.max(segment.index.file.sizeBytes, segment.timeIndex.file.sizeBytes)
      const end = this.#log.segmentAfter(segment)?.baseOffset ?? this.#log.logEndOffset
      const fits =
        group !== undefined &&
        bytes + segment.size <= segmentBytes &&
        indexBytes + segmentIndex <= segmentIndexBytes &&
        end - 1 - (group[0] as Segment).baseOffset <= maxRelativeOffset
      if (fits) group.push(segment)
      else groups.push([segment])
      bytes = (fits ? bytes : 0) + segment.size
      indexBytes = (fits ? indexBytes : 0) + segmentIndex
    }
    return groups
  }

  async #clean(group: readonly Segment[], transactions: CleanedTransactions, version: number): Promise<void> {
    const { disk } = this.#log.context
    const { baseOffset } = group[0] as Segment
    const cleaned = this.#log.createCleaned(baseOffset)
    transactions.onKept = (aborted) => cleaned.addAborted(aborted)
    try {
      for (const segment of group) await this.#copy(segment, cleaned, transactions, version)
      cleaned.seal()
      this.#log.context.status.requireOnline()
      await cleaned.sync(true)
      this.#requireUnchanged(version)
    } catch (error) {
      cleaned.close()
      if (this.#log.context.status.failure === undefined) removeCleaned(disk, this.#log.directory, baseOffset)
      throw this.#placed(error, cleaned)
    }
    cleaned.close()
    try {
      await publishSwap(disk, this.#log.directory, baseOffset)
      this.#log.replaceSegments(group, cleaned)
      await disk.syncDirectory(this.#log.directory)
    } catch (error) {
      throw this.#log.context.status.goOffline('putting a compacted segment in place', cleaned.path, error)
    }
  }

  async #copy(segment: Segment, cleaned: Segment, transactions: CleanedTransactions, version: number): Promise<void> {
    const scanner = this.#scannerOf(segment, segment.baseOffset)
    let pending: Buffer[] = []
    let pendingBytes = 0
    for (; scanner.next(); await this.#pause(version)) {
      // What is kept may be a part of the scanner's buffer, which the next batch may overwrite.
      const kept = this.#filter(scanner.batch(), transactions)
      if (kept.length > 0) pending.push(Buffer.from(kept))
      pendingBytes += kept.length
      if (pendingBytes < bufferBytes) continue
      cleaned.append(Buffer.concat(pending))
      pending = []
      pendingBytes = 0
    }
    this.#requireWhole(scanner, segment)
    if (pendingBytes > 0) cleaned.append(Buffer.concat(pending))
  }

  #filter(bytes: Buffer, transactions: CleanedTransactions): Buffer {
    const reader = this.#reader
    reader.reset(bytes)
    reader.nextBatch()
    const { isControl } = reader
    const horizonMs = (attributesOf(bytes, 0) & deleteHorizonBit) === 0 ? undefined : baseTimestampOf(bytes, 0)
    const isPastHorizon = horizonMs !== undefined && this.#nowMs >= horizonMs
    const isObsolete = isControl ? transactions.isObsolete(reader, markerIn(bytes)) : transactions.isAborted(reader)
    const isDiscarded = isObsolete && (!isControl || isPastHorizon)
    const holdsSomething = this.#isLastOfProducer(reader) || reader.lastOffset + 1 === this.#range.endOffset
    const filter: BatchFilter = {
      keeps: (record) => !isDiscarded && (isControl || this.#keeps(record, isPastHorizon)),
      empty: holdsSomething ? 'keep' : 'remove',
      deleteHorizonMs: this.#nowMs + this.#log.settings.deleteRetentionMs,
      needsHorizon: isControl && isObsolete,
    }
    return filterBatch(bytes, reader, filter)
  }

  #keeps(record: BatchReader, isPastHorizon: boolean): boolean {
    if (record.offset > this.#lastMapped) return true
    // Nobody can say which record without a key it replaces: they come from a time when the topic was not compacted.
    if (record.keyStart < 0) return false
    const isLast = record.offset >= this.#keys.get(record.bytes, record.keyStart, record.keyEnd)
    return isLast && (record.valueStart >= 0 || !isPastHorizon)
  }

  /** Whether the batch holds the sequence number, or the epoch, that the log must know of a producer. */
  #isLastOfProducer(batch: BatchReader): boolean {
    const entry = batch.producerId < 0 ? undefined : this.#log.producers.get(batch.producerId)
    if (entry === undefined) return false
    if (entry.lastDataOffset >= 0) return batch.lastOffset === entry.lastDataOffset
    return batch.isControl && batch.producerEpoch === entry.producerEpoch
  }

  #abortedBelow(offset: number) {
    const { segments } = this.#log
    return this.#log.abortedTransactions((segments[0] as Segment).baseOffset, offset)
  }

  #scannerOf(segment: Segment, from: number): SegmentScanner {
    const { damaged, allowsGaps } = segment
    const position = segment.positionOf(from)
    const options = { position, baseOffset: undefined, checksums: false, damaged, allowsGaps, buffer: this.#buffer }
    return new SegmentScanner(segment.file, options)
  }

  #requireWhole({ fault }: SegmentScanner, { path }: Segment): void {
    if (fault === undefined) return
    throw new MillraceError('CORRUPT_BATCH', `The log cannot be compacted: ${fault}`, { at: { path } })
  }

  async #pause(version: number): Promise<void> {
    const { clock, timers } = this.#options
    if (clock.monotonicMs() >= this.#sliceEndMs) {
      await timers.nextTurn()
      this.#sliceEndMs = clock.monotonicMs() + sliceMs
    }
    this.#requireUnchanged(version)
  }

  #requireUnchanged(version: number): void {
    this.#log.context.status.requireOnline()
    if (!this.#options.isStopped() && !this.#log.isDeleted && this.#log.layoutVersion === version) return
    throw new MillraceError('CLOSED', 'The compaction was given up')
  }

  #placed(error: unknown, { path }: Segment): Error {
    const { topic, partition, context } = this.#log
    if (error instanceof MillraceError) return error.placedAt({ topic, partition })
    return context.status.goOffline('compacting a log', path, error)
  }
}

function markerIn(bytes: Buffer): 'abort' | 'commit' | undefined {
  return readTransactionMarker(bytes, 0, bytes.length)?.outcome
}
