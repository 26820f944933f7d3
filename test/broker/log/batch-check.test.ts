import { describe, expect, it } from 'vitest'
import { type AppendableBatches, requireAppendable } from '../../../src/broker/log/batch-check.ts'
import { defaultLogSettings } from '../../../src/broker/log/log-settings.ts'
import { BatchBuilder } from '../../../src/record/batch-builder.ts'
import { setLogAppendTime } from '../../../src/record/batch-format.ts'
import { batchOf, batchOfRecords, failureOf } from '../records.ts'

const place = { topic: 't', partition: 3 }

/** What an append of the bytes needs, with at most so many bytes a batch. */
function appendable(bytes: Buffer, maxMessageBytes: number): AppendableBatches {
  return requireAppendable(bytes, { ...defaultLogSettings, maxMessageBytes }, 0, place)
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
      expect([error.code, error.at]).toEqual(['INVALID_TIMESTAMP', place])
      expect(error.message).toContain(String(outside))
    }
  })

  it('leaves it to the log to say that a batch has the time of its append', async () => {
    const bytes = batchOf('a')
    setLogAppendTime(bytes, 0, 5)
    expect((await failureOf(() => appendable(bytes, 1_000))).code).toBe('INVALID_TIMESTAMP')
  })
})
