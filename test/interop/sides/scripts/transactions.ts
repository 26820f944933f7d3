import { addOffsetsToTxn } from '../../../../src/broker/protocol/messages/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../../../src/broker/protocol/messages/add-partitions-to-txn.ts'
import { describeProducers } from '../../../../src/broker/protocol/messages/describe-producers.ts'
import { describeTransactions } from '../../../../src/broker/protocol/messages/describe-transactions.ts'
import { endTxn } from '../../../../src/broker/protocol/messages/end-txn.ts'
import { fetch } from '../../../../src/broker/protocol/messages/fetch.ts'
import { initProducerId } from '../../../../src/broker/protocol/messages/init-producer-id.ts'
import { listOffsets } from '../../../../src/broker/protocol/messages/list-offsets.ts'
import { listTransactions } from '../../../../src/broker/protocol/messages/list-transactions.ts'
import { offsetFetch } from '../../../../src/broker/protocol/messages/offset-fetch.ts'
import { produce } from '../../../../src/broker/protocol/messages/produce.ts'
import { txnOffsetCommit } from '../../../../src/broker/protocol/messages/txn-offset-commit.ts'
import { batchOfRecords } from '../../../broker/records.ts'
import { appendTo, coordinatorIsThere, makeTopic, newProducer, type ProducerIdentity, type Script } from '../script.ts'
import type { Side } from '../side.ts'
import { fetchFrom } from './records.ts'

/** Transactions are begun, written to, ended, fenced and looked at. */
export const transactions: Script = {
  name: 'transactions',
  run: async (side) => {
    await makeTopic(side, 'sold')
    await coordinatorIsThere(side, 1, 'till')
    await coordinatorIsThere(side, 0, 'audit')
    await begin(side)
    const producer = await newProducer(side, 'till')
    await refuse(side, producer)
    await write(side, producer)
    await look(side)
    await fence(side, producer)
  },
}

const now = Date.now()

function adding(producer: ProducerIdentity, more: { id?: string; topic?: string; partition?: number } = {}) {
  const { id = 'till', topic = 'sold', partition = 0 } = more
  return {
    v3AndBelowTransactionalId: id,
    v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.producerEpoch,
    v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
  }
}

const writing = (producer: ProducerIdentity, baseSequence: number, value: string) =>
  appendTo(
    'sold',
    batchOfRecords([{ timestamp: now, value }], {}, { ...producer, baseSequence, isTransactional: true }),
    { transactionalId: 'till' },
  )
const ending = (producer: ProducerIdentity, committed: boolean, transactionalId = 'till') => ({
  transactionalId,
  ...producer,
  committed,
})

async function begin(side: Side): Promise<void> {
  const init = (transactionalId: string | null, transactionTimeoutMs = 60_000) => ({
    transactionalId,
    transactionTimeoutMs,
  })
  for (const version of [0, 2, 4, 5]) await side.ask('without a name', initProducerId, version, init(null))
  await side.ask('with an empty name', initProducerId, 4, init(''))
  await side.ask('for too long', initProducerId, 4, init('till', 100_000_000))
  await side.ask('for no time', initProducerId, 4, init('till', 0))
  for (const version of [0, 1, 3, 4, 5]) await side.ask('again and again', initProducerId, version, init('till'))
  await side.ask('of somebody else', initProducerId, 4, { ...init('till'), producerId: 123_456, producerEpoch: 0 })
}

async function refuse(side: Side, producer: ProducerIdentity): Promise<void> {
  const stranger = { producerId: producer.producerId + 1_000, producerEpoch: 0 }
  const older = { ...producer, producerEpoch: producer.producerEpoch - 1 }
  const newer = { ...producer, producerEpoch: producer.producerEpoch + 1 }
  for (const version of [1, 2, 3]) {
    for (const [who, one] of [
      ['a stranger', stranger],
      ['an older one', older],
      ['a newer one', newer],
    ] as const) {
      await side.ask(`adds as ${who}`, addPartitionsToTxn, version, adding(one))
      await side.ask(`ends as ${who}`, endTxn, version, ending(one, true))
    }
  }
  await side.ask('adds without a name', addPartitionsToTxn, 3, adding(producer, { id: '' }))
  await side.ask('adds under a name that there is not', addPartitionsToTxn, 3, adding(producer, { id: 'nobody' }))
  await side.ask('adds a topic that there is not', addPartitionsToTxn, 3, adding(producer, { topic: 'nobody' }))
  await side.ask('ends under a name that there is not', endTxn, 3, ending(producer, true, 'nobody'))
  await side.ask('ends what was not begun', endTxn, 3, ending(producer, true))
  await side.ask('aborts what was not begun', endTxn, 3, ending(producer, false))
  await side.ask('writes what it has not added', produce, 9, writing(producer, 0, 'early'))
}

