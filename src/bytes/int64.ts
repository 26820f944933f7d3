import { MillraceError } from '../errors.ts'

/**
 * Big-endian 64-bit integers as numbers, for the fields that Kafka calls long and that are offsets, timestamps or ids here.
 * Each read and write is checked: what a number cannot hold exactly is an error, never rounded.
 */

const highUnit = 4_294_967_296

/**
 * The eight bytes at `at`, which the caller knows to be there.
 * @throws MillraceError NUMBER_OUT_OF_RANGE beyond 2^53 - 1 on either side of zero.
 */
export function readInt64(bytes: Buffer, at: number): number {
  const high = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  const low = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!
  const value = high * highUnit + (low >>> 0)
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
    throw outOfRange(bytes.readBigInt64BE(at), `at byte ${at}`)
  }
  return value
}

/** @throws MillraceError NUMBER_OUT_OF_RANGE where the value is no integer of at most 2^53 - 1 on either side of zero. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw outOfRange(value, 'to be written as a 64-bit integer')
  const high = Math.floor(value / highUnit)
  const low = value - high * highUnit
  bytes[at] = high >> 24
  bytes[at + 1] = high >> 16
  bytes[at + 2] = high >> 8
  bytes[at + 3] = high
  bytes[at + 4] = low >>> 24
  bytes[at + 5] = low >>> 16
  bytes[at + 6] = low >>> 8
  bytes[at + 7] = low
}

function outOfRange(value: number | bigint, where: string): MillraceError {
  return new MillraceError('NUMBER_OUT_OF_RANGE', `${value} ${where} is not an integer from -(2^53 - 1) to 2^53 - 1`)
}
