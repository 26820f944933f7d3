import type { Disk } from '../env/environment.ts'
import { MillraceError, messageOf } from '../errors.ts'

/**
 * The text of a file that the user has named.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function readTextFile(disk: Disk, path: string): string {
  try {
    const file = disk.open(path, { isReadOnly: true })
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    file.close()
    return bytes.toString()
  } catch (cause) {
    throw new MillraceError('INVALID_ARGUMENT', `The file cannot be read: ${messageOf(cause)}`, { at: { path }, cause })
  }
}
