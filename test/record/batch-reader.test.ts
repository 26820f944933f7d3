import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import * as format from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { KeysAhead, mostKeysAhead } from '../../src/record/keys-ahead.ts'
import { serde } from '../../src/serde/serdes.ts'
import {
  currentRecord,
  type PlainRecord,
  readRecords,
  recordsToWrite,
  recordToWrite,
  writeBatch,
} from './plain-record.ts'
import { decodeBatch } from './reference-decoder.ts'

const time = 1_700_000_000_000
const sample = [
  { timestamp: time, key: Buffer.from('device-1'), value: Buffer.from('twenty degrees'), headers: [] },
  { timestamp: time - 70_000, key: null, value: Buffer.from(''), headers: [{ key: 'trace', value: Buffer.from('a') }] },
  { timestamp: time + 5, key: Buffer.from('k'), value: null, headers: [{ key: 'none', value: null }] },
]

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof MillraceError) return error.code
    throw error
  }
  return 'no error'
}

/** A batch of one record that is written by hand. */
function batchOf(record: string, lastOffsetDelta = 0): Buffer {
  const [first] = sample
  const header = writeBatch([first!]).subarray(0, format.batchHeaderBytes)
  const bytes = Buffer.concat([header, Buffer.from(record, 'hex')])
  bytes.writeInt32BE(bytes.length - format.uncountedBytes, format.batchLengthAt)
  bytes.writeInt32BE(lastOffsetDelta, format.lastOffsetDeltaAt)
  return resealed(bytes)
}

/** The batch with its checksum made right again, so that what lies under the checksum is looked at. */
function resealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(format.computeChecksum(bytes, 0), format.checksumAt)
  return bytes
}

/** The keys that the reader sees ahead, as text. */
function keysAhead(reader: BatchReader): string[] {
  const keys = new KeysAhead(serde.string)
  reader.findKeysAhead(keys)
  return Array.from({ length: keys.count }, (_, i) => {
    const [start, end] = [keys.starts[i]!, keys.ends[i]!]
    expect(start >= 0 && start <= end && end <= keys.bytes.length).toBe(true)
    return keys.bytes.toString('latin1', start, end)
  })
}

