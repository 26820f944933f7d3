import {
  baseOffsetOf,
  batchHeaderBytes,
  batchSize,
  checksumOf,
  computeChecksum,
  currentMagic,
  lastOffsetDeltaAt,
  magicOf,
  maxTimestampAt,
} from '../../record/batch-format.ts'

/** High half of the largest offset or timestamp that a JavaScript number holds exactly. */
export const maxHigh = 0x1fffff

/**
 * Why the bytes at `start` are not the header of a batch that begins with the given offset (undefined: with any; with gaps: or a later one);
 * undefined where they are. The offset and the length are not covered by the batch's checksum, so they are held against
 * what must be there. `end` is where the bytes end that the whole batch must fit in.
 */
export function headerFault(
  bytes: Buffer,
  start: number,
  end: number,
  baseOffset: number | undefined,
  allowsGaps = false,
): string | undefined {
  if (start + batchHeaderBytes > end) return 'its header is cut off'
  const size = batchSize(bytes, start)
  if (size < batchHeaderBytes) return `its length cannot be ${size} bytes`
  if (start + size > end) return `it should have ${size} bytes, but ${end - start} are left`
  if (magicOf(bytes, start) !== currentMagic) return `its magic number is ${magicOf(bytes, start)}, not ${currentMagic}`
  if (bytes.readInt32BE(start + lastOffsetDeltaAt) < 0) return 'its last offset is below its first'
  const offsetHigh = bytes.readInt32BE(start)
  if (offsetHigh < 0 || offsetHigh > maxHigh) return 'its first offset is out of range'
  const timestampHigh = bytes.readInt32BE(start + maxTimestampAt)
  if (timestampHigh < -maxHigh || timestampHigh > maxHigh) return 'its largest timestamp is out of range'
  const offset = baseOffsetOf(bytes, start)
  if (baseOffset === undefined || offset === baseOffset || (allowsGaps && offset > baseOffset)) return undefined
  return `its first offset is ${offset}, not ${baseOffset}`
}

/** Why the checksum of a whole batch does not match; undefined where it does. */
export function checksumFault(bytes: Buffer, start: number): string | undefined {
  const actual = computeChecksum(bytes, start)
  const stated = checksumOf(bytes, start)
  return actual === stated ? undefined : `its checksum is ${hex(actual)}, not ${hex(stated)}`
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
