import { afterEach, describe, expect, it } from 'vitest'
import { addOffsetsToTxn } from '../../../src/broker/protocol/messages/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../../src/broker/protocol/messages/add-partitions-to-txn.ts'
import { deleteGroups } from '../../../src/broker/protocol/messages/delete-groups.ts'
import { endTxn } from '../../../src/broker/protocol/messages/end-txn.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { initProducerId } from '../../../src/broker/protocol/messages/init-producer-id.ts'
import { listOffsets } from '../../../src/broker/protocol/messages/list-offsets.ts'
import { offsetFetch } from '../../../src/broker/protocol/messages/offset-fetch.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { txnOffsetCommit } from '../../../src/broker/protocol/messages/txn-offset-commit.ts'
import { BatchReader } from '../../../src/record/batch-reader.ts'
import { batchOfRecords } from '../records.ts'
import type { ProtocolClient } from '../server/protocol-client.ts'
import { type ServedBroker, serveBroker } from '../server/served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(): Promise<ServedBroker> {
  const served = await serveBroker()
  closers.push(served.close)
  await served.broker.createTopics([{ name: 'orders', partitions: 1 }])
  return served
}

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

async function append(
  client: ProtocolClient,
  value: string,
  producer: Producer,
  baseSequence: number,
  isTransactional: boolean,
) {
  const batch = batchOfRecords([{ value }], {}, { ...producer, baseSequence, isTransactional })
  const { responses } = await client.request(produce, 9, {
    transactionalId: isTransactional ? 'till' : null,
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: 'orders', partitionData: [{ index: 0, records: batch }] }],
  })
  const { errorCode, baseOffset } = responses[0]?.partitionResponses[0] ?? { errorCode: -1, baseOffset: -1 }
  return [errorCode, baseOffset]
}

const ofTill = (producer: Producer) => ({
  v3AndBelowTransactionalId: 'till',
  v3AndBelowProducerId: producer.producerId,
  v3AndBelowProducerEpoch: producer.producerEpoch,
  v3AndBelowTopics: [{ name: 'orders', partitions: [0] }],
})

/** Where the batches begin, markers too, and what the response with the first of them says of transactions. A fetch ends where a segment does. */
async function seenBy(client: ProtocolClient, isolationLevel: number) {
  const offsets: number[] = []
  const fetchFrom = async (fetchOffset: number) => {
    const topics = [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 100_000 }] }]
    const found = await client.request(fetch, 11, { replicaId: -1, maxWaitMs: 0, minBytes: 1, isolationLevel, topics })
    return found.responses[0]?.partitions[0]
  }
  const first = await fetchFrom(0)
  let next = 0
  for (let partition = first; (partition?.records?.length ?? 0) > 0; partition = await fetchFrom(next)) {
    const reader = new BatchReader()
    reader.reset(partition?.records ?? Buffer.alloc(0))
    while (reader.nextBatch()) {
      offsets.push(reader.baseOffset)
      next = reader.lastOffset + 1
    }
  }
  return { offsets, aborted: first?.abortedTransactions, lastStableOffset: first?.lastStableOffset }
}

