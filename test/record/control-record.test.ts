import { describe, expect, it } from 'vitest'
import { setBaseOffset, setLeaderEpoch } from '../../src/record/batch-format.ts'
import {
  readTransactionMarker,
  type TransactionMarker,
  transactionMarkerBatch,
} from '../../src/record/control-record.ts'
import vectors from '../vectors/transactions.json' with { type: 'json' }

const marker: TransactionMarker = {
  producerId: 77,
  producerEpoch: 5,
  outcome: 'commit',
  coordinatorEpoch: 9,
  timestamp: 1_700_000_000_123,
}

describe('a transaction marker', () => {
  it.each([
    ['commit' as const, vectors['marker-commit']],
    ['abort' as const, vectors['marker-abort']],
  ])('has the bytes of a batch that Kafka writes: %s', (outcome, hex) => {
    const batch = transactionMarkerBatch({ ...marker, outcome })
    setBaseOffset(batch, 0, 42)
    setLeaderEpoch(batch, 0, 3)
    expect(batch.toString('hex')).toBe(hex)
    expect(readTransactionMarker(batch, 0, batch.length)).toEqual({ ...marker, outcome })
  })

  it('that is too short is refused', () => {
    const batch = transactionMarkerBatch(marker)
    const keyLengthAt = 65
    expect(batch[keyLengthAt]).toBe(8)
    batch[keyLengthAt] = 4
    expect(() => readTransactionMarker(batch, 0, batch.length)).toThrow('damaged')
  })
})
