import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  readVarint,
  readVarlong,
  sizeOfVarint,
  sizeOfVarlong,
  varintEnd,
  writeVarint,
  writeVarlong,
} from '../../src/record/varint.ts'

function zigzagBytes(value: bigint): Buffer {
  let raw = value < 0n ? -2n * value - 1n : 2n * value
  const bytes: number[] = []
  for (; raw > 0x7fn; raw >>= 7n) bytes.push(Number(raw & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(raw)])
}

const edges = Array.from({ length: 54 }, (_, bit) => 2 ** bit).flatMap((power) => [
  power - 1,
  power,
  -power,
  -power - 1,
])

describe('varints', () => {
  it('are the zigzag of the value in groups of seven bits', () => {
    const values = fc.oneof(fc.integer(), fc.constantFrom(...edges.filter((value) => (value | 0) === value)))
    fc.assert(
      fc.property(values, (value) => {
        const bytes = Buffer.alloc(12, 0xff)
        const end = writeVarint(bytes, 1, value)
        expect(bytes.subarray(1, end)).toEqual(zigzagBytes(BigInt(value)))
        expect(sizeOfVarint(value)).toBe(end - 1)
        expect(readVarint(bytes, 1, end)).toBe(value)
        expect(varintEnd(bytes, 1)).toBe(end)
        expect(() => readVarint(bytes, 1, end - 1)).toThrow(/cut off/)
      }),
      { numRuns: 500 },
    )
  })

  it('of more than 32 bits are corrupt', () => {
    expect(readVarint(Buffer.from('ffffffff0f', 'hex'), 0, 5)).toBe(-0x8000_0000)
    for (const hex of ['ffffffff10', '8080808080', '808080808000']) {
      const bytes = Buffer.from(hex, 'hex')
      expect(() => readVarint(bytes, 0, bytes.length)).toThrow(/more than 32 bits/)
    }
  })
})

describe('varlongs', () => {
  it('hold every safe integer', () => {
    const values = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(...edges.filter(Number.isSafeInteger)))
    fc.assert(
      fc.property(values, (value) => {
        const bytes = Buffer.alloc(12, 0xff)
        const end = writeVarlong(bytes, 1, value)
        expect(bytes.subarray(1, end)).toEqual(zigzagBytes(BigInt(value)))
        expect(sizeOfVarlong(value)).toBe(end - 1)
        expect(readVarlong(bytes, 1, end)).toBe(value)
        expect(() => readVarlong(bytes, 1, end - 1)).toThrow(/cut off/)
      }),
      { numRuns: 1000 },
    )
  })

  it('beyond 2^53 - 1 are out of range', () => {
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      const bytes = zigzagBytes(value)
      expect(() => readVarlong(bytes, 0, bytes.length)).toThrow(/beyond 2\^53 - 1/)
    }
  })

  it('of more than 64 bits are corrupt', () => {
    for (const hex of ['ffffffffffffffffff02', '80808080808080808080', '8080808080808080808000']) {
      const bytes = Buffer.from(hex, 'hex')
      expect(() => readVarlong(bytes, 0, bytes.length)).toThrow(/more than 64 bits/)
    }
  })
})
