import fs from 'node:fs'
import { join } from 'node:path'

const chunkBytes = 64 * 1024 * 1024
/** What the system keeps free by itself, more or less. */
const leastFreeBytes = 1024 * 1024 * 1024

/**
 * Writes a file until the system's page cache has all memory, as on a machine on which a broker has run for a while: from then on
 * what is written takes the pages of what was cached before. On a virtual machine that has just been started the first use of
 * each page costs a call of its hypervisor instead, which takes longer than everything else that a broker does with a page.
 * Returns what removes the file; undefined where the system does not tell (other than Linux) or the disk has no room.
 */
export function fillPageCache(directory: string): (() => void) | undefined {
  const free = freeMemoryBytes()
  const { bavail, bsize } = fs.statfsSync(directory)
  if (free === undefined || bavail * bsize < 2 * free) return undefined
  const path = join(directory, `filler-${process.pid}`)
  const remove = () => fs.rmSync(path, { force: true })
  const file = fs.openSync(path, 'w')
  try {
    const chunk = Buffer.alloc(chunkBytes)
    for (let left = free; left > 0 && (freeMemoryBytes() ?? 0) > leastFreeBytes; left -= chunkBytes) {
      fs.writeSync(file, chunk)
    }
    fs.fsyncSync(file)
  } catch (error) {
    remove()
    throw error
  } finally {
    fs.closeSync(file)
  }
  return remove
}

function freeMemoryBytes(): number | undefined {
  try {
    const found = /^MemFree: +(\d+) kB$/m.exec(fs.readFileSync('/proc/meminfo', 'utf8'))
    return found === null ? undefined : Number(found[1]) * 1024
  } catch {
    return undefined
  }
}
