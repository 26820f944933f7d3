import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import { batchSize, isChecksumValid, maxTimestampOf } from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { readRecords, recordsToWrite, writeBatch } from './plain-record.ts'

const value = Buffer.from('value')

describe('BatchBuilder', () => {
  it('knows its size before it is finished, and writes the same again in a used buffer', () => {
    const used = new BatchBuilder({ capacityBytes: 64 })
    fc.assert(
      fc.property(recordsToWrite, (records) => {
        const batch = writeBatch(records, {}, used)
        expect(used.sizeBytes).toBe(batch.length)
        expect(used.recordCount).toBe(records.length)
        expect(batchSize(batch, 0)).toBe(batch.length)
        expect(isChecksumValid(batch, 0)).toBe(true)
        expect(maxTimestampOf(batch, 0)).toBe(Math.max(...records.map((record) => record.timestamp)))
        expect(writeBatch(records)).toEqual(batch)
      }),
      { numRuns: 60 },
    )
  })

  it('copies ranges, and takes a start below zero for none', () => {
    const builder = new BatchBuilder()
    const source = Buffer.from('..key..value..')
    builder.append(1, source, 2, 5, source, 7, 12)
    builder.append(2, source, -1, -1, source, -1, -1)
    builder.append(3, null, 0, 0, source, 3, 3)
    source.fill(0)
    expect(readRecords(builder.finish())).toEqual([
      { offset: 0, timestamp: 1, key: Buffer.from('key'), value: Buffer.from('value'), headers: [] },
      { offset: 1, timestamp: 2, key: null, value: null, headers: [] },
      { offset: 2, timestamp: 3, key: null, value: Buffer.from(''), headers: [] },
    ])
  })

  it('copies headers that are still in the bytes of another batch as it writes them anew', () => {
    fc.assert(
      fc.property(recordsToWrite, (records) => {
        const expected = writeBatch(records)
        const reader = new BatchReader()
        reader.reset(expected)
        reader.nextBatch()
        const copy = new BatchBuilder({ capacityBytes: 64 })
        while (reader.next()) {
          const { timestamp, bytes, keyStart, keyEnd, valueStart, valueEnd, headersStart, headersEnd, headerCount } =
            reader
          const headers = { bytes, start: headersStart, end: headersEnd, count: headerCount }
          copy.append(timestamp, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd, headers)
        }
        expect(copy.recordCount).toBe(records.length)
        expect(readRecords(copy.finish())).toEqual(
          readRecords(expected).map((record, offset) => ({ ...record, offset })),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('can go on after it was finished', () => {
    const builder = new BatchBuilder()
    builder.append(1, null, 0, 0, value, 0, 5)
    builder.finish()
    builder.append(2, null, 0, 0, value, 0, 5)
    expect(readRecords(builder.finish()).map((record) => record.timestamp)).toEqual([1, 2])
  })

  it('writes what the header is given', () => {
    const builder = new BatchBuilder()
    builder.append(1, null, 0, 0, value, 0, 5)
    const reader = new BatchReader()
    const header = {
      baseOffset: 7_000_000_000,
      leaderEpoch: 3,
      producerId: 5_000_000_000,
      producerEpoch: 4,
      baseSequence: 12,
      isTransactional: true,
      isControl: true,
    }
    reader.reset(builder.finish(header))
    reader.nextBatch()
    expect(reader).toMatchObject(header)
    reader.reset(builder.finish())
    reader.nextBatch()
    expect(reader).toMatchObject({
      baseOffset: 0,
      leaderEpoch: -1,
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
    })
    expect(reader).toMatchObject({ isTransactional: false, isControl: false })
  })

  it.each([[Number.NaN], [1.5], [2 ** 53], [Number.NEGATIVE_INFINITY]])(
    'rejects the timestamp %d and stays as it was',
    (bad) => {
      const builder = new BatchBuilder()
      builder.append(1, null, 0, 0, value, 0, 5)
      const sizeBytes = builder.sizeBytes
      expect(() => builder.append(bad, null, 0, 0, value, 0, 5)).toThrow(/cannot be the timestamp/)
      expect(builder.sizeBytes).toBe(sizeBytes)
      expect(readRecords(builder.finish()).length).toBe(1)
    },
  )

  it('rejects a timestamp whose distance to the first is not exact', () => {
    const builder = new BatchBuilder()
    builder.append(-2, null, 0, 0, value, 0, 5)
    expect(() => builder.append(Number.MAX_SAFE_INTEGER, null, 0, 0, value, 0, 5)).toThrow(/cannot be the timestamp/)
  })

  it('does not finish without a record', () => {
    expect(() => new BatchBuilder().finish()).toThrow(/has a record/)
  })
})
