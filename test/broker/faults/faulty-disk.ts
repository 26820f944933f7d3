import type { Disk, DiskFile, DiskLock } from '../../../src/env/environment.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { SystemError } from '../../../src/env/system-error.ts'

/**
 * What goes wrong at a call of the disk: the call fails; or the disk is full from there on for some calls; or, as the power
 * goes, nothing, everything or a random part of what was not synced survives.
 */
export type Fault = 'EIO' | 'ENOSPC' | 'full for a while' | 'power, none kept' | 'power, all kept' | 'power, some kept'

export const faults: readonly Fault[] = [
  'EIO',
  'ENOSPC',
  'full for a while',
  'power, none kept',
  'power, all kept',
  'power, some kept',
]

const fullForCalls = 25

/** A disk on which one thing goes wrong, at a call whose number is given; it counts all calls that change or await something. */
export class FaultyDisk implements Disk {
  calls = 0
  readonly #disk: MemoryDisk
  readonly #fault: Fault | undefined
  readonly #at: number
  #found: MemoryDisk | undefined

  constructor(disk: MemoryDisk, fault?: Fault, at = -1) {
    this.#disk = disk
    this.#fault = fault
    this.#at = at
  }

  /** The disk as the next process finds it, after a loss of power where none has been, or with the machine still up. */
  found(keepUnsynced: 'none' | 'all' | 'random'): MemoryDisk {
    return this.#found ?? this.#disk.crash({ keepUnsynced })
  }

  open(path: string, options?: { create?: boolean }): DiskFile {
    const isMade = options?.create === true && !this.#disk.exists(path)
    const file = this.#step('open', path, isMade, () => this.#disk.open(path, options))
    return {
      size: () => file.size(),
      read: (into, position) => this.#step('read', path, false, () => file.read(into, position)),
      write: (bytes, position) => this.#write(file, path, bytes, position),
      truncate: (size) => this.#step('truncate', path, false, () => file.truncate(size)),
      sync: async () => this.#step('sync', path, true, () => file.sync()),
      close: () => file.close(),
    }
  }

  exists(path: string): boolean {
    return this.#disk.exists(path)
  }

  list(path: string): string[] {
    return this.#step('list', path, false, () => this.#disk.list(path))
  }

  makeDirectory(path: string): void {
    this.#step('makeDirectory', path, true, () => this.#disk.makeDirectory(path))
  }

  rename(from: string, to: string): void {
    this.#step('rename', from, true, () => this.#disk.rename(from, to))
  }

  remove(path: string): void {
    this.#step('remove', path, false, () => this.#disk.remove(path))
  }

  async syncDirectory(path: string): Promise<void> {
    return this.#step('syncDirectory', path, false, () => this.#disk.syncDirectory(path))
  }

  lock(path: string): DiskLock | undefined {
    return this.#disk.lock(path)
  }

  /** A failed write may have been done in part. */
  #write(file: DiskFile, path: string, bytes: Uint8Array, position: number): void {
    const half = Math.floor(bytes.length / 2)
    this.#step(
      'write',
      path,
      true,
      () => file.write(bytes, position),
      () => file.write(bytes.subarray(0, half), position),
    )
  }

  #step<T>(operation: string, path: string, takesSpace: boolean, run: () => T, runInPart = () => {}): T {
    const call = this.calls++
    if (this.#fault === undefined || call < this.#at) return run()
    if (this.#fault === 'full for a while') {
      // A sync that finds no room has lost what was written, a rename leaves a swap half done: these are failures of the
      // disk, after which it is off, and tried as such.
      const isFailure = operation === 'sync' || operation === 'rename'
      if (call >= this.#at + fullForCalls || !takesSpace || isFailure) return run()
      runInPart()
      throw new SystemError('ENOSPC', operation, path)
    }
    if (call > this.#at) return run()
    if (this.#fault === 'ENOSPC' && !takesSpace) return run()
    if (this.#fault === 'EIO' || this.#fault === 'ENOSPC') {
      runInPart()
      throw new SystemError(this.#fault, operation, path)
    }
    const keeps = { 'power, none kept': 'none', 'power, all kept': 'all', 'power, some kept': 'random' } as const
    runInPart()
    this.#found = this.#disk.crash({ keepUnsynced: keeps[this.#fault] })
    return run()
  }
}