describe('producers over the protocol', () => {
  it('that are idempotent write a batch once, however often they send it', async () => {
    const client = await (await serve()).connect()
    const producer = await client.request(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
    expect(producer).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(await append(client, 'a', producer, 0, false)).toEqual([0, 0])
    expect(await append(client, 'a', producer, 0, false)).toEqual([0, 0])
    expect(await append(client, 'b', producer, 1, false)).toEqual([0, 1])
    expect(await append(client, 'd', producer, 3, false)).toEqual([45, -1])
  })

  it('that are transactional show committed readers all of a transaction or nothing', async () => {
    const client = await (await serve()).connect()
    const producer = await client.request(initProducerId, 4, { transactionalId: 'till', transactionTimeoutMs: 60_000 })
    // Nothing belongs to the transaction yet.
    expect(await append(client, 'early', producer, 0, true)).toEqual([48, -1])
    await client.request(addPartitionsToTxn, 3, ofTill(producer))
    expect(await append(client, 'aborted', producer, 0, true)).toEqual([0, 0])
    const end = { transactionalId: 'till', producerId: producer.producerId, producerEpoch: producer.producerEpoch }
    expect((await client.request(endTxn, 3, { ...end, committed: false })).errorCode).toBe(0)
    let added = await client.request(addPartitionsToTxn, 3, ofTill(producer))
    while (added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode === 51) {
      added = await client.request(addPartitionsToTxn, 3, ofTill(producer))
    }
    expect(await append(client, 'kept', producer, 1, true)).toEqual([0, 2])
    expect(await seenBy(client, 1)).toEqual({
      offsets: [0, 1],
      aborted: [{ producerId: producer.producerId, firstOffset: 0 }],
      lastStableOffset: 2,
    })
    expect((await seenBy(client, 0)).offsets).toEqual([0, 1, 2])
    const latest = { replicaId: -1, topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }
    const endOffset = async (isolationLevel: number) =>
      (await client.request(listOffsets, 7, { ...latest, isolationLevel })).topics[0]?.partitions[0]?.offset
    expect([await endOffset(1), await endOffset(0)]).toEqual([2, 3])
    expect((await client.request(endTxn, 3, { ...end, committed: true })).errorCode).toBe(0)
  })

  it('are fenced off by a later one with their transactional id, in the words of their version', async () => {
    const client = await (await serve()).connect()
    const asked = { transactionalId: 'till', transactionTimeoutMs: 60_000 }
    const first = await client.request(initProducerId, 1, asked)
    await client.request(addPartitionsToTxn, 3, ofTill(first))
    let second = await client.request(initProducerId, 4, asked)
    while (second.errorCode === 51) second = await client.request(initProducerId, 4, asked)
    expect(second.producerEpoch).toBeGreaterThan(first.producerEpoch)
    const end = {
      transactionalId: 'till',
      producerId: first.producerId,
      producerEpoch: first.producerEpoch,
      committed: true,
    }
    expect((await client.request(endTxn, 1, end)).errorCode).toBe(47)
    expect((await client.request(endTxn, 3, end)).errorCode).toBe(90)
    expect((await client.request(initProducerId, 4, { ...asked, transactionTimeoutMs: 10_000_000 })).errorCode).toBe(50)
    const unknownTopic = {
      ...ofTill(second),
      v3AndBelowTopics: [
        { name: 'none', partitions: [0] },
        { name: 'orders', partitions: [0] },
      ],
    }
    const refused = await client.request(addPartitionsToTxn, 3, unknownTopic)
    const codes = refused.resultsByTopicV3AndBelow.map((topic) => topic.resultsByPartition[0]?.partitionErrorCode)
    expect(codes).toEqual([3, 55])
  })

  it('commit offsets that count when their transaction does', async () => {
    const client = await (await serve()).connect()
    const asked = { transactionalId: 'till', transactionTimeoutMs: 60_000 }
    const { producerId, producerEpoch } = await client.request(initProducerId, 4, asked)
    const producer = { transactionalId: 'till', producerId, producerEpoch }
    const commitAt = (committedOffset: number) => ({
      ...producer,
      groupId: 'shop',
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] }],
    })
    const stable = async () => {
      const groups = [{ groupId: 'shop', topics: [{ name: 'orders', partitionIndexes: [0] }] }]
      const fetched = await client.request(offsetFetch, 8, { groups, requireStable: true })
      const partition = fetched.groups[0]?.topics[0]?.partitions[0]
      return [partition?.errorCode, partition?.committedOffset]
    }
    const tooEarly = await client.request(txnOffsetCommit, 3, commitAt(5))
    expect(tooEarly.topics[0]?.partitions[0]?.errorCode).toBe(48)
    for (const [offset, committed] of [
      [5, false],
      [7, true],
    ] as const) {
      let added = await client.request(addOffsetsToTxn, 3, { ...producer, groupId: 'shop' })
      while (added.errorCode === 51) added = await client.request(addOffsetsToTxn, 3, { ...producer, groupId: 'shop' })
      expect(added.errorCode).toBe(0)
      expect((await client.request(txnOffsetCommit, 3, commitAt(offset))).topics[0]?.partitions[0]?.errorCode).toBe(0)
      expect(await stable()).toEqual([88, -1])
      expect((await client.request(endTxn, 3, { ...producer, committed })).errorCode).toBe(0)
      let now = await stable()
      while (now[0] === 88) now = await stable()
      expect(now).toEqual([0, committed ? 7 : -1])
    }
    const deleted = await client.request(deleteGroups, 2, { groupsNames: ['shop', 'none'] })
    expect(deleted.results.map((one) => one.errorCode)).toEqual([0, 69])
    expect(await stable()).toEqual([0, -1])
  })
})
