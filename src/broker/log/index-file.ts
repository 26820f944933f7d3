import type { Disk, DiskFile } from '../../env/environment.ts'

/** New entries are written to the file in runs of at least this many bytes: one page. */
const runBytes = 4_096
/** The file is read in pieces of this size. */
const pieceBytes = 65_536

const nothing: Buffer = Buffer.alloc(0)

/**
 * A segment's index: entries of one size, one after the other, in an order that does not change. The first ones are in the
 * file, and looked up there; those that were not saved yet are in memory, which is a page of them as long as there is room
 * on the disk. The file only saves a scan at the next start, and can always be made again from the log.
 */
export class IndexFile {
  readonly path: string
  readonly entryBytes: number
  readonly #disk: Disk
  /** Entries of the file that are right. */
  #savedLength = 0
  #isExact = false
  /** Those behind them. */
  #unsaved: Buffer = nothing
  #unsavedLength = 0
  /** Whether something was written to the file that was not put on the device. */
  #isUnsynced = false

  constructor(disk: Disk, path: string, entryBytes: number) {
    this.#disk = disk
    this.path = path
    this.entryBytes = entryBytes
  }

  get length(): number {
    return this.#savedLength + this.#unsavedLength
  }

  get sizeBytes(): number {
    return this.length * this.entryBytes
  }

  /** Whether the file holds the entries that are right and nothing else. */
  get isExact(): boolean {
    return this.#isExact
  }

  /** Whether there is nothing to save. */
  get isSaved(): boolean {
    return this.#unsavedLength === 0 && this.#isExact
  }

  get hasFullRunUnsaved(): boolean {
    return this.#unsavedLength * this.entryBytes >= runBytes
  }

  /** What of it is in memory. */
  get memoryBytes(): number {
    return this.#unsaved.length
  }

