import type { Disk } from '../../env/environment.ts'

/** New entries are written to the file in runs of at least this many bytes: one page. */
const runBytes = 4_096

/**
 * The file of a segment's index: entries of one size, one after the other. It only saves a scan at the next start, is
 * written in runs, and can always be made again from the log.
 */
export class IndexFile {
  path: string
  readonly entryBytes: number
  /** Entries of the file that are right. */
  #savedLength = 0
  #isExact = false
  /** Whether something was written to the file that was not put on the device. */
  isUnsynced = false

  constructor(path: string, entryBytes: number) {
    this.path = path
    this.entryBytes = entryBytes
  }

  /** Whether the file holds the entries that are right and nothing else. */
  get isExact(): boolean {
    return this.#isExact
  }

  hasFullRun(length: number): boolean {
    return (length - this.#savedLength) * this.entryBytes >= runBytes
  }

  /** The entries from `length` on are no longer right. */
  truncate(length: number): void {
    if (length < this.#savedLength) this.#isExact = false
    this.#savedLength = Math.min(this.#savedLength, length)
  }

  /** Nothing of what the file holds is right. */
  clear(): void {
    this.#savedLength = 0
    this.#isExact = false
  }

  /** Writes the entries behind those that the file has; what it held behind them is gone. `encode` gives their bytes. */
  save(disk: Disk, length: number, encode: (from: number) => Buffer): void {
    if (this.#savedLength === length && this.#isExact) return
    const bytes = encode(this.#savedLength)
    this.isUnsynced = true
    const file = disk.open(this.path, { create: true })
    try {
      file.truncate(this.#savedLength * this.entryBytes)
      file.write(bytes, this.#savedLength * this.entryBytes)
      this.#savedLength = length
      this.#isExact = true
    } finally {
      file.close()
    }
  }

  /** The whole entries of the file, which are right until `clear`; undefined where there is no file. */
  load(disk: Disk): Buffer | undefined {
    this.clear()
    if (!disk.exists(this.path)) return undefined
    const file = disk.open(this.path)
    try {
      const bytes = Buffer.alloc(Math.floor(file.size() / this.entryBytes) * this.entryBytes)
      file.read(bytes, 0)
      this.#savedLength = bytes.length / this.entryBytes
      this.#isExact = bytes.length === file.size()
      return bytes
    } finally {
      file.close()
    }
  }

  /** Puts what was written on the device. */
  async sync(disk: Disk): Promise<void> {
    if (!this.isUnsynced || !disk.exists(this.path)) return
    this.isUnsynced = false
    const file = disk.open(this.path)
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }
}
