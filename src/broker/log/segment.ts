import type { Clock, Disk, DiskFile } from '../../env/environment.ts'
import { batchHeaderBytes, batchSize, lastOffsetOf, maxTimestampOf } from '../../record/batch-format.ts'
import { diskFull, fileUnusable, isDiskFull, isOutOfFiles } from '../disk-error.ts'
import { headerFault } from './batch-check.ts'
import type { DamagedRange } from './damaged-range.ts'
import type { DirectoryStatus } from './directory-status.ts'
import type { IndexFile } from './index-file.ts'
import { OffsetIndex } from './offset-index.ts'
import type { OpenFiles } from './open-files.ts'
import { TimeIndex } from './time-index.ts'
import { type AbortedTransaction, TransactionIndex } from './transaction-index.ts'

/** What a log's segments share. */
export interface SegmentContext {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly clock: Clock
  readonly status: DirectoryStatus
  indexIntervalBytes: number
  /** Whether offsets may be missing between batches, because the log is compacted or was once. */
  allowsGaps: boolean
}

/** What the names of files end with that are no longer part of the log and soon removed. */
export const deletedSuffix = '.deleted'

/** The kinds of files of a segment. */
export type SegmentExtension = '.log' | '.index' | '.timeindex' | '.txnindex'

/** The name of a segment's file: its base offset in 20 digits. */
export function segmentFileName(baseOffset: number, extension: SegmentExtension | '.snapshot'): string {
  return `${String(baseOffset).padStart(20, '0')}${extension}`
}

export interface SegmentOptions {
  /** Whether the file is made where it is missing. */
  readonly create: boolean
  /** What the names of its files end with while it is not part of the log yet. */
  readonly suffix?: string
}

/**
 * One file of a partition's log, named by the offset of its first record, with its sparse indexes. Only the last segment of
 * a log is written to. `size` counts whole batches: what a failed write left behind them is cut off at once.
 */
export class Segment {
  readonly baseOffset: number
  readonly path: string
  readonly file: DiskFile
  readonly index: OffsetIndex
  readonly timeIndex: TimeIndex
  /** The aborted transactions whose markers are in it. */
  readonly transactions: TransactionIndex
  get allowsGaps(): boolean {
    return this.#context.allowsGaps
  }

  /** The largest timestamp of the first batch; -1 where there is none. */
  get firstTimestamp(): number {
    this.#firstTimestamp ??= this.#readFirstTimestamp()
    return this.#firstTimestamp
  }

  /** Bytes of whole batches. */
  size = 0
  /** The offset after the last record. */
  nextOffset: number
  /** The largest timestamp of its records; -1 where none has one. */
  largestTimestamp = -1
  /** What of it is in quarantine, in order; nearly always nothing. */
  readonly damaged: DamagedRange[] = []
  readonly #context: SegmentContext
  readonly #openedAtMs: number
  #sinceIndexEntryBytes = 0
  /** The last offset of the first batch with the largest timestamp. */
  #offsetOfLargestTimestamp: number
  /** The largest timestamp of the first batch; undefined until it is looked up. */
  #firstTimestamp: number | undefined

  constructor(context: SegmentContext, directory: string, baseOffset: number, options?: SegmentOptions) {
    this.#context = context
    this.#openedAtMs = context.clock.wallMs()
    this.baseOffset = baseOffset
    this.nextOffset = baseOffset
    this.#offsetOfLargestTimestamp = baseOffset - 1
    const pathOf = (extension: SegmentExtension) =>
      `${directory}/${segmentFileName(baseOffset, extension)}${options?.suffix ?? ''}`
    this.path = pathOf('.log')
    this.index = new OffsetIndex(context.disk, pathOf('.index'), baseOffset)
    this.timeIndex = new TimeIndex(context.disk, pathOf('.timeindex'), baseOffset)
    this.transactions = new TransactionIndex(context.disk, pathOf('.txnindex'))
    try {
      this.file = context.files.file(this.path, { create: options?.create ?? false })
      this.file.size()
    } catch (error) {
      throw context.status.unusable(error, 'opening a segment of the log', this.path)
    }
  }

