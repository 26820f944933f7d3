import { readFileSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import * as format from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { type Compression, codecNamed } from '../../src/record/compression.ts'
import { type PlainRecord, readRecords, recordsToWrite, writeBatch } from './plain-record.ts'

interface Case {
  readonly codec: Compression
  readonly setting: string
  readonly content: string
  readonly hex: string
}

const readVectors = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))
const { cases } = readVectors('compressed-batches.json') as { readonly cases: readonly Case[] }
const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const time = 1_700_000_000_000
const codecIdOf = (batch: Buffer): number => format.attributesOf(batch, 0) & format.compressionMask

/** The records that Kafka's batches hold, compressed and not. */
function contentOf(name: string): PlainRecord[] {
  if (name === '40 records of 5000 bytes') return Array.from({ length: 40 }, (_, i) => largeRecord(i))
  const uncompressed = readVectors('record-batches.json') as { cases: { name: string; hex: string }[] }
  return readRecords(Buffer.from(uncompressed.cases.find((one) => one.name === name)!.hex, 'hex'))
}

function largeRecord(i: number): PlainRecord {
  const value = Buffer.from(Array.from({ length: 5_000 }, (_, j) => 97 + ((7 * i + j) % 26)))
  return { offset: i, timestamp: time + i, key: Buffer.from(`large-${i}`), value, headers: [] }
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof MillraceError) return error.code
    throw error
  }
  return 'no error'
}

function resealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(format.computeChecksum(bytes, 0), format.checksumAt)
  return bytes
}

/** A batch whose records are replaced by other data of the codec, its length and checksum right. */
function withData(batch: Buffer, compression: Compression, data: Buffer): Buffer {
  const bytes = Buffer.concat([batch.subarray(0, format.batchHeaderBytes), data])
  bytes.writeInt32BE(bytes.length - format.uncountedBytes, format.batchLengthAt)
  bytes.writeInt16BE(codecNamed(compression)!.id, format.attributesAt)
  return resealed(bytes)
}

describe('compressed batches written by Apache Kafka', () => {
  it.each(cases)('are decoded: $codec ($setting), $content', ({ codec, content, hex }) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(codecIdOf(bytes)).toBe(codecs.indexOf(codec as (typeof codecs)[number]) + 1)
    expect(readRecords(bytes)).toEqual(contentOf(content))
  })

  it('are there for every codec, with data of several blocks', () => {
    for (const codec of codecs) expect(cases.filter((one) => one.codec === codec).length).toBeGreaterThanOrEqual(5)
  })
})

