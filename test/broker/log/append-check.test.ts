import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type AppendableBatches, requireAppendable } from '../../../src/broker/log/append-check.ts'
import { defaultLogSettings, type LogSettings } from '../../../src/broker/log/log-settings.ts'
import { writeInt64 } from '../../../src/bytes/int64.ts'
import { BatchBuilder } from '../../../src/record/batch-builder.ts'
import {
  attributesAt,
  baseTimestampAt,
  batchHeaderBytes,
  batchLengthAt,
  checksumAt,
  computeChecksum,
  lastOffsetDeltaAt,
  logAppendTimeBit,
  maxTimestampAt,
  recordCountOf,
  setLogAppendTime,
  uncountedBytes,
} from '../../../src/record/batch-format.ts'
import { codecNamed, maxDecompressedBytes } from '../../../src/record/compression.ts'
import { readRecords } from '../../record/plain-record.ts'
import { batchOf, batchOfRecords, failureOf } from '../records.ts'

const place = { topic: 't', partition: 3 }

/** What an append of the bytes needs, with at most so many bytes a batch. */
function appendable(bytes: Buffer, maxMessageBytes: number): AppendableBatches {
  return requireAppendable(bytes, { ...defaultLogSettings, maxMessageBytes }, 0, place)
}

const records = [{ key: 'a' }, { value: 'b'.repeat(100) }, { key: 'c', value: null }]

function resealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(computeChecksum(batch, 0), checksumAt)
  return batch
}

/** The batch with other data in place of its records, its length and checksum right. */
function withData(batch: Buffer, data: Buffer): Buffer {
  const bytes = Buffer.concat([batch.subarray(0, batchHeaderBytes), data])
  bytes.writeInt32BE(bytes.length - uncountedBytes, batchLengthAt)
  return resealed(bytes)
}

function damagedAt(position: number): Buffer {
  const bytes = batchOf('one', 'two')
  bytes[position] = (bytes[position] as number) ^ 1
  return bytes
}

