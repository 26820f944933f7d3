import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readInt64, writeInt64 } from '../../src/bytes/int64.ts'

describe('64-bit integers', () => {
  it('are big-endian, and exact up to 2^53 - 1', () => {
    const edges = fc.constantFrom(0, -1, 2 ** 31, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer(), edges), (value) => {
        const bytes = Buffer.alloc(10)
        writeInt64(bytes, 1, value)
        expect(bytes.readBigInt64BE(1)).toBe(BigInt(value))
        expect(bytes[9]).toBe(0)
        expect(readInt64(bytes, 1)).toBe(value)
      }),
    )
  })

  it.each([2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])(
    'are out of range at %d',
    (value) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(value)
      expect(() => readInt64(bytes, 0)).toThrow(String(value))
    },
  )

  it.each([2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('cannot be written from %d', (value) => {
    expect(() => writeInt64(Buffer.alloc(8), 0, value)).toThrow(/is not an integer/)
  })
})
