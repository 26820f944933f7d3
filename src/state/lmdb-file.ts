import type { Disk } from '../env/environment.ts'

/** Where things lie in the first page of an LMDB file, in the byte order of the machine. */
const flagsAt = 18
const magicAt = 24
const versionAt = 28
const pageSizeAt = 48
const headBytes = 56

const metaPageFlag = 0x08
const magic = 0xbeefc0de
const dataVersion = 2

/**
 * What is wrong with the file, or undefined where LMDB can open it or make it. LMDB's binding for Node crashes the
 * process when it opens a file whose first page is not LMDB's, so that this must be seen before.
 */
export function flawOfLmdbFile(disk: Disk, path: string): string | undefined {
  if (!disk.exists(path)) return undefined
  const file = disk.open(path)
  try {
    const size = file.size()
    if (size === 0) return undefined
    const head = Buffer.alloc(headBytes)
    if (file.read(head, 0) < headBytes) return `it has only ${size} bytes`
    const isLittleEndian = head.readUInt32LE(magicAt) === magic
    if (!isLittleEndian && head.readUInt32BE(magicAt) !== magic) return 'it does not begin as an LMDB file does'
    const read16 = (at: number): number => (isLittleEndian ? head.readUInt16LE(at) : head.readUInt16BE(at))
    const pageSize = isLittleEndian ? head.readUInt32LE(pageSizeAt) : head.readUInt32BE(pageSizeAt)
    // The version is the lower half of a 32-bit word.
    const version = read16(isLittleEndian ? versionAt : versionAt + 2)
    if ((read16(flagsAt) & metaPageFlag) === 0) return 'its first page is damaged'
    if (version !== dataVersion) return `it is of version ${version}, not ${dataVersion}`
    if (size < 2 * pageSize) return `it was cut off at ${size} bytes`
    return undefined
  } finally {
    file.close()
  }
}