describe.each(codecs)('a batch compressed with %s', (compression) => {
  const builder = new BatchBuilder({ compression })

  it('is read as the same records, between batches of other kinds', () => {
    const reader = new BatchReader()
    const header = { producerId: 7, producerEpoch: 1, baseSequence: 5, isTransactional: true, leaderEpoch: 3 }
    fc.assert(
      fc.property(recordsToWrite, (records) => {
        const count = records.length
        const bytes = Buffer.concat([
          writeBatch(records, { baseOffset: 0 }),
          writeBatch(records, { ...header, baseOffset: count }, builder),
          writeBatch(records, { baseOffset: 2 * count }),
        ])
        const written = [0, 1, 2].flatMap((round) =>
          records.map((record, i) => ({ offset: round * count + i, ...record })),
        )
        expect(readRecords(bytes, reader)).toEqual(written)
        reader.reset(bytes, format.batchSize(bytes, 0), bytes.length)
        expect(reader.nextBatch()).toBe(true)
        expect(reader).toMatchObject({ ...header, recordCount: count, lastOffset: 2 * count - 1 })
      }),
      { numRuns: 60 },
    )
  })

  it('is smaller where records repeat, while its builder counts them as they are', () => {
    const records = Array.from({ length: 200 }, (_, i) => ({
      timestamp: time + i,
      key: Buffer.from(`device-${i % 7}`),
      value: Buffer.from('{"celsius":21.5,"humidity":40}'),
      headers: [],
    }))
    const plain = writeBatch(records)
    const compressed = writeBatch(records, {}, builder)
    expect(compressed.length).toBeLessThan(plain.length / 3)
    expect(builder.sizeBytes).toBe(plain.length)
    expect(format.batchSize(compressed, 0)).toBe(compressed.length)
    expect(format.isChecksumValid(compressed, 0)).toBe(true)
  })

  it('keeps what was read of it while the reader goes on', () => {
    const reader = new BatchReader()
    const [one, two] = ['first', 'other'].map((text) =>
      writeBatch([{ timestamp: time, key: null, value: Buffer.from(text.repeat(30)), headers: [] }], {}, builder),
    ) as [Buffer, Buffer]
    reader.reset(Buffer.concat([one, two]))
    reader.nextBatch()
    reader.next()
    const first = reader.bytes.subarray(reader.valueStart, reader.valueEnd)
    reader.nextBatch()
    reader.next()
    expect(first.toString()).toBe('first'.repeat(30))
    expect(reader.bytes.toString('utf8', reader.valueStart, reader.valueEnd)).toBe('other'.repeat(30))
  })

  it('is refused as damaged where its data is, and the place is told', () => {
    const batch = writeBatch(contentOf('150 records'), { baseOffset: 77 }, builder)
    const data = Buffer.from(batch.subarray(format.batchHeaderBytes, batch.length - 3))
    const read = () => readRecords(withData(batch, compression, data))
    expect(codeOf(read)).toBe('CORRUPT_BATCH')
    expect(read).toThrow(new RegExp(`damaged at byte 61: .*${compression}.*offset 77`))
  })

  it('is refused where it has other records than its header says', () => {
    const records = contentOf('150 records')
    const batch = writeBatch(records, {}, builder)
    const { compress } = codecNamed(compression)!
    const plain = writeBatch(records).subarray(format.batchHeaderBytes)
    for (const other of [plain.subarray(0, -1), Buffer.concat([plain, Buffer.alloc(1)]), Buffer.alloc(0)]) {
      expect(codeOf(() => readRecords(withData(batch, compression, compress(other))))).toBe('CORRUPT_BATCH')
    }
    expect(readRecords(withData(batch, compression, compress(plain)))).toEqual(records)
  })

  it('is refused where it decompresses to more than allowed', () => {
    const value = Buffer.alloc(100_000)
    const batch = writeBatch([{ timestamp: time, key: null, value, headers: [] }], { baseOffset: 5 }, builder)
    expect(readRecords(batch).length).toBe(1)
    const reader = new BatchReader({ maxDecompressedBytes: 99_999 })
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(codeOf(() => readRecords(batch, reader))).toBe('RECORD_TOO_LARGE')
      expect(() => readRecords(batch, reader)).toThrow(/offset 5/)
    }
  })

  it('never fails but with an error of ours, with and without the checksum', () => {
    const batch = writeBatch(contentOf('headers'), {}, builder)
    const trusting = new BatchReader({ verifiesChecksum: false, maxDecompressedBytes: 100_000 })
    const codes = ['no error', 'CORRUPT_BATCH', 'NUMBER_OUT_OF_RANGE', 'UNSUPPORTED_COMPRESSION', 'RECORD_TOO_LARGE']
    for (let at = 0; at < batch.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = Buffer.from(batch)
        bytes[at] = bytes[at]! ^ (1 << bit)
        if (at >= format.attributesAt) expect(codeOf(() => readRecords(bytes))).toBe('CORRUPT_BATCH')
        expect(codes).toContain(codeOf(() => readRecords(bytes, trusting)))
      }
      expect(codeOf(() => readRecords(batch.subarray(0, at)))).toBe(at === 0 ? 'no error' : 'CORRUPT_BATCH')
    }
  })
})

describe('compressed batches', () => {
  it('without records have no data', () => {
    const batch = writeBatch([{ timestamp: time, key: null, value: null, headers: [] }])
    const empty = withData(batch, 'zstd', Buffer.alloc(0))
    empty.writeInt32BE(0, format.recordCountAt)
    expect(readRecords(resealed(empty))).toEqual([])
  })

  it('are limited to 64 MiB by default', () => {
    const batch = writeBatch([{ timestamp: time, key: null, value: null, headers: [] }])
    const bomb = withData(batch, 'zstd', zstdCompressSync(Buffer.alloc(64 * 1024 * 1024 + 1)))
    expect(bomb.length).toBeLessThan(10_000)
    expect(codeOf(() => readRecords(bomb))).toBe('RECORD_TOO_LARGE')
  })

  it('are written with the level that was asked for', () => {
    const records = Array.from({ length: 40 }, (_, i) => largeRecord(i * 31))
    const sizes = [1, 9].map((compressionLevel) => {
      return writeBatch(records, {}, new BatchBuilder({ compression: 'gzip', compressionLevel })).length
    })
    expect(sizes[1]).toBeLessThan(sizes[0]!)
    expect(codeOf(() => new BatchBuilder({ compression: 'lz4', compressionLevel: 3 }))).toBe('INVALID_ARGUMENT')
  })
})
