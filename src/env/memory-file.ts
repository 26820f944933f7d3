import { assert } from '../errors.ts'
import type { DiskFaults, DiskOperation } from './disk-faults.ts'
import type { DiskSpace } from './disk-space.ts'
import type { DiskFile, Random } from './environment.ts'
import { FileContent } from './file-content.ts'
import { SystemError } from './system-error.ts'
import { UnsyncedPages } from './unsynced-pages.ts'

/** 16 TiB, as ext4 has it: a position beyond it is more likely a mistake than a file. */
const largestBytes = 2 ** 44

const synced = Promise.resolve()

/** What the files of one in-memory disk share. */
export interface DiskParts {
  readonly space: DiskSpace
  readonly faults: DiskFaults
  readonly random: Random
  readonly tracksCrashes: boolean
}

/** A file of an in-memory disk. As on a real one it lives until it has no name and nobody has it open. */
export class MemoryFile {
  readonly content: FileContent
  readonly unsynced: UnsyncedPages | undefined
  readonly #parts: DiskParts
  #handles = 0
  #isNamed = true
  isLocked = false

  constructor(parts: DiskParts, content: FileContent = new FileContent(parts.space)) {
    this.#parts = parts
    this.content = content
    this.unsynced = parts.tracksCrashes ? new UnsyncedPages(content) : undefined
  }

  open(path: string): DiskFile {
    this.retain()
    return new OpenFile(this, this.#parts, path)
  }

  retain(): void {
    this.#handles += 1
  }

  release(): void {
    this.#handles -= 1
    this.#freeIfUnused()
  }

  loseName(): void {
    this.#isNamed = false
    this.#freeIfUnused()
  }

  #freeIfUnused(): void {
    if (this.#handles > 0 || this.#isNamed) return
    // After a power loss the name may be back, and the bytes with it.
    if (this.unsynced === undefined) this.content.truncate(0)
    else this.#parts.space.usedBytes -= this.content.size
  }
}

class OpenFile implements DiskFile {
  readonly #file: MemoryFile
  readonly #parts: DiskParts
  readonly #path: string
  #isClosed = false

  constructor(file: MemoryFile, parts: DiskParts, path: string) {
    this.#file = file
    this.#parts = parts
    this.#path = path
  }

  size(): number {
    this.#begin('size')
    return this.#file.content.size
  }

  read(into: Uint8Array, position: number): number {
    assert(position >= 0, 'a position in a file is not negative')
    this.#begin('read')
    return this.#file.content.read(into, position)
  }

  write(bytes: Uint8Array, position: number): void {
    assert(position >= 0, 'a position in a file is not negative')
    this.#checkUsable('write')
    if (position + bytes.length > largestBytes) throw new SystemError('EFBIG', 'write', this.#path)
    const failure = this.#parts.faults.next('write', this.#path)
    if (failure !== undefined) {
      this.#write(bytes.subarray(0, this.#parts.random.uint32() % (bytes.length + 1)), position)
      throw failure
    }
    if (this.#write(bytes, position) < bytes.length) throw new SystemError('ENOSPC', 'write', this.#path)
  }

  truncate(size: number): void {
    assert(size >= 0, 'the size of a file is not negative')
    this.#begin('truncate')
    if (size > largestBytes) throw new SystemError('EFBIG', 'truncate', this.#path)
    const { content, unsynced } = this.#file
    if (size < content.size) unsynced?.remember(size, content.size)
    if (!content.truncate(size)) throw new SystemError('ENOSPC', 'truncate', this.#path)
  }

  sync(): Promise<void> {
    const { unsynced } = this.#file
    if (unsynced !== undefined) return this.#syncTracked(unsynced)
    try {
      this.#begin('sync')
      return synced
    } catch (failure) {
      return Promise.reject(failure)
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#file.release()
  }

  /** The device is done a moment later: a power loss in between still takes what was not on it. */
  async #syncTracked(unsynced: UnsyncedPages): Promise<void> {
    this.#checkUsable('sync')
    const failure = this.#parts.faults.next('sync', this.#path)
    const period = unsynced.beginSync()
    await undefined
    this.#parts.faults.checkPower('sync', this.#path)
    if (failure === undefined) return unsynced.completeSync(period)
    unsynced.failSync(period)
    throw failure
  }

  #write(bytes: Uint8Array, position: number): number {
    this.#file.unsynced?.remember(position, position + bytes.length)
    return this.#file.content.write(bytes, position)
  }

  #begin(operation: DiskOperation): void {
    this.#checkUsable(operation)
    this.#parts.faults.check(operation, this.#path)
  }

  #checkUsable(operation: DiskOperation): void {
    this.#parts.faults.checkPower(operation, this.#path)
    if (this.#isClosed) throw new SystemError('EBADF', operation, this.#path)
  }
}
