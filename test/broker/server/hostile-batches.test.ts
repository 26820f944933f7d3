import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import * as format from '../../../src/record/batch-format.ts'
import { batchOf } from '../records.ts'
import type { ProtocolClient } from './protocol-client.ts'
import { type ServedBroker, serveBroker } from './served-broker.ts'

let served: ServedBroker
let client: ProtocolClient
beforeEach(async () => {
  served = await serveBroker()
  await served.broker.createTopics([{ name: 't', partitions: 1 }])
  client = await served.connect()
})
afterEach(() => served.close())

async function errorOf(records: Buffer): Promise<number | undefined> {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  const { responses } = await client.request(produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1_000,
    topicData,
  })
  return responses[0]?.partitionResponses[0]?.errorCode
}

/** A batch of two records that lies, with a checksum that does not tell. */
function lying(lie: (batch: Buffer) => void): Buffer {
  const batch = batchOf('one', 'two')
  lie(batch)
  batch.writeUInt32BE(format.computeChecksum(batch, 0) >>> 0, format.checksumAt)
  return batch
}

const attribute = (bits: number) => (batch: Buffer) => batch.writeInt16BE(bits, format.attributesAt)
const int32 = (at: number, value: number) => (batch: Buffer) => batch.writeInt32BE(value, at)
const count = (value: number) => int32(format.recordCountAt, value)
const lastOffset = (value: number) => int32(format.lastOffsetDeltaAt, value)

const lies: readonly (readonly [string, (batch: Buffer) => unknown])[] = [
  ['the format is that of old clients', (batch) => batch.writeInt8(1, format.magicAt)],
  ['the format is one to come', (batch) => batch.writeInt8(3, format.magicAt)],
  ['the broker wrote it: a control batch', attribute(format.controlBit)],
  ['a transaction ended with it', attribute(format.controlBit | format.transactionalBit)],
  ['it is of a transaction, whose producer is nobody', attribute(format.transactionalBit)],
  ['its codec is one that there is not', attribute(7)],
  ['it has a record more than it has', count(3)],
  ['it has a record fewer than it has', count(1)],
  ['it has none', count(0)],
  ['it has fewer than none', count(-1)],
  ['it has as many as can be written', count(0x7fff_ffff)],
  ['its last offset is beyond its records', lastOffset(7)],
  ['its last offset is before its first', lastOffset(-1)],
  ['its last offset is as far as can be written', lastOffset(0x7fff_ffff)],
]

describe('a batch with a right checksum', () => {
  it.each(lies)('is refused where it says that %s', async (_, lie) => {
    expect(await errorOf(lying(lie as (batch: Buffer) => void))).toBeGreaterThan(0)
    expect(served.broker.log('t', 0).logEndOffset).toBe(0)
    expect(await errorOf(batchOf('honest'))).toBe(0)
    expect(served.broker.log('t', 0).logEndOffset).toBe(1)
  })
})
