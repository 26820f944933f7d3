import { MillraceError } from '../errors.ts'

/**
 * Integers in as few bytes as they need: zigzag (0, -1, 1, -2... become 0, 1, 2, 3...), then seven bits a byte, lowest
 * first, the high bit set on all but the last (Kafka's ByteUtils, Protocol Buffers' sint32 and sint64).
 *
 * Readers return the value; `varintEnd` tells where it ends. The loops that read or write records handle integers of one
 * byte themselves and come here for longer ones.
 */

const longestVarint = 5
const longestVarlong = 10
const highUnit = 4_294_967_296

/** @throws MillraceError CORRUPT_BATCH where it does not end before `end` or does not fit 32 bits. */
export function readVarint(bytes: Buffer, start: number, end: number): number {
  let raw = 0
  for (let position = start, shift = 0; shift < longestVarint * 7; position++, shift += 7) {
    if (position >= end) throw cutOff(start)
    const byte = bytes[position]!
    raw |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      if (shift === 28 && byte > 0x0f) break
      return (raw >>> 1) ^ -(raw & 1)
    }
  }
  throw new MillraceError('CORRUPT_BATCH', `The varint at byte ${start} has more than 32 bits`)
}

/**
 * @throws MillraceError CORRUPT_BATCH where it does not end before `end` or does not fit 64 bits.
 * @throws MillraceError NUMBER_OUT_OF_RANGE beyond 2^53 - 1 on either side of zero.
 */
export function readVarlong(bytes: Buffer, start: number, end: number): number {
  let low = 0
  let high = 0
  for (let position = start, shift = 0; shift < longestVarlong * 7; position++, shift += 7) {
    if (position >= end) throw cutOff(start)
    const byte = bytes[position]!
    const bits = byte & 0x7f
    if (shift < 28) low |= bits << shift
    else if (shift === 28) {
      low |= bits << 28
      high = bits >>> 4
    } else high |= bits << (shift - 32)
    if (byte < 0x80) {
      if (shift === 63 && byte > 1) break
      return fromZigzag(low, high, start)
    }
  }
  throw new MillraceError('CORRUPT_BATCH', `The varlong at byte ${start} has more than 64 bits`)
}

/** The position after the varint or varlong at `start`, which was read before. */
export function varintEnd(bytes: Buffer, start: number): number {
  let position = start
  while (bytes[position]! >= 0x80) position++
  return position + 1
}

/** Writes a 32-bit integer and returns the position after it; there is room for five bytes. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = (value << 1) ^ (value >> 31)
  let position = at
  while (rest >>> 7 !== 0) {
    bytes[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[position++] = rest
  return position
}

/** Writes an integer of at most 2^53 - 1 and returns the position after it; there is room for ten bytes. */
export function writeVarlong(bytes: Buffer, at: number, value: number): number {
  if ((value | 0) === value) return writeVarint(bytes, at, value)
  const valueHigh = Math.floor(value / highUnit)
  const valueLow = value | 0
  const sign = valueHigh >> 31
  let low = (valueLow << 1) ^ sign
  let high = ((valueHigh << 1) | (valueLow >>> 31)) ^ sign
  let position = at
  while (high !== 0 || low >>> 7 !== 0) {
    bytes[position++] = (low & 0x7f) | 0x80
    low = (low >>> 7) | (high << 25)
    high >>>= 7
  }
  bytes[position++] = low
  return position
}

/** The number of bytes that `writeVarint` writes. */
export function sizeOfVarint(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0
  if (raw < 0x80) return 1
  if (raw < 0x4000) return 2
  if (raw < 0x200000) return 3
  return raw < 0x10000000 ? 4 : 5
}

/** The number of bytes that `writeVarlong` writes. */
export function sizeOfVarlong(value: number): number {
  if ((value | 0) === value) return sizeOfVarint(value)
  // Zigzag doubles the distance from zero; 7 bits of that fit a byte.
  let rest = value < 0 ? -(value + 1) : value
  let size = 1
  for (rest = Math.floor(rest / 64); rest > 0; rest = Math.floor(rest / 128)) size++
  return size
}

function fromZigzag(low: number, high: number, start: number): number {
  const sign = -(low & 1)
  const valueLow = ((low >>> 1) | (high << 31)) ^ sign
  const valueHigh = (high >>> 1) ^ sign
  const value = valueHigh * highUnit + (valueLow >>> 0)
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
    throw new MillraceError('NUMBER_OUT_OF_RANGE', `The varlong at byte ${start} is beyond 2^53 - 1`)
  }
  return value
}

function cutOff(start: number): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `The varint at byte ${start} is cut off`)
}
