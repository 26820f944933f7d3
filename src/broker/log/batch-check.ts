import { MillraceError, type Place } from '../../errors.ts'
import {
  baseOffsetOf,
  batchHeaderBytes,
  batchSize,
  checksumOf,
  computeChecksum,
  currentMagic,
  lastOffsetDeltaAt,
  magicOf,
  recordCountOf,
} from '../../record/batch-format.ts'

/** High half of the largest offset that a JavaScript number holds exactly. */
const maxOffsetHigh = 0x1fffff

/**
 * Why the bytes at `start` are not the header of a batch that begins with the given offset (undefined: with any);
 * undefined where they are. The offset and the length are not covered by the batch's checksum, so they are held against
 * what must be there. `end` is where the bytes end that the whole batch must fit in.
 */
export function headerFault(
  bytes: Buffer,
  start: number,
  end: number,
  baseOffset: number | undefined,
): string | undefined {
  if (start + batchHeaderBytes > end) return 'its header is cut off'
  const size = batchSize(bytes, start)
  if (size < batchHeaderBytes) return `its length cannot be ${size} bytes`
  if (start + size > end) return `it should have ${size} bytes, but ${end - start} are left`
  if (magicOf(bytes, start) !== currentMagic) return `its magic number is ${magicOf(bytes, start)}, not ${currentMagic}`
  if (bytes.readInt32BE(start + lastOffsetDeltaAt) < 0) return 'its last offset is below its first'
  const offsetHigh = bytes.readInt32BE(start)
  if (offsetHigh < 0 || offsetHigh > maxOffsetHigh) return 'its first offset is out of range'
  if (baseOffset !== undefined && baseOffsetOf(bytes, start) !== baseOffset) {
    return `its first offset is ${baseOffsetOf(bytes, start)}, not ${baseOffset}`
  }
  return undefined
}

/** Why the checksum of a whole batch does not match; undefined where it does. */
export function checksumFault(bytes: Buffer, start: number): string | undefined {
  const actual = computeChecksum(bytes, start)
  const stated = checksumOf(bytes, start)
  return actual === stated ? undefined : `its checksum is ${hex(actual)}, not ${hex(stated)}`
}

/**
 * Requires that the bytes are whole, right batches that a log may take; returns how many offsets they need.
 * @throws MillraceError CORRUPT_BATCH, RECORD_TOO_LARGE
 */
export function requireAppendable(bytes: Buffer, maxMessageBytes: number, at: Place): number {
  let offsets = 0
  let start = 0
  do {
    const fault = headerFault(bytes, start, bytes.length, undefined) ?? checksumFault(bytes, start)
    if (fault !== undefined) throw rejected(fault, start, at)
    const size = batchSize(bytes, start)
    if (size > maxMessageBytes) throw tooLarge(size, maxMessageBytes, at)
    const count = recordCountOf(bytes, start)
    const span = bytes.readInt32BE(start + lastOffsetDeltaAt) + 1
    if (count !== span) throw rejected(`it has ${count} records for ${span} offsets`, start, at)
    offsets += span
    start += size
  } while (start < bytes.length)
  return offsets
}

function rejected(fault: string, start: number, at: Place): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `Nothing was appended: the batch at byte ${start} is damaged: ${fault}`, {
    at,
  })
}

function tooLarge(size: number, maxMessageBytes: number, at: Place): MillraceError {
  return new MillraceError('RECORD_TOO_LARGE', `A record batch of ${size} bytes is above ${maxMessageBytes} bytes`, {
    at,
    remedy: "Write smaller records, or create the topic with a larger 'max.message.bytes'.",
  })
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