async function write(side: Side, producer: ProducerIdentity): Promise<void> {
  await side.ask('adds', addPartitionsToTxn, 3, adding(producer))
  await side.ask('writes', produce, 9, writing(producer, 0, 'a'))
  const latest = (isolationLevel: number) => ({
    replicaId: -1,
    isolationLevel,
    topics: [{ name: 'sold', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })
  await side.ask('the end while it is open', listOffsets, 7, latest(0))
  await side.ask('the end of what is committed', listOffsets, 7, latest(1))
  await side.ask('what can be read while it is open', fetch, 11, { ...fetchFrom('sold', 0), isolationLevel: 1 })
  await side.ask('adds offsets', addOffsetsToTxn, 3, { transactionalId: 'till', ...producer, groupId: 'audit' })
  const offsets = {
    transactionalId: 'till',
    groupId: 'audit',
    ...producer,
    topics: [{ name: 'sold', partitions: [{ partitionIndex: 0, committedOffset: 9, committedMetadata: '' }] }],
  }
  for (const version of [0, 2, 3]) await side.ask('commits offsets', txnOffsetCommit, version, offsets)
  await side.ask('commits offsets of a generation', txnOffsetCommit, 3, { ...offsets, generationId: 5, memberId: 'm' })
  const asked = { groupId: 'audit', topics: [{ name: 'sold', partitionIndexes: [0] }] }
  await side.ask('offsets while it is open', offsetFetch, 6, asked)
  await side.ask('stable offsets while it is open', offsetFetch, 7, { ...asked, requireStable: true })
  await side.ask('described while it is open', describeTransactions, 0, { transactionalIds: ['till', 'nobody', ''] })
  await side.ask('its producer', describeProducers, 0, {
    topics: [
      { name: 'sold', partitionIndexes: [0, 9] },
      { name: 'nobody', partitionIndexes: [0] },
    ],
  })
  await side.ask('commits', endTxn, 3, ending(producer, true))
  await side.until(
    offsetFetch,
    7,
    { ...asked, requireStable: true },
    ({ topics: [topic] }) => topic?.partitions[0]?.committedOffset === 9,
  )
  await side.ask('offsets afterwards', offsetFetch, 7, asked)
  await isOver(side, 'CompleteCommit')
  await side.ask('commits again', endTxn, 3, ending(producer, true))
  await side.ask('aborts what is committed', endTxn, 3, ending(producer, false))
  await side.ask('adds to the next', addPartitionsToTxn, 3, adding(producer))
  await side.ask('writes to it', produce, 9, writing(producer, 1, 'b'))
  await side.ask('aborts it', endTxn, 3, ending(producer, false))
  await isOver(side, 'CompleteAbort')
}

async function isOver(side: Side, state: string): Promise<void> {
  await side.until(
    describeTransactions,
    0,
    { transactionalIds: ['till'] },
    ({ transactionStates: [one] }) => one?.transactionState === state,
  )
  const ended = ({
    responses: [topic],
  }: {
    responses: readonly { partitions: readonly { highWatermark: number; lastStableOffset: number }[] }[]
  }) => topic?.partitions[0]?.highWatermark === topic?.partitions[0]?.lastStableOffset
  await side.until(fetch, 11, fetchFrom('sold', 0), ended)
}

async function look(side: Side): Promise<void> {
  for (const version of [4, 11, 12]) {
    await side.ask('what is committed', fetch, version, { ...fetchFrom('sold', 0), isolationLevel: 1 })
    await side.ask('everything', fetch, version, fetchFrom('sold', 0))
  }
  await side.ask('described', describeTransactions, 0, { transactionalIds: ['till'] })
  for (const version of [0, 1])
    await side.ask('all', listTransactions, version, { stateFilters: [], producerIdFilters: [] })
  await side.ask('those that are open', listTransactions, 0, { stateFilters: ['Ongoing'], producerIdFilters: [] })
  await side.ask('those in a state that there is not', listTransactions, 0, {
    stateFilters: ['Nonsense'],
    producerIdFilters: [],
  })
  await side.ask('those of a producer that there is not', listTransactions, 0, {
    stateFilters: [],
    producerIdFilters: [987_654],
  })
}

async function fence(side: Side, producer: ProducerIdentity): Promise<void> {
  await side.ask('adds', addPartitionsToTxn, 3, adding(producer))
  await side.ask('writes', produce, 9, writing(producer, 2, 'c'))
  await newProducer(side, 'till')
  await side.ask('the older one writes', produce, 9, writing(producer, 3, 'd'))
  for (const version of [1, 2, 3]) {
    await side.ask('the older one adds', addPartitionsToTxn, version, adding(producer))
    await side.ask('the older one ends', endTxn, version, ending(producer, true))
  }
  await isOver(side, 'Empty')
  await side.ask('what is committed at last', fetch, 11, { ...fetchFrom('sold', 0), isolationLevel: 1 })
}