  /** Adds an entry; `write` is given where it goes. */
  append(write: (bytes: Buffer, at: number) => void): void {
    const at = this.#unsavedLength * this.entryBytes
    if (at + this.entryBytes > this.#unsaved.length) {
      const larger = Buffer.alloc(Math.max(this.#unsaved.length * 2, this.entryBytes * 32))
      this.#unsaved.copy(larger)
      this.#unsaved = larger
    }
    write(this.#unsaved, at)
    this.#unsavedLength++
  }

  /** How many entries there are up to the first that is not accepted, behind which none is. */
  countWhile(accepts: (bytes: Buffer, at: number) => boolean): number {
    const isUnsavedAt = (i: number) => accepts(this.#unsaved, i * this.entryBytes)
    if (this.#savedLength === 0 || (this.#unsavedLength > 0 && isUnsavedAt(0))) {
      return this.#savedLength + partition(0, this.#unsavedLength, isUnsavedAt)
    }
    if (!this.#disk.exists(this.path)) return 0
    const entriesAtOnce = Math.floor(runBytes / this.entryBytes)
    const bytes = Buffer.alloc(entriesAtOnce * this.entryBytes)
    return this.#withFile((file) => {
      let low = 0
      let high = this.#savedLength
      while (high - low > entriesAtOnce) {
        const middle = (low + high) >>> 1
        this.#read(file, bytes.subarray(0, this.entryBytes), middle)
        if (accepts(bytes, 0)) low = middle + 1
        else high = middle
      }
      this.#read(file, bytes.subarray(0, (high - low) * this.entryBytes), low)
      return low + partition(0, high - low, (i) => accepts(bytes, i * this.entryBytes))
    })
  }

  /** The bytes of an entry. */
  entry(i: number): Buffer {
    const { entryBytes } = this
    if (i >= this.#savedLength) {
      const at = (i - this.#savedLength) * entryBytes
      return this.#unsaved.subarray(at, at + entryBytes)
    }
    const bytes = Buffer.alloc(entryBytes)
    if (this.#disk.exists(this.path)) this.#withFile((file) => this.#read(file, bytes, i))
    return bytes
  }

  /** The entries from `length` on are no longer right. */
  truncate(length: number): void {
    if (length >= this.#savedLength) {
      this.#unsavedLength = Math.min(this.#unsavedLength, length - this.#savedLength)
      return
    }
    this.#isExact = false
    this.#savedLength = length
    this.#unsavedLength = 0
  }

  /** There are no entries, whatever the file holds. */
  clear(): void {
    this.#savedLength = 0
    this.#isExact = false
    this.#unsavedLength = 0
  }

  /** Writes the entries behind those that the file has; what it held behind them is gone. */
  save(): void {
    if (this.isSaved) return
    this.#isUnsynced = true
    this.#isExact = false
    const file = this.#disk.open(this.path, { create: true })
    const end = this.#savedLength * this.entryBytes
    try {
      file.truncate(end)
      file.write(this.#unsaved.subarray(0, this.#unsavedLength * this.entryBytes), end)
    } finally {
      file.close()
    }
    this.#savedLength += this.#unsavedLength
    this.#unsavedLength = 0
    this.#isExact = true
  }

  /** Takes what is not right out of the file, which goes altogether where nothing of it is. Needs no room on the disk. */
  cut(): void {
    if (this.#isExact) return
    if (this.#savedLength === 0) {
      this.#disk.remove(this.path)
      return
    }
    if (!this.#disk.exists(this.path)) return
    this.#isUnsynced = true
    this.#withFile((file) => file.truncate(this.#savedLength * this.entryBytes))
    this.#isExact = true
  }

  /** Empties the file, on the device too, where nothing of it is right. */
  async wipe(): Promise<void> {
    if (this.#isExact || this.#savedLength > 0 || !this.#disk.exists(this.path)) return
    this.#isUnsynced = true
    this.#withFile((file) => file.truncate(0))
    await this.sync()
  }

  /** Gives back the memory for entries to come: there are few, if any. */
  rest(): void {
    if (this.#unsavedLength === 0) this.#unsaved = nothing
  }

  /**
   * Takes the whole entries of the file for the index, after a look at each in order; where one is not accepted the index is
   * empty. Whether it was taken: not where there is no file.
   */
  load(accepts: (bytes: Buffer, at: number) => boolean): boolean {
    this.clear()
    if (!this.#disk.exists(this.path)) return false
    const file = this.#disk.open(this.path)
    try {
      const size = file.size()
      const length = Math.floor(size / this.entryBytes)
      if (!this.#isRight(file, length, accepts)) return false
      this.#savedLength = length
      this.#isExact = length * this.entryBytes === size
      return true
    } finally {
      file.close()
    }
  }

  /** Puts what was written on the device. */
  async sync(): Promise<void> {
    if (!this.#isUnsynced || !this.#disk.exists(this.path)) return
    this.#isUnsynced = false
    const file = this.#disk.open(this.path)
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }

  #isRight(file: DiskFile, length: number, accepts: (bytes: Buffer, at: number) => boolean): boolean {
    const entriesAtOnce = Math.floor(pieceBytes / this.entryBytes)
    const piece = Buffer.alloc(Math.min(entriesAtOnce, length) * this.entryBytes)
    for (let from = 0; from < length; from += entriesAtOnce) {
      const bytes = piece.subarray(0, Math.min(entriesAtOnce, length - from) * this.entryBytes)
      this.#read(file, bytes, from)
      for (let at = 0; at < bytes.length; at += this.entryBytes) if (!accepts(bytes, at)) return false
    }
    return true
  }

  /** Entries that the file does not have any more, whoever cut it, are zeros: they are as good as any that is too small. */
  #read(file: DiskFile, into: Buffer, entry: number): void {
    const count = file.read(into, entry * this.entryBytes)
    if (count < into.length) into.fill(0, count)
  }

  #withFile<T>(use: (file: DiskFile) => T): T {
    const file = this.#disk.open(this.path)
    try {
      return use(file)
    } finally {
      file.close()
    }
  }
}

/** The first of `[low, high)` that is not accepted, behind which none is; `high` where all are. */
function partition(low: number, high: number, accepts: (i: number) => boolean): number {
  let from = low
  let to = high
  while (from < to) {
    const middle = (from + to) >>> 1
    if (accepts(middle)) from = middle + 1
    else to = middle
  }
  return from
}
