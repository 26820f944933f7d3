import { writeInt64 } from '../bytes/int64.ts'
import { MillraceError } from '../errors.ts'

/** How many keys or values a store keeps in memory beyond a commit, where nothing else is said. */
export const defaultHotEntries = 1_000_000

/** The eight bytes of a time (at most 2^53 - 1, not negative), which are ordered as times are. */
export function timeKey(time: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  writeInt64(bytes, 0, time)
  return bytes
}

/**
 * Where the user's key ends in a changelog key that has `suffixBytes` of numbers after it.
 * @throws MillraceError SERDE_FAILED where the changelog key is too short to be one.
 */
export function endsInNumbers(store: string, changelogKey: Buffer, suffixBytes: number): number {
  const keyEnd = changelogKey.length - suffixBytes
  if (keyEnd >= 0) return keyEnd
  throw new MillraceError('SERDE_FAILED', `The changelog has a key of ${changelogKey.length} bytes`, {
    at: { store },
    remedy: `Keys of this store's changelog end in ${suffixBytes} bytes of times. Is it the changelog of another store?`,
  })
}
