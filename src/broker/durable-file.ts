import type { Disk } from '../env/environment.ts'

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

/** Makes a directory and those above it that are missing, so that they are there after a power failure too. */
export async function makeDirectoryDurably(disk: Disk, path: string): Promise<void> {
  const missing: string[] = []
  for (let child = path; !disk.exists(child); child = parentOf(child)) missing.push(child)
  disk.makeDirectory(path)
  try {
    for (const child of missing) await disk.syncDirectory(parentOf(child))
  } catch (error) {
    // Were they left, the next attempt would take them for durable.
    const topmost = missing.at(-1)
    if (topmost !== undefined) disk.remove(topmost)
    throw error
  }
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/')
  if (end < 0) return '.'
  return end === 0 ? '/' : path.slice(0, end)
}
