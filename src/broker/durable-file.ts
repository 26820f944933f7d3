import type { Disk } from '../env/environment.ts'
import { systemCodeOf } from './disk-error.ts'

/** Puts the text in place of what the file held, all of it or nothing: also where the power fails on the way. */
export async function replaceFile(disk: Disk, directory: string, name: string, text: string): Promise<void> {
  const path = `${directory}/${name}`
  const temporaryPath = `${path}.tmp`
  const file = disk.open(temporaryPath, { create: true })
  try {
    file.truncate(0)
    file.write(Buffer.from(text), 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporaryPath, path)
  await disk.syncDirectory(directory)
}

export function readText(disk: Disk, path: string): string {
  const file = disk.open(path)
  try {
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    return bytes.toString()
  } finally {
    file.close()
  }
}

/**
 * Makes a directory and those above it that are missing, and sees to it that all of them are there after a power failure: also
 * where the last process made them, and was killed or its disk failed before it came to that.
 */
export async function makeDirectoryDurably(disk: Disk, path: string): Promise<void> {
  disk.makeDirectory(path)
  for (let child = path; parentOf(child) !== child; child = parentOf(child)) {
    try {
      await disk.syncDirectory(parentOf(child))
    } catch (error) {
      // Then nobody can have made something in it: it is another user's, read-only, or not of a disk.
      if (!unsyncable.has(systemCodeOf(error) ?? '')) throw error
    }
  }
}

const unsyncable: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL'])

function parentOf(path: string): string {
  const end = path.lastIndexOf('/')
  if (end < 0) return '.'
  return end === 0 ? '/' : path.slice(0, end)
}
