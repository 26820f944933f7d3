import type { Disk, DiskFile } from '../../env/environment.ts'

/**
 * The files of segments, of which only so many are open at a time: those used last. A file that was written to stays open until
 * it is on the device, because the system may tell of a write that failed only whoever had the file open then; where more
 * than the bound were written to since the last flush, more are open.
 */
export class OpenFiles {
  readonly #disk: Disk
  readonly #most: number
  /** Those that are open, the one used last at the end. */
  readonly #open = new Set<SegmentFile>()
  #lastUsed: SegmentFile | undefined

  constructor(disk: Disk, most: number) {
    this.#disk = disk
    this.#most = most
  }

  get openCount(): number {
    return this.#open.size
  }

  /** A file that is opened when it is used, or made now. */
  file(path: string, options: { readonly create: boolean }): DiskFile {
    const file = new SegmentFile(this, path)
    if (options.create) file.adopt(this.#openOnDisk(file, true))
    return file
  }

  /** Opens the file where it is not, and takes note that it is used. */
  use(file: SegmentFile, handle: DiskFile | undefined): DiskFile {
    if (handle !== undefined && this.#lastUsed === file) return handle
    if (handle === undefined) return this.#openOnDisk(file, false)
    this.#open.delete(file)
    this.#open.add(file)
    this.#lastUsed = file
    return handle
  }

  forget(file: SegmentFile): void {
    this.#open.delete(file)
    if (this.#lastUsed === file) this.#lastUsed = undefined
  }

  #openOnDisk(file: SegmentFile, create: boolean): DiskFile {
    for (const oldest of this.#open) {
      if (this.#open.size < this.#most) break
      oldest.rest()
    }
    const handle = this.#disk.open(file.path, { create })
    this.#open.add(file)
    this.#lastUsed = file
    return handle
  }
}

/** A file that may be closed and opened again between two uses. */
class SegmentFile implements DiskFile {
  readonly path: string
  readonly #files: OpenFiles
  #handle: DiskFile | undefined
  /** Writes so far, and how many of them are on the device. */
  #writes = 0
  #syncedWrites = 0
  #syncs = 0
  #isClosed = false

  constructor(files: OpenFiles, path: string) {
    this.#files = files
    this.path = path
  }

  adopt(handle: DiskFile): void {
    this.#handle = handle
  }

  size(): number {
    return this.#opened().size()
  }

  read(into: Uint8Array, position: number): number {
    return this.#opened().read(into, position)
  }

  write(bytes: Uint8Array, position: number): void {
    this.#writes++
    this.#opened().write(bytes, position)
  }

  truncate(size: number): void {
    this.#writes++
    this.#opened().truncate(size)
  }

  async sync(): Promise<void> {
    const writes = this.#writes
    this.#syncs++
    try {
      await this.#opened().sync()
      this.#syncedWrites = Math.max(this.#syncedWrites, writes)
    } finally {
      this.#syncs--
    }
  }

  /** Closes it until it is used again, unless something of it is not on the device. */
  rest(): void {
    if (this.#writes > this.#syncedWrites || this.#syncs > 0) return
    this.#release()
  }

  close(): void {
    this.#isClosed = true
    this.#release()
  }

  #opened(): DiskFile {
    // A handle that was closed for good says so itself.
    if (this.#isClosed && this.#handle === undefined) this.#handle = closedFile
    if (this.#handle !== closedFile) this.#handle = this.#files.use(this, this.#handle)
    return this.#handle
  }

  #release(): void {
    this.#files.forget(this)
    this.#handle?.close()
    this.#handle = undefined
  }
}

function refuse(): never {
  throw Object.assign(new Error('EBADF: the file is closed'), { code: 'EBADF' })
}

const closedFile: DiskFile = {
  size: refuse,
  read: refuse,
  write: refuse,
  truncate: refuse,
  sync: async () => refuse(),
  close: () => {},
}
