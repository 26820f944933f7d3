import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResponseOf } from '../../../src/broker/protocol/api.ts'
import { codeOf } from '../../../src/broker/protocol/error-codes.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { BatchBuilder } from '../../../src/record/batch-builder.ts'
import * as format from '../../../src/record/batch-format.ts'
import { maxDecompressedBytes } from '../../../src/record/compression.ts'
import { batchOf, batchOfRecords } from '../records.ts'
import type { ProtocolClient } from './protocol-client.ts'
import { type ServedBroker, serveBroker } from './served-broker.ts'

type PartitionResponse = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

let served: ServedBroker
let client: ProtocolClient
beforeEach(async () => {
  served = await serveBroker()
  await served.broker.createTopics([{ name: 't', partitions: 1 }])
  client = await served.connect()
})
afterEach(() => served.close())

async function answerTo(records: Buffer, version = 9): Promise<PartitionResponse> {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  const { responses } = await client.request(produce, version, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1_000,
    topicData,
  })
  return responses[0]?.partitionResponses[0] as PartitionResponse
}

async function errorOf(records: Buffer): Promise<number> {
  return (await answerTo(records)).errorCode
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

/** Another byte in the records, of which each takes 10: length, attributes, timestamp, offset, key, value (4), headers. */
const inRecords = (at: number, value: number) => (batch: Buffer) =>
  batch.writeUInt8(value, format.batchHeaderBytes + at)
const first = 0
const second = 10

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
  ['a record is longer than it is', inRecords(first, 20)],
  ['a record is shorter than it is', inRecords(second, 16)],
  ['a record begins at another offset', inRecords(first + 3, 2)],
  ['a record has the offset of the one before', inRecords(second + 3, 0)],
  ['a key has fewer than no bytes', inRecords(first + 4, 3)],
  ['a value has fewer than no bytes', inRecords(second + 5, 3)],
  ['a value is longer than its record', inRecords(second + 5, 8)],
  ['a record has headers', inRecords(first + 9, 2)],
  ['a record has fewer than no headers', inRecords(second + 9, 1)],
  ['its records are compressed', attribute(1)],
]

describe('a batch with a right checksum', () => {
  it.each(lies)('is refused where it says that %s', async (_, lie) => {
    expect(await errorOf(lying(lie as (batch: Buffer) => void))).toBeGreaterThan(0)
    expect(served.broker.log('t', 0).logEndOffset).toBe(0)
    expect(await errorOf(batchOf('honest'))).toBe(0)
    expect(served.broker.log('t', 0).logEndOffset).toBe(1)
  })

  it('is refused with the code that Kafka has for it, and told what is wrong', async () => {
    const lie = lying(inRecords(second + 4, 3))
    const { errorMessage, ...answer } = await answerTo(lie)
    expect(errorMessage).toMatch(/its key has -2 bytes \(topic t, partition 0, record 1\)/)
    expect(answer).toMatchObject({
      errorCode: codeOf('INVALID_RECORD'),
      baseOffset: -1,
      recordErrors: [{ batchIndex: 1, batchIndexErrorMessage: errorMessage }],
    })
    expect((await answerTo(lie, 7)).errorCode).toBe(codeOf('INVALID_RECORD'))
    const damaged = batchOf('one')
    damaged[damaged.length - 1] = 1
    expect(await answerTo(damaged)).toMatchObject({ errorCode: codeOf('CORRUPT_MESSAGE'), recordErrors: [] })
    expect(await errorOf(lying(count(3)))).toBe(codeOf('INVALID_RECORD'))
    expect(await errorOf(lying(attribute(7)))).toBe(codeOf('UNSUPPORTED_COMPRESSION_TYPE'))
    const future = lying((batch) => batch.writeBigInt64BE(2n ** 60n, format.baseTimestampAt))
    expect(await errorOf(future)).toBe(codeOf('INVALID_TIMESTAMP'))
  })

  it('says which record of a compacted topic has no key', async () => {
    await served.broker.createTopics([{ name: 'kept', partitions: 1, config: { 'cleanup.policy': 'compact' } }])
    const batch = batchOfRecords([{ key: 'a' }, { key: null }, { key: null }])
    const topicData = [{ name: 'kept', partitionData: [{ index: 0, records: batch }] }]
    const { responses } = await client.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1, topicData })
    expect(responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: codeOf('INVALID_RECORD'),
      recordErrors: [{ batchIndex: 1 }],
    })
  })

  it('is refused where it comes compressed with zstd from a client that cannot know it', async () => {
    const zstd = batchOfRecords([{ value: 'one' }], { compression: 'zstd' })
    expect((await answerTo(zstd, 6)).errorCode).toBe(codeOf('UNSUPPORTED_COMPRESSION_TYPE'))
    expect((await answerTo(zstd, 7)).errorCode).toBe(0)
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('is refused where it is a bomb (%s)', async (compression) => {
    await served.broker.createTopics([{ name: 'large', partitions: 1, config: { 'max.message.bytes': '8000000' } }])
    const builder = new BatchBuilder({ compression })
    const value = Buffer.alloc(maxDecompressedBytes)
    builder.append(1_000, null, -1, -1, value, 0, value.length)
    const topicData = [{ name: 'large', partitionData: [{ index: 0, records: Buffer.from(builder.finish()) }] }]
    const { responses } = await client.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1, topicData })
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(codeOf('MESSAGE_TOO_LARGE'))
    expect(served.broker.log('large', 0).logEndOffset).toBe(0)
  })
})
