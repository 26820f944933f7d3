import type { Disk, DiskFile } from '../../env/environment.ts'
import { batchSize, lastOffsetOf } from '../../record/batch-format.ts'
import { diskFull, fileUnusable, isDiskFull, isOutOfFiles } from '../disk-error.ts'
import type { DirectoryStatus } from './directory-status.ts'
import { OffsetIndex } from './offset-index.ts'

/** What a log's segments share. */
export interface SegmentContext {
  readonly disk: Disk
  readonly status: DirectoryStatus
  readonly indexIntervalBytes: number
}

/** The name of a segment's file: its base offset in 20 digits. */
export function segmentFileName(baseOffset: number, extension: '.log' | '.index'): string {
  return `${String(baseOffset).padStart(20, '0')}${extension}`
}

/**
 * One file of a partition's log, named by the offset of its first record, with its sparse index. Only the last segment of
 * a log is written to. `size` counts whole batches: what a failed write left behind them is cut off at once.
 */
export class Segment {
  readonly baseOffset: number
  readonly path: string
  readonly file: DiskFile
  readonly index: OffsetIndex
  /** Bytes of whole batches. */
  size = 0
  /** The offset after the last record. */
  nextOffset: number
  readonly #context: SegmentContext
  #sinceIndexEntryBytes = 0

  constructor(context: SegmentContext, directory: string, baseOffset: number, options?: { create: boolean }) {
    this.#context = context
    this.baseOffset = baseOffset
    this.nextOffset = baseOffset
    this.path = `${directory}/${segmentFileName(baseOffset, '.log')}`
    this.index = new OffsetIndex(`${directory}/${segmentFileName(baseOffset, '.index')}`, baseOffset)
    try {
      this.file = context.disk.open(this.path, options ?? {})
    } catch (error) {
      throw fileUnusable(error, 'opening a segment of the log', this.path)
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
      this.addBatch(lastOffsetOf(batches, start), size)
      start += size
    }
    if (this.index.hasFullRunUnsaved) this.saveIndex()
  }

  /** Counts a batch that is in the file, at `size`, and indexes it where an entry is due. */
  addBatch(lastOffset: number, batchBytes: number): void {
    if (this.#sinceIndexEntryBytes > this.#context.indexIntervalBytes) {
      this.index.append(lastOffset, this.size)
      this.#sinceIndexEntryBytes = 0
    }
    this.size += batchBytes
    this.#sinceIndexEntryBytes += batchBytes
    this.nextOffset = lastOffset + 1
  }

  /** Starts counting batches at a position in the file where one begins. */
  restartAt(position: number, nextOffset: number): void {
    this.index.truncateToPosition(position)
    this.size = position
    this.nextOffset = nextOffset
    this.#sinceIndexEntryBytes = position - this.index.lastPosition
  }

  /** Cuts the file to the batches that were counted. */
  truncateToSize(): void {
    try {
      this.file.truncate(this.size)
    } catch (error) {
      throw this.#context.status.goOffline('truncating the log', this.path, error)
    }
  }

  /** Writes the index to its file. Nothing is lost where there is no room for it: it is made again from the log. */
  saveIndex(): void {
    try {
      this.index.save(this.#context.disk)
    } catch (error) {
      if (isDiskFull(error) || isOutOfFiles(error)) return
      this.#context.status.goOffline('writing an index', this.index.path, error)
    }
  }

  /** Puts the batches on the device, and the index too once the segment is complete. */
  async sync(withIndex: boolean): Promise<void> {
    await this.file.sync()
    if (!withIndex || !this.#context.disk.exists(this.index.path)) return
    const file = this.#context.disk.open(this.index.path)
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }

  close(): void {
    this.file.close()
  }

  /** Closes the segment and removes its files. */
  remove(): void {
    this.close()
    this.#context.disk.remove(this.path)
    this.#context.disk.remove(this.index.path)
  }

  #undoWrite(error: unknown): Error {
    if (!isDiskFull(error)) return this.#context.status.goOffline('writing to the log', this.path, error)
    this.truncateToSize()
    return diskFull(error, this.path)
  }
}
