import { describe, expect, it } from 'vitest'
import { ProducerEntry } from '../../../src/broker/log/producer-entry.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../../src/broker/log/producer-snapshot.ts'
import vectors from '../../vectors/transactions.json' with { type: 'json' }

/** The entries that Kafka's snapshot was written from. */
function entries(): ProducerEntry[] {
  const inTransaction = new ProducerEntry(7)
  inTransaction.addBatch(3, { lastSequence: 41, lastOffset: 99, offsetDelta: 9 }, 1_700_000_000_000)
  inTransaction.coordinatorEpoch = 5
  inTransaction.transactionStart = 90
  const atTheWrap = new ProducerEntry(1_001)
  atTheWrap.addBatch(0, { lastSequence: 2_147_483_647, lastOffset: 12_345_678_901, offsetDelta: 0 }, 1_234)
  const onlyMarked = new ProducerEntry(2_002)
  onlyMarked.endTransaction(32_766, 2, 99)
  return [inTransaction, atTheWrap, onlyMarked]
}

describe('a snapshot of producers', () => {
  it('has the bytes that Kafka writes', () => {
    expect(encodeProducerSnapshot(entries()).toString('hex')).toBe(vectors.snapshot)
  })

  it('is read back', () => {
    expect(decodeProducerSnapshot(Buffer.from(vectors.snapshot, 'hex'))).toEqual(entries())
  })

  it('is not used where it is damaged anywhere or cut off', () => {
    const whole = Buffer.from(vectors.snapshot, 'hex')
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] as number) ^ 0x10
      expect(decodeProducerSnapshot(damaged)).toBeUndefined()
      expect(decodeProducerSnapshot(whole.subarray(0, at))).toBeUndefined()
    }
  })
})
