import type { Disk, DiskFile, DiskLock } from '../../src/env/environment.ts'
import type { MemoryDisk } from '../../src/env/memory-disk.ts'

/**
 * A disk whose power fails at the n-th operation that changes something or waits for the device: exactly between two steps
 * of whatever protocol runs on it. Waiting takes a turn of the event loop, so that others get in between as they do in life.
 */
export class CrashingDisk implements Disk {
  readonly #disk: MemoryDisk
  readonly #keepUnsynced: 'none' | 'all' | 'random'
  #left: number
  /** The disk as it is found after the crash. */
  found: MemoryDisk | undefined

  constructor(disk: MemoryDisk, operations: number, keepUnsynced: 'none' | 'all' | 'random') {
    this.#disk = disk
    this.#left = operations
    this.#keepUnsynced = keepUnsynced
  }

  /** Fails the power now, unless that has happened. */
  crash(): MemoryDisk {
    this.found ??= this.#disk.crash({ keepUnsynced: this.#keepUnsynced })
    return this.found
  }

  open(path: string, options?: { create?: boolean }): DiskFile {
    const file = this.#disk.open(path, options)
    return {
      size: () => file.size(),
      read: (into, position) => file.read(into, position),
      write: (bytes, position) => this.#step(() => file.write(bytes, position)),
      truncate: (size) => this.#step(() => file.truncate(size)),
      sync: () => this.#wait(() => file.sync()),
      close: () => file.close(),
    }
  }

  exists(path: string): boolean {
    return this.#disk.exists(path)
  }

  list(path: string): string[] {
    return this.#disk.list(path)
  }

  makeDirectory(path: string): void {
    this.#step(() => this.#disk.makeDirectory(path))
  }

  rename(from: string, to: string): void {
    this.#step(() => this.#disk.rename(from, to))
  }

  remove(path: string): void {
    this.#step(() => this.#disk.remove(path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#wait(() => this.#disk.syncDirectory(path))
  }

  lock(path: string): DiskLock | undefined {
    return this.#disk.lock(path)
  }

  #step(operation: () => void): void {
    this.#count()
    operation()
  }

  async #wait(operation: () => Promise<void>): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#count()
    await operation()
  }

  #count(): void {
    if (this.#left-- <= 0) {
      this.crash()
      throw Object.assign(new Error('EIO: the power has failed'), { code: 'EIO' })
    }
  }
}