describe('BatchReader', () => {
  it('sees the keys of the next records, up to one without a key or one that is not as nearly all are', () => {
    const reader = new BatchReader()
    fc.assert(
      fc.property(fc.array(recordsToWrite, { minLength: 1, maxLength: 3 }), (batches) => {
        reader.reset(Buffer.concat(batches.map((records) => writeBatch(records))))
        for (const records of batches) {
          expect(reader.nextBatch()).toBe(true)
          for (let next = 0; next <= records.length; next++) {
            const keys = records.slice(next).map(({ key }) => key?.toString('latin1'))
            const ahead = keysAhead(reader)
            expect(ahead).toEqual(keys.slice(0, ahead.length))
            expect(reader.next()).toBe(next < records.length)
          }
        }
      }),
    )
    const many = Array.from({ length: 100 }, (_, i) => ({
      ...sample[0]!,
      timestamp: time + i * 1_000,
      key: Buffer.from(`k${i}`),
    }))
    reader.reset(writeBatch(many))
    reader.nextBatch()
    for (let i = 0; i < 60; i++) reader.next()
    expect(keysAhead(reader)).toEqual(Array.from({ length: mostKeysAhead }, (_, i) => `k${60 + i}`))
    for (let i = 60; i < 98; i++) reader.next()
    expect(keysAhead(reader)).toEqual(['k98', 'k99'])
  })

  it('sees no key beyond the batch, whatever its bytes are', () => {
    const bytes = fc.uint8Array({ maxLength: 120 }).map((record) => batchOf(Buffer.from(record).toString('hex')))
    fc.assert(
      fc.property(bytes, (batch) => {
        const reader = new BatchReader({ verifiesChecksum: false })
        reader.reset(batch)
        if (codeOf(() => reader.nextBatch()) === 'no error') keysAhead(reader)
      }),
    )
  })

  it('reads what was written, batch after batch', () => {
    fc.assert(
      fc.property(fc.array(recordsToWrite, { maxLength: 5 }), (batches) => {
        let nextOffset = 0
        const encoded: Buffer[] = []
        const expected: PlainRecord[] = []
        for (const records of batches) {
          encoded.push(writeBatch(records, { baseOffset: nextOffset }))
          for (const record of records) expected.push({ offset: nextOffset++, ...record })
        }
        expect(readRecords(Buffer.concat(encoded))).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('reads a range in the middle of other bytes', () => {
    const batch = writeBatch(sample, { baseOffset: 10 })
    const bytes = Buffer.concat([Buffer.alloc(7, 0xff), batch, Buffer.alloc(9, 0xff)])
    const reader = new BatchReader()
    reader.reset(bytes, 7, 7 + batch.length)
    expect(reader.nextBatch()).toBe(true)
    const offsets: number[] = []
    while (reader.next()) offsets.push(reader.offset)
    expect(offsets).toEqual([10, 11, 12])
    expect(reader.nextBatch()).toBe(false)
  })

  it('goes to the next batch past records that were not read', () => {
    const reader = new BatchReader()
    reader.reset(Buffer.concat([writeBatch(sample, { baseOffset: 0 }), writeBatch(sample, { baseOffset: 3 })]))
    reader.nextBatch()
    reader.next()
    expect(reader.nextBatch()).toBe(true)
    reader.next()
    expect(currentRecord(reader)).toEqual({ offset: 3, ...sample[0] })
  })

  it('reads a batch of more records than one or two bytes count', () => {
    const records = Array.from({ length: 20_000 }, (_, index) => ({
      timestamp: time + index * 90_000,
      key: null,
      value: Buffer.of(index & 0xff),
      headers: [],
    }))
    const read = readRecords(writeBatch(records))
    expect(read.length).toBe(20_000)
    expect(read[19_999]).toEqual({ offset: 19_999, ...records[19_999] })
  })

  it('reads numbers written in more bytes than they need, as the format allows', () => {
    // Length, attributes, timestamp, offset, no key, a value of one byte, no headers; zeros as 80 00.
    const bytes = batchOf('a000' + '00' + '80808000' + '8000' + '8100' + '828000' + '76' + '808000')
    expect(readRecords(bytes)).toEqual([
      { offset: 0, timestamp: time, key: null, value: Buffer.from('v'), headers: [] },
    ])
  })

  it('reads an offset delta of four bytes, though one of three would also fit what follows', () => {
    const bytes = batchOf('14' + '00' + '00' + '80808002' + '01' + '0276' + '00', 0x7fff_ffff)
    const expected = { offset: 2_097_152, timestamp: time, key: null, value: Buffer.from('v'), headers: [] }
    expect(decodeBatch(bytes)).toEqual([expected])
    expect(readRecords(bytes)).toEqual([expected])
  })

  describe('where bytes are damaged', () => {
    it('notices every flipped bit that the checksum, the length or the magic number cover', () => {
      const batch = writeBatch(sample, { baseOffset: 5, leaderEpoch: 1 })
      const codes = new Map<string, number>()
      for (let bit = format.batchLengthAt * 8; bit < batch.length * 8; bit++) {
        const at = bit >> 3
        if (at >= format.leaderEpochAt && at < format.magicAt) continue
        batch[at]! ^= 1 << (bit & 7)
        const code = codeOf(() => readRecords(batch))
        codes.set(code, (codes.get(code) ?? 0) + 1)
        batch[at]! ^= 1 << (bit & 7)
      }
      expect([...codes.keys()]).toEqual(['CORRUPT_BATCH'])
    })

    it('reads the same records under a changed base offset or leader epoch, which the checksum leaves out', () => {
      const batch = writeBatch(sample)
      format.setBaseOffset(batch, 0, 9_000_000_000)
      format.setLeaderEpoch(batch, 0, 17)
      const expected = sample.map((record, index) => ({ offset: 9_000_000_000 + index, ...record }))
      expect(readRecords(batch)).toEqual(expected)
    })

    it('notices wherever a batch is cut off', () => {
      const first = writeBatch(sample)
      const bytes = Buffer.concat([first, writeBatch(sample, { baseOffset: 3 })])
      for (let length = 1; length < bytes.length; length++) {
        if (length === first.length) continue
        expect(codeOf(() => readRecords(bytes.subarray(0, length)))).toBe('CORRUPT_BATCH')
      }
    })

    it('says where: the position in the bytes and the base offset', () => {
      const batch = writeBatch(sample, { baseOffset: 42 })
      batch[70]! ^= 1
      const reader = new BatchReader()
      reader.reset(Buffer.concat([writeBatch(sample), batch]))
      reader.nextBatch()
      const start = reader.batchEnd
      const message = new RegExp(
        `at byte ${start} is damaged at byte ${start + format.checksumAt}: .*checksum.*offset 42`,
      )
      expect(() => reader.nextBatch()).toThrow(message)
      expect(() => reader.nextBatch()).toThrow(message)
      expect(reader.next()).toBe(false)
    })

    it('agrees, whatever the damage under the checksum, with a decoder that checks each step', () => {
      const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 })
      const records = fc.array(recordToWrite, { minLength: 1, maxLength: 4 })
      const reader = new BatchReader({ verifiesChecksum: false })
      fc.assert(
        fc.property(records, damage, fc.boolean(), (written, changes, onlyRecords) => {
          const base = written[0]!.timestamp
          fc.pre(written.every(({ timestamp }) => Number.isSafeInteger(timestamp - base)))
          const bytes = writeBatch(written)
          const from = onlyRecords ? format.batchHeaderBytes : 0
          for (const { at, byte } of changes) bytes[from + (at % (Math.min(bytes.length, 200) - from))] = byte
          let expected: PlainRecord[] | undefined
          try {
            expected = decodeBatch(bytes)
          } catch {
            expect(['CORRUPT_BATCH', 'NUMBER_OUT_OF_RANGE', 'UNSUPPORTED_COMPRESSION']).toContain(
              codeOf(() => readRecords(bytes, reader)),
            )
            return
          }
          expect(readRecords(bytes, reader)).toEqual(expected)
        }),
        { numRuns: 1500 },
      )
    })

    it('never hands out a range outside the record, with every byte set to every hostile value', () => {
      const inner = writeBatch(sample)
      const bytes = Buffer.concat([inner, inner])
      const reader = new BatchReader({ verifiesChecksum: false })
      let damaged = 0
      for (let at = format.batchHeaderBytes; at < inner.length; at++) {
        const byte = bytes[at]!
        for (const hostile of [0x00, 0x01, 0x02, 0x03, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff]) {
          bytes[at] = hostile
          reader.reset(bytes, 0, inner.length)
          const code = codeOf(() => {
            reader.nextBatch()
            while (reader.next()) {
              for (const end of [reader.keyEnd, reader.valueEnd, reader.headersEnd]) {
                expect(end).toBeLessThanOrEqual(inner.length)
              }
              for (const header of reader.headers()) expect(header.value?.length ?? 0).toBeLessThan(inner.length)
            }
          })
          expect(['no error', 'CORRUPT_BATCH', 'NUMBER_OUT_OF_RANGE']).toContain(code)
          if (code !== 'no error') damaged++
        }
        bytes[at] = byte
      }
      expect(damaged).toBeGreaterThan(100)
    })

    it('gives up the rest of a batch, not the next one', () => {
      const batch = writeBatch(sample)
      batch[format.batchHeaderBytes] = 0
      const reader = new BatchReader()
      reader.reset(Buffer.concat([resealed(batch), writeBatch(sample, { baseOffset: 3 })]))
      reader.nextBatch()
      expect(codeOf(() => reader.next())).toBe('CORRUPT_BATCH')
      expect(reader.next()).toBe(false)
      expect(reader.nextBatch()).toBe(true)
      expect(reader.next()).toBe(true)
      expect(reader.offset).toBe(3)
    })

    it.each([
      ['the record', '11' + '00' + '00' + '00' + '026b' + '0276' + '00'],
      ['the offset', '10' + '00' + '00' + '01' + '026b' + '0276' + '00'],
      ['the key', '10' + '00' + '00' + '00' + '036b' + '0276' + '00'],
      ['the value', '10' + '00' + '00' + '00' + '026b' + '0376' + '00'],
      ['the number of headers', '10' + '00' + '00' + '00' + '026b' + '0276' + '01'],
    ])('does not take a negative number of %s for the positive one of the same bits', (_field, record) => {
      expect(readRecords(batchOf('10' + '00' + '00' + '00' + '026b' + '0276' + '00')).length).toBe(1)
      expect(codeOf(() => readRecords(batchOf(record)))).toBe('CORRUPT_BATCH')
    })

    it.each([[sample], [sample.slice(0, 1)]])('does not accept bytes after the last record', (records) => {
      const batch = writeBatch(records)
      const bytes = Buffer.concat([batch, Buffer.alloc(3)])
      bytes.writeInt32BE(bytes.length - format.uncountedBytes, format.batchLengthAt)
      expect(() => readRecords(resealed(bytes))).toThrow(/bytes follow the last record/)
    })

    it('does not accept a number of records that the batch has no room for', () => {
      const batch = writeBatch(sample)
      batch.writeInt32BE(0x7fff_ffff, format.lastOffsetDeltaAt)
      batch.writeInt32BE(0x7fff_fff0, format.recordCountAt)
      expect(() => readRecords(resealed(batch))).toThrow(/it says that it has 2147483632 records/)
    })

    it('does not accept another format', () => {
      const batch = writeBatch(sample)
      batch[format.magicAt] = 1
      expect(() => readRecords(batch)).toThrow(/its magic number is 1, not 2/)
    })
  })

  it.each([5, 6, 7])('says that it does not know the compression of a batch: codec %i', (id) => {
    const batch = writeBatch(sample, { baseOffset: 8 })
    batch.writeInt16BE(id, format.attributesAt)
    expect(codeOf(() => readRecords(resealed(batch)))).toBe('UNSUPPORTED_COMPRESSION')
    expect(() => readRecords(batch)).toThrow(new RegExp(`codec ${id}.*offset 8`))
  })

  it.each([
    ['base offset', format.baseOffsetAt],
    ['base timestamp', format.baseTimestampAt],
    ['max timestamp', format.maxTimestampAt],
    ['producer id', format.producerIdAt],
  ])('rejects a %s beyond 2^53 - 1 instead of rounding it', (_field, at) => {
    const batch = writeBatch(sample)
    batch.writeBigInt64BE(2n ** 53n, at)
    expect(codeOf(() => readRecords(resealed(batch)))).toBe('NUMBER_OUT_OF_RANGE')
  })

  it('rejects offsets and timestamps that pass 2^53 - 1 by their delta', () => {
    const late = writeBatch([sample[0]!, { ...sample[0]!, timestamp: time + 1 }])
    late.writeBigInt64BE(2n ** 53n - 1n, format.baseTimestampAt)
    expect(codeOf(() => readRecords(resealed(late)))).toBe('NUMBER_OUT_OF_RANGE')
    const far = writeBatch(sample, { baseOffset: Number.MAX_SAFE_INTEGER - 1 })
    expect(codeOf(() => readRecords(far))).toBe('NUMBER_OUT_OF_RANGE')
    expect(readRecords(writeBatch(sample, { baseOffset: Number.MAX_SAFE_INTEGER - 2 })).at(-1)?.offset).toBe(
      Number.MAX_SAFE_INTEGER,
    )
  })
})
