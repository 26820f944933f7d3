import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Transaction, TransactionVersion } from '../../../src/broker/transaction/transaction.ts'
import {
  readTransactionKey,
  readTransactionValue,
  writeTransactionKey,
  writeTransactionValue,
} from '../../../src/broker/transaction/transaction-record.ts'
import { ByteWriter } from '../../../src/bytes/byte-writer.ts'
import vectors from '../../vectors/transactions.json' with { type: 'json' }

/** What Kafka's records were written from. */
const ongoing: Transaction = {
  status: 'Ongoing',
  producerId: 77,
  producerEpoch: 5,
  previousProducerId: 77,
  nextProducerId: -1,
  lastProducerEpoch: -1,
  timeoutMs: 60_000,
  partitions: [
    { topic: 'orders', partition: 0 },
    { topic: 'orders', partition: 3 },
    { topic: '__consumer_offsets', partition: 12 },
  ],
  startedMs: 1_700_000_000_100,
  updatedMs: 1_700_000_000_123,
  clientVersion: 2,
}
const overflowing: Transaction = {
  ...ongoing,
  status: 'PrepareCommit',
  producerEpoch: 32_767,
  nextProducerId: 1_001,
  startedMs: 8,
  updatedMs: 9,
}

function encoded(transaction: Transaction): Buffer {
  const out = new ByteWriter()
  writeTransactionValue(transaction, out)
  return out.toBuffer()
}

describe('the records of transactions', () => {
  it('have the bytes that Kafka writes', () => {
    expect(encoded(ongoing).toString('hex')).toBe(vectors['txnvalue-v1-ongoing'])
    expect(encoded(overflowing).toString('hex')).toBe(vectors['txnvalue-v1-prepare-commit'])
    const key = new ByteWriter()
    writeTransactionKey('my-txn', key)
    expect(key.toBuffer().toString('hex')).toBe(vectors.txnkey)
  })

  it('of both versions that Kafka writes are read', () => {
    const read = (hex: string) => readTransactionValue(Buffer.from(hex, 'hex'), 0, hex.length / 2)
    expect(read(vectors['txnvalue-v1-ongoing'])).toEqual(ongoing)
    expect(read(vectors['txnvalue-v1-prepare-commit'])).toEqual(overflowing)
    expect(read(vectors['txnvalue-v0-ongoing'])).toEqual({ ...ongoing, previousProducerId: -1, clientVersion: 0 })
    expect(read(vectors['txnvalue-v0-empty'])).toMatchObject({ status: 'Empty', producerEpoch: 0, partitions: [] })
    expect(readTransactionKey(Buffer.from(vectors.txnkey, 'hex'), 0, vectors.txnkey.length / 2)).toBe('my-txn')
  })

  it('say all that there is to say', () => {
    const id = fc.oneof(fc.constant(-1), fc.maxSafeNat())
    const epoch = fc.integer({ min: -1, max: 32_767 })
    const partition = fc.record({ topic: fc.stringMatching(/^[a-z]{1,3}$/), partition: fc.nat({ max: 9 }) })
    const transaction: fc.Arbitrary<Transaction> = fc.record({
      status: fc.constantFrom('Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'),
      producerId: fc.maxSafeNat(),
      producerEpoch: fc.nat({ max: 32_767 }),
      previousProducerId: id,
      nextProducerId: id,
      lastProducerEpoch: epoch,
      timeoutMs: fc.nat({ max: 2_147_483_647 }),
      partitions: fc.uniqueArray(partition, { selector: (p) => `${p.topic}-${p.partition}` }),
      startedMs: id,
      updatedMs: fc.maxSafeNat(),
      clientVersion: fc.constantFrom<TransactionVersion>(0, 1, 2),
    })
    fc.assert(
      fc.property(transaction, (transaction) => {
        const bytes = encoded(transaction)
        const read = readTransactionValue(bytes, 0, bytes.length)
        const sorted = (t: Transaction) => ({
          ...t,
          partitions: t.partitions.map((p) => `${p.topic}-${p.partition}`).sort(),
        })
        expect(sorted(read)).toEqual(sorted(transaction))
      }),
    )
  })
})
