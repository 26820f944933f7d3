import { describe, expect, it } from 'vitest'
import { openBroker } from '../../src/broker/broker.ts'
import { offsetsTopic, transactionsTopic } from '../../src/broker/topics.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import { failureOf, worldOn } from './records.ts'

/** Two records, of which the first announces more bytes than it has: those of the second follow. */
function overlong(key: string, value: string): Buffer {
  const builder = new BatchBuilder()
  const keyBytes = Buffer.from(key, 'hex')
  const valueBytes = Buffer.from(value, 'hex')
  builder.append(1_000, keyBytes, 0, keyBytes.length, valueBytes, 0, valueBytes.length)
  const following = Buffer.alloc(300, 0x61)
  builder.append(1_000, following, 0, 300, following, 0, 300)
  return builder.finish()
}

describe('the records of the logs of the broker itself', () => {
  const offsetKey = '0001' + '000167' + '000174' + '00000000'
  it.each([
    ['a key of an offset', offsetsTopic, `0001${'00ff'}67`, '00'],
    ['the value of an offset', offsetsTopic, offsetKey, `0003${'0000000000000001'}${'ffffffff'}${'00f0'}6d`],
    ['a key of a group', offsetsTopic, `0002${'00f0'}67`, '00'],
    ['the value of a group', offsetsTopic, `0002${'0001'}67`, `0003${'00f0'}63`],
    ['a key of a transaction', transactionsTopic, `0000${'00f0'}61`, '00'],
    ['the value of a transaction', transactionsTopic, `0000${'0001'}61`, `0001${'0000000000000007'}`],
  ])('may not announce more than they have: %s', async (_, topic, key, value) => {
    const environment = worldOn()
    const options = { directory: 'data', environment, flush: 'fsync' } as const
    const broker = await openBroker(options)
    await broker.offsets.partitionFor('g')
    await broker.transactions.initProducerId({ transactionalId: 'b', timeoutMs: 1_000 })
    const offset = broker.log(topic, 0).append(overlong(key, value))
    await broker.close()
    const failure = await failureOf(() => openBroker(options))
    expect(failure).toMatchObject({ code: 'CORRUPT_BATCH', at: { topic, partition: 0, offset } })
  })
})
