import fc from 'fast-check'
import { BatchBuilder, type BatchHeader } from '../../src/record/batch-builder.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import type { RecordHeader } from '../../src/record/headers.ts'

/** A record as plain values, to compare what went in with what comes out. */
export interface PlainRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export type RecordToWrite = Omit<PlainRecord, 'offset'>

export function writeBatch(
  records: readonly RecordToWrite[],
  header: BatchHeader = {},
  builder: BatchBuilder = new BatchBuilder(),
): Buffer {
  builder.clear()
  for (const { timestamp, key, value, headers } of records) {
    builder.append(timestamp, key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, headers)
  }
  return Buffer.from(builder.finish(header))
}

export function currentRecord(reader: BatchReader): PlainRecord {
  const { bytes, offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = reader
  const key = keyStart < 0 ? null : Buffer.from(bytes.subarray(keyStart, keyEnd))
  const value = valueStart < 0 ? null : Buffer.from(bytes.subarray(valueStart, valueEnd))
  return { offset, timestamp, key, value, headers: reader.headers() }
}

export function readRecords(bytes: Buffer, reader: BatchReader = new BatchReader()): PlainRecord[] {
  const records: PlainRecord[] = []
  reader.reset(bytes)
  while (reader.nextBatch()) while (reader.next()) records.push(currentRecord(reader))
  return records
}

const smallBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const largeBytes = fc
  .record({ length: fc.constantFrom(63, 64, 127, 128, 8191, 8192, 8193, 20_000), byte: fc.nat(255) })
  .map(({ length, byte }) => Buffer.alloc(length, byte))
const bytesOrNull = fc.oneof(
  { weight: 8, arbitrary: smallBytes },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: largeBytes },
)
const headers = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytesOrNull }), { maxLength: 4 }),
  },
)
const firstTimestamp = 1_700_000_000_000
const timestamp = fc.oneof(
  fc.integer({ min: -70, max: 70 }).map((delta) => firstTimestamp + delta),
  fc.integer({ min: -9_000, max: 9_000 }).map((delta) => firstTimestamp + delta),
  fc.integer({ min: -2_147_483_649, max: 2_147_483_648 }).map((delta) => firstTimestamp + delta),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(-1, 0, 1),
)

export const recordToWrite: fc.Arbitrary<RecordToWrite> = fc.record({
  timestamp,
  key: bytesOrNull,
  value: bytesOrNull,
  headers,
})

/** The first record's timestamp is the base: it is kept where all deltas to it fit a number. */
export const recordsToWrite: fc.Arbitrary<RecordToWrite[]> = fc
  .array(recordToWrite, { minLength: 1, maxLength: 30 })
  .filter(([first, ...rest]) => rest.every((record) => Number.isSafeInteger(record.timestamp - first!.timestamp)))
