import { DiskFaults, type DiskOperation } from './disk-faults.ts'
import { DiskSpace } from './disk-space.ts'
import type { Disk, DiskFile, DiskLock, Random } from './environment.ts'
import { type DirectoryEntry, MemoryDirectory } from './memory-directory.ts'
import { type DiskParts, MemoryFile } from './memory-file.ts'
import { SeededRandom } from './seeded-random.ts'
import { SystemError, type SystemErrorCode } from './system-error.ts'
import type { KeepUnsynced } from './unsynced-pages.ts'

export interface MemoryDiskOptions {
  /** The sum of all file sizes that the disk takes before `ENOSPC`; unlimited where not given. */
  readonly capacityBytes?: number
  /** Whether `crash` can be called; costs a copy of every page that is changed between two syncs. */
  readonly tracksCrashes?: boolean
  /** Decides what `crash` keeps and how much of a failed write is done. */
  readonly random?: Random
}

/**
 * A disk in memory. `memory:` clusters run on it; tests also make it fill up, fail and lose power. Its root directory is
 * there from the start; paths are taken from the root whether they begin with `/` or not.
 */
export class MemoryDisk implements Disk {
  readonly #parts: DiskParts
  readonly #root: MemoryDirectory

  constructor(options: MemoryDiskOptions = {}) {
    this.#parts = {
      space: new DiskSpace(options.capacityBytes),
      faults: new DiskFaults(),
      random: options.random ?? new SeededRandom(0),
      tracksCrashes: options.tracksCrashes ?? false,
    }
    this.#root = new MemoryDirectory(this.#parts.tracksCrashes)
  }

  /** The sum of the sizes of all files. */
  get usedBytes(): number {
    return this.#parts.space.usedBytes
  }

  /** The size of the disk; a test sets it to give room again, or to take it. */
  get capacityBytes(): number {
    return this.#parts.space.capacityBytes
  }

  set capacityBytes(bytes: number) {
    this.#parts.space.capacityBytes = bytes
  }

  open(path: string, options: { create?: boolean; isReadOnly?: boolean } = {}): DiskFile {
    this.#parts.faults.check('open', path)
    return this.#file(path, 'open', options.create === true).open(path)
  }

  exists(path: string): boolean {
    this.#parts.faults.checkPower('open', path)
    return this.#find(namesIn(path)) !== undefined
  }

  list(path: string): string[] {
    this.#parts.faults.check('list', path)
    return [...this.#directory(path, 'list').entries.keys()].sort()
  }

  makeDirectory(path: string): void {
    this.#parts.faults.check('makeDirectory', path)
    const names = namesIn(path)
    let directory = this.#root
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      const entry = directory.entries.get(name) ?? new MemoryDirectory(this.#parts.tracksCrashes)
      if (entry instanceof MemoryFile) {
        throw new SystemError(i === names.length - 1 ? 'EEXIST' : 'ENOTDIR', 'makeDirectory', path)
      }
      if (!directory.entries.has(name)) directory.add(name, entry)
      directory = entry
    }
  }

  rename(from: string, to: string): void {
    this.#parts.faults.check('rename', from)
    const source = this.#place(from, 'rename')
    const target = this.#place(to, 'rename')
    const entry = source.directory.entries.get(source.name)
    if (entry === undefined) throw new SystemError('ENOENT', 'rename', from)
    const replaced = target.directory.entries.get(target.name)
    if (replaced === entry) return
    if (isWithin(namesIn(to), namesIn(from))) throw new SystemError('EINVAL', 'rename', from)
    if (replaced !== undefined) checkReplaceable(replaced, entry, to)
    if (source.directory === target.directory) {
      source.directory.rename(source.name, target.name)
    } else {
      target.directory.add(target.name, entry)
      source.directory.remove(source.name)
    }
    if (replaced !== undefined) unname(replaced)
  }

  remove(path: string): void {
    this.#parts.faults.check('remove', path)
    const names = namesIn(path)
    const name = names.pop()
    const directory = this.#find(names)
    if (name === undefined || !(directory instanceof MemoryDirectory)) return
    const entry = directory.entries.get(name)
    if (entry === undefined) return
    directory.remove(name)
    unname(entry)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#parts.faults.check('syncDirectory', path)
    const directory = this.#directory(path, 'syncDirectory')
    const changes = directory.beginSync()
    await undefined
    this.#parts.faults.checkPower('syncDirectory', path)
    directory.completeSync(changes)
  }

  lock(path: string): DiskLock | undefined {
    this.#parts.faults.check('lock', path)
    const file = this.#file(path, 'lock', true)
    if (file.isLocked) return undefined
    file.isLocked = true
    file.retain()
    let isHeld = true
    return {
      release: () => {
        if (!isHeld) return
        isHeld = false
        file.isLocked = false
        file.release()
      },
    }
  }

  /**
   * Makes `count` calls of the operation fail, after the next `skips` calls of it. A failed write may have been done in
   * part; after a failed sync the bytes are not durable, and a later sync does not make them so.
   */
  failNext(operation: DiskOperation, code: SystemErrorCode, count = 1, skips = 0): void {
    this.#parts.faults.add(operation, code, count, skips)
  }

  /** Lets so many calls of any operation pass and turns the power off at the next: `crash` then gives what is found. */
  losePowerAfter(calls: number): void {
    this.#parts.faults.powerOffAfter(calls)
  }

  /** Inverts a bit of the byte at the position, as rot does: on the device too, and unnoticed. */
  flipBit(path: string, position: number, bit = 0): void {
    const { content } = this.#file(path, 'flipBit', false)
    const byte = new Uint8Array(1)
    if (content.read(byte, position) === 0) throw new SystemError('EINVAL', 'flipBit', path)
    byte[0]! ^= 1 << bit
    content.write(byte, position)
  }

  /**
   * Turns the power off and returns the disk as it is found when the power is back. Of what was not synced it holds nothing,
   * everything, or a random part: any of the pages (4 KiB) of a file, and the first so many changes of a directory. What
   * was opened before fails with `EIO` from now on. Called again, it gives another possible outcome of the same crash.
   */
  crash(options: { keepUnsynced: KeepUnsynced }): MemoryDisk {
    const { random, tracksCrashes, space } = this.#parts
    if (!tracksCrashes) throw new Error('crash: the disk was not made with tracksCrashes')
    this.#parts.faults.powerOff()
    const found = new MemoryDisk({ random, tracksCrashes })
    const copies = new Map<DirectoryEntry, DirectoryEntry>([[this.#root, found.#root]])
    found.#recover(this.#root, found.#root, options.keepUnsynced, copies)
    found.#parts.space.capacityBytes = space.capacityBytes
    return found
  }

  #recover(
    from: MemoryDirectory,
    to: MemoryDirectory,
    keep: KeepUnsynced,
    copies: Map<DirectoryEntry, DirectoryEntry>,
  ) {
    const { space, random } = this.#parts
    for (const [name, entry] of from.afterPowerLoss(keep, random)) {
      const known = copies.get(entry)
      if (known !== undefined) {
        to.add(name, known)
      } else if (entry instanceof MemoryFile) {
        const copy = new MemoryFile(this.#parts, entry.unsynced!.afterPowerLoss(keep, space, random))
        copies.set(entry, copy)
        to.add(name, copy)
      } else {
        const copy = new MemoryDirectory(true)
        copies.set(entry, copy)
        to.add(name, copy)
        this.#recover(entry, copy, keep, copies)
      }
    }
    // What is found after the crash is what the device has.
    to.completeSync(to.beginSync())
  }

  #find(names: readonly string[]): DirectoryEntry | undefined {
    let entry: DirectoryEntry | undefined = this.#root
    for (let i = 0; i < names.length && entry !== undefined; i++) {
      entry = entry instanceof MemoryDirectory ? entry.entries.get(names[i]!) : undefined
    }
    return entry
  }

  #directory(path: string, operation: string, names: readonly string[] = namesIn(path)): MemoryDirectory {
    const entry = this.#find(names)
    if (entry instanceof MemoryDirectory) return entry
    const isBelowFile = names.some((_, i) => this.#find(names.slice(0, i + 1)) instanceof MemoryFile)
    throw new SystemError(isBelowFile ? 'ENOTDIR' : 'ENOENT', operation, path)
  }

  /** The directory that a path's last name is in, or would be. */
  #place(path: string, operation: string): { directory: MemoryDirectory; name: string } {
    const names = namesIn(path)
    const name = names.pop()
    if (name === undefined) throw new SystemError('EISDIR', operation, path)
    return { directory: this.#directory(path, operation, names), name }
  }

  #file(path: string, operation: DiskOperation | 'flipBit', create: boolean): MemoryFile {
    const { directory, name } = this.#place(path, operation)
    const entry = directory.entries.get(name)
    if (entry instanceof MemoryFile) return entry
    if (entry !== undefined) throw new SystemError('EISDIR', operation, path)
    if (!create) throw new SystemError('ENOENT', operation, path)
    const file = new MemoryFile(this.#parts)
    directory.add(name, file)
    return file
  }
}

function namesIn(path: string): string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return names
}

function isWithin(names: readonly string[], directory: readonly string[]): boolean {
  return directory.every((name, i) => names[i] === name)
}

function checkReplaceable(replaced: DirectoryEntry, by: DirectoryEntry, path: string): void {
  if (replaced instanceof MemoryFile) {
    if (by instanceof MemoryDirectory) throw new SystemError('ENOTDIR', 'rename', path)
  } else if (by instanceof MemoryFile) {
    throw new SystemError('EISDIR', 'rename', path)
  } else if (replaced.entries.size > 0) {
    throw new SystemError('ENOTEMPTY', 'rename', path)
  }
}

function unname(entry: DirectoryEntry): void {
  if (entry instanceof MemoryFile) entry.loseName()
  else for (const child of entry.entries.values()) unname(child)
}
