import { describe, expect, it } from 'vitest'
import { requireAppendable } from '../../../src/broker/log/batch-check.ts'
import { batchOf, failureOf } from '../records.ts'

const place = { topic: 't', partition: 3 }

function damagedAt(position: number): Buffer {
  const bytes = batchOf('one', 'two')
  bytes[position] = (bytes[position] as number) ^ 1
  return bytes
}

describe('the check of an append', () => {
  it('counts the offsets that whole batches need', () => {
    const bytes = Buffer.concat([batchOf('a', 'b'), batchOf('c'), batchOf('d', 'e', 'f')])
    expect(requireAppendable(bytes, 1_000, place)).toBe(6)
  })

  it('refuses a bit that is flipped anywhere but in the fields that the log sets', async () => {
    const size = batchOf('one', 'two').length
    const setByTheLog = (at: number) => at < 8 || (at >= 12 && at < 16)
    for (let at = 0; at < size; at++) {
      if (setByTheLog(at)) continue
      const error = await failureOf(() => requireAppendable(damagedAt(at), 1_000, place))
      expect([at, error.code, error.at]).toEqual([at, 'CORRUPT_BATCH', place])
    }
  })

  it('refuses a part of a batch, and no batch at all', async () => {
    const bytes = Buffer.concat([batchOf('a'), batchOf('b')])
    for (const end of [0, 1, 60, 70, bytes.length - 1]) {
      const error = await failureOf(() => requireAppendable(bytes.subarray(0, end), 1_000, place))
      expect(error.code).toBe('CORRUPT_BATCH')
    }
  })

  it('refuses a batch above the limit, which counts for each batch alone', async () => {
    const batch = batchOf('a')
    const two = Buffer.concat([batch, batchOf('b')])
    expect(requireAppendable(two, batch.length, place)).toBe(2)
    const error = await failureOf(() => requireAppendable(two, batch.length - 1, place))
    expect(error.code).toBe('RECORD_TOO_LARGE')
    expect(error.message).toContain("'max.message.bytes'")
  })
})
