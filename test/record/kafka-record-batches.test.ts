import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import * as format from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { currentRecord, type PlainRecord } from './plain-record.ts'

interface ExpectedRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly { readonly key: string; readonly value: string | null }[]
}

interface ExpectedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly checksum: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly isLogAppendTime: boolean
  readonly deleteHorizon: number | null
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly records: readonly ExpectedRecord[]
}

interface Case {
  readonly name: string
  /** Whether a producer writes such a batch: base offset and timestamp those of the first record, offsets without gaps. */
  readonly asProducerWrites: boolean
  readonly hex: string
  readonly batches: readonly ExpectedBatch[]
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/record-batches.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[]
}

const fromHex = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'))

function plain(record: ExpectedRecord): PlainRecord {
  const headers = record.headers.map(({ key, value }) => ({ key, value: fromHex(value) }))
  return { ...record, key: fromHex(record.key), value: fromHex(record.value), headers }
}

describe('batches written by Apache Kafka', () => {
  it.each(vectors.cases)('are decoded: $name', ({ hex, batches }) => {
    const reader = new BatchReader()
    const bytes = Buffer.from(hex, 'hex')
    reader.reset(bytes)
    for (const { records, sizeBytes, checksum, isLogAppendTime, deleteHorizon, ...fields } of batches) {
      expect(reader.nextBatch()).toBe(true)
      expect(reader).toMatchObject({ ...fields, recordCount: records.length })
      expect(reader.batchEnd - reader.batchStart).toBe(sizeBytes)
      expect(format.checksumOf(bytes, reader.batchStart)).toBe(checksum)
      expect((reader.attributes & format.logAppendTimeBit) !== 0).toBe(isLogAppendTime)
      expect((reader.attributes & format.deleteHorizonBit) !== 0).toBe(deleteHorizon !== null)
      for (const record of records) {
        expect(reader.next()).toBe(true)
        expect(currentRecord(reader)).toEqual(plain(record))
      }
      expect(reader.next()).toBe(false)
    }
    expect(reader.nextBatch()).toBe(false)
    const last = batches[batches.length - 1]!
    expect(format.wholeBatches(bytes, 0, bytes.length)).toEqual({ end: bytes.length, nextOffset: last.lastOffset + 1 })
  })

  it.each(vectors.cases.filter((one) => one.asProducerWrites))(
    'are encoded to the same bytes: $name',
    ({ hex, batches }) => {
      const [batch] = batches
      const builder = new BatchBuilder({ capacityBytes: 64 })
      for (const record of batch!.records.map(plain)) {
        const { timestamp, key, value, headers } = record
        builder.append(timestamp, key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, headers)
      }
      expect(builder.finish(batch).toString('hex')).toBe(hex)
    },
  )

  it.each(['commit marker', 'abort marker'])('are encoded to the same bytes: %s', (name) => {
    const { hex, batches } = vectors.cases.find((one) => one.name === name)!
    const { timestamp, key, value } = plain(batches[0]!.records[0]!)
    const builder = new BatchBuilder()
    builder.append(timestamp, key, 0, key!.length, value, 0, value!.length)
    expect(builder.finish(batches[0]).toString('hex')).toBe(hex)
  })
})
