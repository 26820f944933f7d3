import { describe, expect, it } from 'vitest'
import { WireReader } from '../../src/broker/protocol/wire-reader.ts'
import type { MillraceError } from '../../src/errors.ts'
import { readVarint, readVarlong, varintEnd } from '../../src/record/varint.ts'

/**
 * All sequences of up to two bytes, and all longer ones of bytes at which something changes, as numbers of three kinds. The model
 * counts in big integers: groups of seven bits, lowest first; the first byte below 128 is the last. As in Kafka, a number may be
 * written with more bytes than it needs.
 */

const turningPoints = [0x00, 0x01, 0x02, 0x0f, 0x10, 0x7f, 0x80, 0x8f, 0x90, 0xff]
const all = Array.from({ length: 256 }, (_, byte) => byte)

function* sequences(alphabet: readonly number[], length: number): Generator<number[]> {
  if (length === 0) yield []
  else for (const rest of sequences(alphabet, length - 1)) for (const byte of alphabet) yield [byte, ...rest]
}

type Answer = { readonly value: number; readonly size: number } | string

/** What a number of so many bits, in so many bytes at most, is. */
function expected(bytes: readonly number[], bits: bigint, longest: number): { raw: bigint; size: number } | string {
  const last = bytes.slice(0, longest).findIndex((byte) => byte < 0x80)
  if (last < 0) return bytes.length < longest ? 'cut off' : 'too long'
  const raw = bytes.slice(0, last + 1).reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n)
  return raw >> bits > 0n ? 'too long' : { raw, size: last + 1 }
}

function zigzag(bytes: readonly number[], bits: bigint, longest: number): Answer {
  const found = expected(bytes, bits, longest)
  if (typeof found === 'string') return found
  const value = (found.raw >> 1n) ^ -(found.raw & 1n)
  const isSafe = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)
  return isSafe ? { value: Number(value), size: found.size } : 'too great'
}

function unsigned(bytes: readonly number[]): Answer {
  const found = expected(bytes, 32n, 5)
  return typeof found === 'string' ? found : { value: Number(found.raw), size: found.size }
}

function answered(read: () => Answer): Answer {
  try {
    return read()
  } catch (error) {
    const { code, message } = error as MillraceError
    if (code === 'NUMBER_OUT_OF_RANGE') return 'too great'
    if (code !== 'CORRUPT_BATCH' && code !== 'MALFORMED_MESSAGE') throw error
    return message.includes('more than') ? 'too long' : 'cut off'
  }
}

/** What is in front of the number and behind it must make no difference. */
function framed(bytes: readonly number[]): Buffer {
  return Buffer.from([0xff, ...bytes, 0x7f, 0x7f])
}

function readAs(read: typeof readVarint, bytes: readonly number[]): Answer {
  const buffer = framed(bytes)
  return answered(() => ({ value: read(buffer, 1, 1 + bytes.length), size: varintEnd(buffer, 1) - 1 }))
}

function readUnsigned(bytes: readonly number[]): Answer {
  const reader = new WireReader(framed(bytes), 1, 1 + bytes.length)
  return answered(() => ({ value: reader.unsignedVarint(), size: reader.position - 1 }))
}

/** The first sequence that is read as something else, and how many were read. */
function firstDifference(
  given: Iterable<number[]>,
  read: (bytes: readonly number[]) => Answer,
  model: (bytes: readonly number[]) => Answer,
): { readonly count: number; readonly difference?: unknown } {
  let count = 0
  for (const bytes of given) {
    count++
    const is = read(bytes)
    const should = model(bytes)
    const isSame = typeof is === 'string' || typeof should === 'string' ? is === should : sameNumber(is, should)
    if (!isSame) return { count, difference: { bytes: Buffer.from(bytes).toString('hex'), is, should } }
  }
  return { count }
}

function sameNumber(a: Exclude<Answer, string>, b: Exclude<Answer, string>): boolean {
  return a.value === b.value && a.size === b.size
}

function* short(): Generator<number[]> {
  for (const length of [0, 1, 2]) yield* sequences(all, length)
  for (const length of [3, 4, 5]) yield* sequences(turningPoints, length)
  for (const rest of sequences(turningPoints, 2)) yield [0x80, 0x80, 0x80, 0x80, ...rest]
}

/** Those of six to eleven bytes, whose first ones are all the same. */
function* long(): Generator<number[]> {
  for (let length = 6; length <= 11; length++) {
    for (const byte of [0x80, 0xff, 0x81]) {
      const begin = Array.from({ length: length - 4 }, () => byte)
      for (const rest of sequences(turningPoints, 4)) yield [...begin, ...rest]
    }
  }
}

describe('sequences of bytes as numbers', () => {
  it('of 32 bits', () => {
    const model = (bytes: readonly number[]) => zigzag(bytes, 32n, 5)
    expect(firstDifference(short(), (bytes) => readAs(readVarint, bytes), model)).toEqual({ count: 176_893 })
  })

  it('of 64 bits', () => {
    const model = (bytes: readonly number[]) => zigzag(bytes, 64n, 10)
    expect(firstDifference(short(), (bytes) => readAs(readVarlong, bytes), model)).toEqual({ count: 176_893 })
    expect(firstDifference(long(), (bytes) => readAs(readVarlong, bytes), model)).toEqual({ count: 180_000 })
  })

  it('of 32 bits without a sign, which lengths in messages are', () => {
    expect(firstDifference(short(), readUnsigned, unsigned)).toEqual({ count: 176_893 })
  })
})