  /**
   * Writes whole batches, whose offsets are set, in one call.
   * @throws MillraceError DISK_FULL, after which nothing of the write is left, or STORAGE_FAILED
   */
  append(batches: Buffer): void {
    try {
      this.file.write(batches, this.size)
    } catch (error) {
      throw this.#undoWrite(error)
    }
    for (let start = 0; start < batches.length; ) {
      const size = batchSize(batches, start)
      this.addBatch(lastOffsetOf(batches, start), size, maxTimestampOf(batches, start))
      start += size
    }
    if (this.index.file.hasFullRunUnsaved) this.saveIndexes()
  }

  /**
   * Puts a transaction in the index whose marker is about to be appended.
   * @throws MillraceError DISK_FULL, after which it is not in the index, or STORAGE_FAILED
   */
  addAborted(aborted: AbortedTransaction): void {
    try {
      this.transactions.append(aborted)
    } catch (error) {
      const { path } = this.transactions
      if (!isDiskFull(error)) throw this.#context.status.goOffline('writing an index of transactions', path, error)
      throw diskFull(error, path)
    }
  }

  /** Counts a batch that is in the file, at `size`, and indexes it where an entry is due. */
  addBatch(lastOffset: number, batchBytes: number, maxTimestamp: number): void {
    if (this.size === 0) this.#firstTimestamp = maxTimestamp
    if (maxTimestamp > this.largestTimestamp) {
      this.largestTimestamp = maxTimestamp
      this.#offsetOfLargestTimestamp = lastOffset
    }
    if (this.#sinceIndexEntryBytes > this.#context.indexIntervalBytes) {
      this.index.append(lastOffset, this.size)
      this.timeIndex.append(this.largestTimestamp, this.#offsetOfLargestTimestamp)
      this.#sinceIndexEntryBytes = 0
    }
    this.size += batchBytes
    this.#sinceIndexEntryBytes += batchBytes
    this.nextOffset = lastOffset + 1
  }

  /**
   * A position at or before the batch that holds the offset, where a batch begins and nothing between is damaged. What the
   * index says counts only where such a batch is there.
   * @throws MillraceError DIRECTORY_UNUSABLE (no more files can be opened), STORAGE_FAILED
   */
  positionOf(offset: number): number {
    let position = this.#lookedUp(this.index.file.path, () => this.#indexedPosition(offset))
    for (const range of this.damaged) if (range.nextOffset <= offset) position = Math.max(position, range.endPosition)
    return position
  }

  /**
   * The offset from which on a batch may have a timestamp that is not below the given one.
   * @throws MillraceError DIRECTORY_UNUSABLE (no more files can be opened), STORAGE_FAILED
   */
  offsetOfTime(timestamp: number): number {
    return this.#lookedUp(this.timeIndex.file.path, () => this.timeIndex.lookup(timestamp))
  }

  /** Goes on behind a range that is damaged: its bytes stay, its offsets are used. */
  quarantine(range: DamagedRange): void {
    this.damaged.push(range)
    this.size = range.endPosition
    this.nextOffset = range.nextOffset
  }

  /** Starts counting at the batch of the last index entry, or the start of the file: `addBatch` follows for each from there on. */
  restart(): void {
    this.size = this.index.lastPosition
    this.nextOffset = this.baseOffset
    this.largestTimestamp = this.timeIndex.lastTimestamp
    this.#offsetOfLargestTimestamp = this.timeIndex.lastOffset
    this.#sinceIndexEntryBytes = 0
    this.#firstTimestamp = undefined
  }

  /** Forgets what the indexes say about the offset and those above it. `restart` follows. */
  truncateIndexes(offset: number): void {
    this.index.truncateFrom(offset)
    this.timeIndex.truncateAbove(this.index.lastOffset)
  }

  /**
   * Takes out of the files of the indexes what is not in the indexes: they may know batches that are not there any more and,
   * were there no room for new ones later, a start would take them for right.
   */
  cutIndexFiles(): void {
    this.index.file.cut()
    this.timeIndex.file.cut()
  }

  clearIndexes(): void {
    this.index.clear()
    this.timeIndex.clear()
  }

  /** Whether an index has reached the size, with room left for the last entry of the time index. */
  areIndexesFull(maxBytes: number): boolean {
    return this.index.file.sizeBytes + 8 > maxBytes || this.timeIndex.file.sizeBytes + 24 > maxBytes
  }

  /**
   * How long it has waited to be followed by another segment when a record with the timestamp comes: the time since its
   * first record or, where that has no timestamp, since it was opened.
   */
  waitedMs(timestamp: number): number {
    if (this.firstTimestamp >= 0) return timestamp - this.firstTimestamp
    return this.#context.clock.wallMs() - this.#openedAtMs
  }

  /** Cuts the file to the batches that were counted. */
  truncateToSize(): void {
    try {
      this.file.truncate(this.size)
    } catch (error) {
      throw this.#context.status.goOffline('truncating the log', this.path, error)
    }
  }

  /** Ends the time index with the largest timestamp, and writes the indexes to their files, where they are from then on. */
  seal(): void {
    this.timeIndex.append(this.largestTimestamp, this.#offsetOfLargestTimestamp)
    this.saveIndexes()
    this.index.file.rest()
    this.timeIndex.file.rest()
  }

  /**
   * As `seal` does, for a segment below the recovery point, whose indexes the next start trusts whenever power is lost: at no
   * time does the device have an entry of the offset index that the time index there does not cover.
   */
  async sealTrusted(): Promise<void> {
    this.timeIndex.append(this.largestTimestamp, this.#offsetOfLargestTimestamp)
    if (this.timeIndex.file.isSaved && this.index.file.isSaved) return this.seal()
    await this.index.file.wipe()
    this.#save(this.timeIndex.file)
    await this.timeIndex.file.sync()
    if (this.timeIndex.file.isSaved) this.seal()
  }

  /**
   * Writes the indexes to their files. Nothing is lost where there is no room for them: they are made again from the log.
   * The time index is first, because one that lacked batches that the offset index knows would be wrong, not just short.
   */
  saveIndexes(): void {
    this.#save(this.timeIndex.file, this.index.file)
  }

  /** Puts the batches on the device, and the indexes too once the segment is complete. */
  async sync(withIndexes: boolean): Promise<void> {
    await Promise.all([this.file.sync(), this.transactions.sync()])
    if (withIndexes) await this.syncIndexes()
  }

  async syncIndexes(): Promise<void> {
    await this.timeIndex.file.sync()
    await this.index.file.sync()
  }

  close(): void {
    this.file.close()
  }

  /** Closes the segment and removes its files. */
  remove(): void {
    this.close()
    for (const path of this.#paths()) this.#context.disk.remove(path)
  }

  /** Closes the segment and gives its files names by which the next start knows that they are to be removed; returns these. */
  retire(): string[] {
    this.close()
    const retired: string[] = []
    try {
      for (const path of this.#paths()) {
        if (!this.#context.disk.exists(path)) continue
        this.#context.disk.rename(path, path + deletedSuffix)
        retired.push(path + deletedSuffix)
      }
    } catch (error) {
      throw this.#context.status.goOffline('deleting a segment of the log', this.path, error)
    }
    return retired
  }

  #paths(): string[] {
    return [this.path, this.index.file.path, this.timeIndex.file.path, this.transactions.path]
  }

  /** Saves them up to the first for which there is no room. */
  #save(...files: readonly IndexFile[]): void {
    try {
      for (const file of files) file.save()
    } catch (error) {
      if (isDiskFull(error) || isOutOfFiles(error)) return
      this.#context.status.goOffline('writing an index', this.index.file.path, error)
    }
  }

  #indexedPosition(offset: number): number {
    const position = this.index.lookup(offset)
    if (position <= 0 || position >= this.size) return 0
    const header = Buffer.alloc(batchHeaderBytes)
    this.file.read(header, position)
    const isThere = headerFault(header, 0, this.size - position, undefined) === undefined
    return isThere && lastOffsetOf(header, 0) <= offset ? position : 0
  }

  #lookedUp(path: string, lookUp: () => number): number {
    try {
      return lookUp()
    } catch (error) {
      if (isOutOfFiles(error)) throw fileUnusable(error, 'looking into an index of the log', path)
      throw this.#context.status.goOffline('reading an index', path, error)
    }
  }

  #readFirstTimestamp(): number {
    if (this.size === 0) return -1
    const header = Buffer.allocUnsafe(batchHeaderBytes)
    try {
      this.file.read(header, 0)
    } catch (error) {
      throw this.#context.status.goOffline('reading the log', this.path, error)
    }
    return headerFault(header, 0, this.size, undefined) === undefined ? maxTimestampOf(header, 0) : -1
  }

  #undoWrite(error: unknown): Error {
    if (!isDiskFull(error)) return this.#context.status.goOffline('writing to the log', this.path, error)
    this.truncateToSize()
    return diskFull(error, this.path)
  }
}
