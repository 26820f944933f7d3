import type { Disk } from '../../env/environment.ts'
import { isDiskFull, isOutOfFiles } from '../disk-error.ts'
import type { DirectoryStatus } from './directory-status.ts'
import type { ProducerEntry } from './producer-entry.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
import { segmentFileName } from './segment.ts'

export interface ProducerSnapshot {
  /** The state is that of the log below it. */
  readonly offset: number
  readonly entries: readonly ProducerEntry[]
}

const none: ProducerSnapshot = { offset: 0, entries: [] }

/**
 * The snapshot files of a log's directory, named by the offset up to which they say what is known of producers. They only
 * save reading the log again: each has a checksum, and one that is not there or not right is done without.
 */
export class ProducerSnapshots {
  readonly #disk: Disk
  readonly #status: DirectoryStatus
  readonly #directory: string
  /** In order. */
  #offsets: number[]
  #hasTakenBack = false

  constructor(disk: Disk, status: DirectoryStatus, directory: string) {
    this.#disk = disk
    this.#status = status
    this.#directory = directory
    const names = disk.exists(directory) ? disk.list(directory) : []
    this.#offsets = names.filter((name) => /^\d{20}\.snapshot$/.test(name)).map((name) => Number(name.slice(0, 20)))
  }

  /** Whether one was removed that is not true of the log: until the directory is synced, a crash may bring it back. */
  get hasTakenBack(): boolean {
    return this.#hasTakenBack
  }

  /** Writes one, unless there is one of that offset. Where there is no room for it, the log is read again instead. */
  write(offset: number, entries: Iterable<ProducerEntry>): void {
    const last = this.#offsets.at(-1) ?? 0
    if (offset <= last) return
    const path = this.#pathOf(offset)
    try {
      const file = this.#disk.open(path, { create: true })
      try {
        file.truncate(0)
        file.write(encodeProducerSnapshot(entries), 0)
      } finally {
        file.close()
      }
      this.#offsets.push(offset)
    } catch (error) {
      if (!isDiskFull(error) && !isOutOfFiles(error))
        this.#status.goOffline('writing a snapshot of producers', path, error)
    }
  }

  /** The last that is right and not above the offset; removes those that are above it or wrong. */
  latestUpTo(offset: number): ProducerSnapshot {
    for (let last = this.#offsets.at(-1); last !== undefined; last = this.#offsets.at(-1)) {
      const entries = last <= offset ? decodeProducerSnapshot(this.#read(last)) : undefined
      if (entries !== undefined) return { offset: last, entries }
      this.#remove(last)
      this.#hasTakenBack = true
    }
    return none
  }

  /** Removes those below the offset, which the log does not reach back to. */
  removeBelow(offset: number): void {
    for (const below of this.#offsets.filter((at) => at < offset)) this.#remove(below)
  }

  /** Removes those that are neither at the start of a segment nor the last one. */
  removeStray(segmentOffsets: ReadonlySet<number>): void {
    for (const stray of this.#offsets.slice(0, -1).filter((at) => !segmentOffsets.has(at))) this.#remove(stray)
  }

  #read(offset: number): Buffer {
    const file = this.#disk.open(this.#pathOf(offset))
    try {
      const bytes = Buffer.alloc(file.size())
      file.read(bytes, 0)
      return bytes
    } finally {
      file.close()
    }
  }

  #remove(offset: number): void {
    this.#disk.remove(this.#pathOf(offset))
    this.#offsets = this.#offsets.filter((at) => at !== offset)
  }

  #pathOf(offset: number): string {
    return `${this.#directory}/${segmentFileName(offset, '.snapshot')}`
  }
}
