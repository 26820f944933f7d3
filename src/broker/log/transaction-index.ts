import { readInt64, writeInt64 } from '../../bytes/int64.ts'
import type { Disk, DiskFile } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'

/** Version int16, then producer id, first offset, last offset and last stable offset, int64 each. */
const entryBytes = 34
const version = 0

/** A transaction that was aborted, in one partition. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The marker's. */
  readonly lastOffset: number
  /** Up to where everything was decided when it was aborted, itself included. */
  readonly lastStableOffset: number
}

/**
 * The aborted transactions whose markers are in one segment, in the order of the markers: Kafka's `.txnindex` file
 * (org.apache.kafka.storage.internals.log.TransactionIndex). There is no file before the first one. An entry is written
 * before its marker, so that no reader is shown what was aborted because there was room for the one and not for the other;
 * recovery takes away entries that have no marker.
 */
export class TransactionIndex {
  readonly path: string
  readonly #disk: Disk
  /** Read when they are first asked for. */
  #entries: AbortedTransaction[] | undefined
  /** How many of them, from the first on, come from the file and were not compared with the log. */
  #uncheckedEntries = 0
  #isUnsynced = false

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.path = path
  }

  append(aborted: AbortedTransaction): void {
    const entries = this.entries()
    const bytes = Buffer.alloc(entryBytes)
    bytes.writeInt16BE(version, 0)
    writeInt64(bytes, 2, aborted.producerId)
    writeInt64(bytes, 10, aborted.firstOffset)
    writeInt64(bytes, 18, aborted.lastOffset)
    writeInt64(bytes, 26, aborted.lastStableOffset)
    this.#isUnsynced = true
    this.#withFile((file) => file.write(bytes, entries.length * entryBytes))
    entries.push(aborted)
  }

  /** @throws MillraceError CORRUPT_BATCH where the file is not an index. */
  entries(): AbortedTransaction[] {
    if (this.#entries === undefined) {
      this.#entries = this.#disk.exists(this.path) ? this.#withFile((file) => readEntries(file, this.path)) : []
      this.#uncheckedEntries = this.#entries.length
    }
    return this.#entries
  }

  /** Whether the file is an index of markers from the one offset up to, but not including, the other. */
  isOf(baseOffset: number, nextOffset: number): boolean {
    try {
      return this.entries().every(({ lastOffset }) => lastOffset >= baseOffset && lastOffset < nextOffset)
    } catch (error) {
      if (error instanceof MillraceError) return false
      throw error
    }
  }

  /**
   * Compares what comes from the file with the log, once.
   * @throws MillraceError CORRUPT_BATCH where one of them is not right
   */
  check(isRight: (aborted: AbortedTransaction) => boolean): void {
    const entries = this.entries()
    for (; this.#uncheckedEntries > 0; this.#uncheckedEntries--) {
      const last = Math.min(this.#uncheckedEntries, entries.length) - 1
      if (last >= 0 && !isRight(entries[last] as AbortedTransaction)) throw damaged(this.path, last * entryBytes)
    }
  }

  /**
   * Adds those with records from the one offset up to, but not including, the other; whether that is all of them, so that
   * later segments need not be asked.
   */
  collect(from: number, to: number, found: AbortedTransaction[]): boolean {
    const entries = this.entries()
    for (let i = firstEndingAt(entries, from); i < entries.length; i++) {
      const aborted = entries[i] as AbortedTransaction
      if (aborted.firstOffset < to) found.push(aborted)
      if (aborted.lastStableOffset >= to) return true
    }
    return false
  }

  /** Takes away all of them, whatever the file holds. */
  clear(): void {
    this.#entries = []
    this.#uncheckedEntries = 0
    if (!this.#disk.exists(this.path)) return
    this.#isUnsynced = true
    this.#withFile((file) => file.truncate(0))
  }

  /** Takes away the transactions whose markers are at the offset or behind it. */
  truncate(offset: number): void {
    const entries = this.entries()
    const kept = entries.filter((aborted) => aborted.lastOffset < offset)
    if (kept.length === entries.length) return
    this.#entries = kept
    this.#isUnsynced = true
    this.#withFile((file) => file.truncate(kept.length * entryBytes))
  }

  /** Puts what was written on the device. */
  async sync(): Promise<void> {
    if (!this.#isUnsynced) return
    this.#isUnsynced = false
    if (!this.#disk.exists(this.path)) return
    const file = this.#disk.open(this.path)
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }

  #withFile<T>(use: (file: DiskFile) => T): T {
    const file = this.#disk.open(this.path, { create: true })
    try {
      return use(file)
    } finally {
      file.close()
    }
  }
}

/** The index of the first transaction whose marker is at the offset or behind it. */
function firstEndingAt(entries: readonly AbortedTransaction[], offset: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as AbortedTransaction).lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** A part of an entry at the end is what a crash left of one whose marker was not written either. */
function readEntries(file: DiskFile, path: string): AbortedTransaction[] {
  const bytes = Buffer.alloc(Math.floor(file.size() / entryBytes) * entryBytes)
  file.read(bytes, 0)
  const entries: AbortedTransaction[] = []
  for (let at = 0; at < bytes.length; at += entryBytes) {
    const aborted = readEntry(bytes, at)
    const isRight = bytes.readInt16BE(at) === version && aborted.firstOffset < aborted.lastOffset
    if (!isRight || aborted.lastOffset <= (entries.at(-1)?.lastOffset ?? -1)) throw damaged(path, at)
    entries.push(aborted)
  }
  return entries
}

function readEntry(bytes: Buffer, at: number): AbortedTransaction {
  return {
    producerId: readInt64(bytes, at + 2),
    firstOffset: readInt64(bytes, at + 10),
    lastOffset: readInt64(bytes, at + 18),
    lastStableOffset: readInt64(bytes, at + 26),
  }
}

function damaged(path: string, position: number): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `The index of aborted transactions is damaged at position ${position}`, {
    at: { path },
    remedy: 'Stop the process and remove the file and the snapshots beside it: both are made again from the log.',
  })
}
