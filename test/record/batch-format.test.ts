import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import * as format from '../../src/record/batch-format.ts'

function batch(baseOffset: number, recordCount: number): Buffer {
  const builder = new BatchBuilder()
  for (let index = 0; index < recordCount; index++)
    builder.append(1_000 + index, null, 0, 0, Buffer.from('value'), 0, 5)
  return Buffer.from(builder.finish({ baseOffset }))
}

describe('the fields of a batch header', () => {
  it('are read where the batch starts', () => {
    const bytes = Buffer.concat([Buffer.alloc(5), batch(8_000_000_000, 3)])
    expect(format.baseOffsetOf(bytes, 5)).toBe(8_000_000_000)
    expect(format.lastOffsetOf(bytes, 5)).toBe(8_000_000_002)
    expect(format.batchSize(bytes, 5)).toBe(bytes.length - 5)
    expect(format.recordCountOf(bytes, 5)).toBe(3)
    expect(format.baseTimestampOf(bytes, 5)).toBe(1_000)
    expect(format.maxTimestampOf(bytes, 5)).toBe(1_002)
    expect(format.isChecksumValid(bytes, 5)).toBe(true)
  })

  it('can be changed where the checksum does not cover them', () => {
    const bytes = batch(0, 2)
    format.setBaseOffset(bytes, 0, Number.MAX_SAFE_INTEGER)
    format.setLeaderEpoch(bytes, 0, 9)
    expect(format.baseOffsetOf(bytes, 0)).toBe(Number.MAX_SAFE_INTEGER)
    expect(format.leaderEpochOf(bytes, 0)).toBe(9)
    expect(format.isChecksumValid(bytes, 0)).toBe(true)
    bytes[format.recordCountAt]! ^= 1
    expect(format.isChecksumValid(bytes, 0)).toBe(false)
  })

  it('are rejected where a number cannot hold them', () => {
    const bytes = batch(0, 1)
    bytes.writeBigInt64BE(2n ** 53n, 0)
    expect(() => format.baseOffsetOf(bytes, 0)).toThrow(/9007199254740992 at byte 0 is not an integer/)
    expect(() => format.setBaseOffset(bytes, 0, 2 ** 53)).toThrow(/9007199254740992 to be written/)
  })
})

describe('wholeBatches', () => {
  const first = batch(10, 2)
  const bytes = Buffer.concat([first, batch(12, 3)])

  it('ends before a batch of which a part is missing, wherever it is cut', () => {
    for (let end = 0; end < bytes.length; end++) {
      const expected = end < first.length ? { end: 0, nextOffset: -1 } : { end: first.length, nextOffset: 12 }
      expect(format.wholeBatches(bytes, 0, end)).toEqual(expected)
    }
    expect(format.wholeBatches(bytes, 0, bytes.length)).toEqual({ end: bytes.length, nextOffset: 15 })
    expect(format.wholeBatches(bytes, first.length, bytes.length)).toEqual({ end: bytes.length, nextOffset: 15 })
  })

  it('rejects lengths and magic numbers that no batch has', () => {
    for (const length of [-1, 0, format.batchHeaderBytes - format.uncountedBytes - 1, -0x8000_0000]) {
      const damaged = Buffer.from(bytes)
      damaged.writeInt32BE(length, first.length + format.batchLengthAt)
      expect(() => format.wholeBatches(damaged, 0, damaged.length)).toThrow(/offset 12/)
    }
    const old = Buffer.from(bytes)
    old[format.magicAt] = 1
    expect(() => format.wholeBatches(old, 0, old.length)).toThrow(/its magic number is 1, not 2/)
    expect(() => format.wholeBatches(Buffer.alloc(200), 0, 200)).toThrow(/its magic number is 0/)
  })
})