describe('the check of an append', () => {
  it('counts the offsets that whole batches need', () => {
    const bytes = Buffer.concat([batchOf('a', 'b'), batchOf('c'), batchOf('d', 'e', 'f')])
    expect(appendable(bytes, 1_000).offsets).toBe(6)
  })

  it('refuses a bit that is flipped anywhere but in the fields that the log sets', async () => {
    const size = batchOf('one', 'two').length
    const setByTheLog = (at: number) => at < 8 || (at >= 12 && at < 16)
    for (let at = 0; at < size; at++) {
      if (setByTheLog(at)) continue
      const error = await failureOf(() => appendable(damagedAt(at), 1_000))
      expect([at, error.code, error.at]).toEqual([at, 'CORRUPT_BATCH', place])
    }
  })

  it('takes the checksum for right that a builder has computed of the very bytes just now, and no other', async () => {
    /** A batch with a wrong bit, so that it is seen whether the checksum is computed. */
    const damaged = (builder: BatchBuilder) => {
      const value = Buffer.from('value')
      builder.append(1_000, null, -1, -1, value, 0, value.length)
      const batch = builder.finish()
      batch[batch.length - 1] = 1
      return batch
    }
    const codeOf = async (bytes: Buffer) => (await failureOf(() => appendable(bytes, 1_000))).code
    const builder = new BatchBuilder()
    const fresh = damaged(builder)
    expect(appendable(fresh, 1_000).offsets).toBe(1)
    expect(await codeOf(fresh)).toBe('CORRUPT_BATCH')
    builder.clear()
    expect(await codeOf(Buffer.from(damaged(builder)))).toBe('CORRUPT_BATCH')
    builder.clear()
    const cleared = damaged(builder)
    builder.clear()
    expect(await codeOf(cleared)).toBe('CORRUPT_BATCH')
    const appendedTo = damaged(builder)
    builder.append(1_000, null, -1, -1, null, -1, -1)
    expect(await codeOf(appendedTo)).toBe('CORRUPT_BATCH')
  })

  it('looks at no records that a builder has just written, but where the settings are about them', async () => {
    /** A batch whose only record is not whole, so that it is seen whether it is looked at. */
    const notWhole = () => {
      const builder = new BatchBuilder()
      builder.append(1_000, null, -1, -1, null, -1, -1)
      const batch = builder.finish()
      batch[batch.length - 1] = 3
      return batch
    }
    const check = (settings: Partial<LogSettings>) => () =>
      requireAppendable(notWhole(), { ...defaultLogSettings, ...settings }, 1_000, place)
    expect(check({})().offsets).toBe(1)
    for (const settings of [{ cleanupPolicy: 'compact' }, { timestampBeforeMaxMs: 5_000 }] as const) {
      expect((await failureOf(check(settings))).code).toBe('INVALID_RECORD')
    }
    const copy = Buffer.from(notWhole())
    copy.writeUInt32BE(computeChecksum(copy, 0), checksumAt)
    const error = await failureOf(() => appendable(copy, 1_000))
    expect([error.code, error.at]).toEqual(['INVALID_RECORD', { ...place, record: 0 }])
  })

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'looks at the records of each batch (%s)',
    async (codec) => {
      const [good, other] = [batchOfRecords(records, { compression: codec }), batchOfRecords(records)]
      expect(appendable(Buffer.concat([good, other]), 10_000)).toEqual({ offsets: 6, maxTimestamp: 1_000 })
      const lies = Buffer.from(other.subarray(batchHeaderBytes))
      lies[lies.length - 1] = 1
      const data = codecNamed(codec)?.compress(lies) ?? lies
      for (const batches of [withData(good, data), Buffer.concat([good, withData(good, data)])]) {
        const error = await failureOf(() => appendable(batches, 10_000))
        expect([error.code, error.at]).toEqual(['INVALID_RECORD', { ...place, record: 2 }])
        expect(error.message).toContain(`batch at byte ${batches.length - withData(good, data).length}`)
      }
    },
  )

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('refuses what is no %s, and a bomb', async (codec) => {
    const good = batchOfRecords(records, { compression: codec })
    for (const data of [Buffer.from('nothing that could be decompressed'), Buffer.alloc(0), Buffer.alloc(40)]) {
      const error = await failureOf(() => appendable(withData(good, data), 10_000))
      expect([error.code, error.at]).toEqual(['INVALID_RECORD', place])
    }
    const bomb = codecNamed(codec)?.compress(Buffer.alloc(maxDecompressedBytes + 1)) as Buffer
    const error = await failureOf(() => appendable(withData(good, bomb), 4_000_000))
    expect([error.code, error.at]).toEqual(['RECORD_TOO_LARGE', place])
  })

  it('takes the batches that Apache Kafka has written, in every codec', () => {
    for (const file of ['compressed-batches', 'record-batches']) {
      const { cases } = JSON.parse(readFileSync(new URL(`../../vectors/${file}.json`, import.meta.url), 'utf8')) as {
        cases: { hex: string }[]
      }
      let taken = 0
      for (const { hex } of cases) {
        const bytes = Buffer.from(hex, 'hex')
        // Some were compacted after they were written.
        if (recordCountOf(bytes, 0) !== bytes.readInt32BE(lastOffsetDeltaAt) + 1) continue
        const hasItsOwnTime = (bytes.readInt16BE(attributesAt) & logAppendTimeBit) !== 0
        const settings = {
          ...defaultLogSettings,
          timestampType: hasItsOwnTime ? 'LogAppendTime' : 'CreateTime',
        } as const
        const before = Buffer.from(bytes)
        const { offsets } = requireAppendable(bytes, settings, 0, place)
        expect(offsets).toBe(readRecords(before).length)
        expect(bytes).toEqual(before)
        taken++
      }
      expect(taken).toBeGreaterThan(10)
    }
  })

  it('refuses a codec that there is not', async () => {
    for (const codec of [5, 6, 7]) {
      const batch = batchOf('a')
      batch.writeInt16BE(codec, attributesAt)
      const error = await failureOf(() => appendable(resealed(batch), 1_000))
      expect([error.code, error.at]).toEqual(['UNSUPPORTED_COMPRESSION', place])
    }
  })

  it('puts a largest timestamp right that the records do not have', () => {
    const batch = () => batchOfRecords([5, 9, 7].map((timestamp) => ({ timestamp })))
    for (const wrong of [-1, 8, 1_000]) {
      const bytes = batch()
      writeInt64(bytes, maxTimestampAt, wrong)
      expect(appendable(resealed(bytes), 1_000).maxTimestamp).toBe(9)
      expect(bytes).toEqual(batch())
    }
  })

  it('holds the largest timestamp of the records against the bound, whatever the batch says', async () => {
    const bytes = batchOfRecords([5, 2_000, 7].map((timestamp) => ({ timestamp })))
    writeInt64(bytes, maxTimestampAt, 7)
    const settings = { ...defaultLogSettings, timestampAfterMaxMs: 10 }
    const error = await failureOf(() => requireAppendable(resealed(bytes), settings, 1_000, place))
    expect([error.code, error.at]).toEqual(['INVALID_TIMESTAMP', { ...place, record: 1 }])
  })

  it('refuses a first timestamp that no number holds', async () => {
    for (const beyond of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n]) {
      const bytes = batchOf('a')
      bytes.writeBigInt64BE(beyond, baseTimestampAt)
      expect((await failureOf(() => appendable(resealed(bytes), 1_000))).code).toBe('INVALID_TIMESTAMP')
    }
  })

  it('says which record of a compacted topic has no key', async () => {
    const settings = { ...defaultLogSettings, cleanupPolicy: 'compact' } as const
    const bytes = batchOfRecords([{ key: 'a' }, { key: 'b' }, {}, {}])
    const error = await failureOf(() => requireAppendable(bytes, settings, 0, place))
    expect([error.code, error.at]).toEqual(['INVALID_RECORD', { ...place, record: 2 }])
  })

  it('refuses a part of a batch, and no batch at all', async () => {
    const bytes = Buffer.concat([batchOf('a'), batchOf('b')])
    for (const end of [0, 1, 60, 70, bytes.length - 1]) {
      const error = await failureOf(() => appendable(bytes.subarray(0, end), 1_000))
      expect(error.code).toBe('CORRUPT_BATCH')
    }
  })

  it('refuses a batch above the limit, which counts for each batch alone', async () => {
    const batch = batchOf('a')
    const two = Buffer.concat([batch, batchOf('b')])
    expect(appendable(two, batch.length).offsets).toBe(2)
    const error = await failureOf(() => appendable(two, batch.length - 1))
    expect(error.code).toBe('RECORD_TOO_LARGE')
    expect(error.message).toContain("'max.message.bytes'")
  })

  it('takes timestamps in the bounds that the topic sets, and only those', async () => {
    const settings = { ...defaultLogSettings, timestampBeforeMaxMs: 100, timestampAfterMaxMs: 10 }
    const check = (...timestamps: number[]) =>
      requireAppendable(batchOfRecords(timestamps.map((timestamp) => ({ timestamp }))), settings, 1_000, place)
    expect(check(900, 1_010, 950, -1).maxTimestamp).toBe(1_010)
    for (const outside of [899, 1_011]) {
      const error = await failureOf(() => check(1_000, outside, 1_005))
      expect([error.code, error.at]).toEqual(['INVALID_TIMESTAMP', { ...place, record: 1 }])
      expect(error.message).toContain(String(outside))
    }
  })

  it('leaves it to the log to say that a batch has the time of its append', async () => {
    const bytes = batchOf('a')
    setLogAppendTime(bytes, 0, 5)
    expect((await failureOf(() => appendable(bytes, 1_000))).code).toBe('INVALID_TIMESTAMP')
  })
})
