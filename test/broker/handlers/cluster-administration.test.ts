import { afterEach, describe, expect, it } from 'vitest'
import { addPartitionsToTxn } from '../../../src/broker/protocol/messages/add-partitions-to-txn.ts'
import { alterPartitionReassignments } from '../../../src/broker/protocol/messages/alter-partition-reassignments.ts'
import { alterReplicaLogDirs } from '../../../src/broker/protocol/messages/alter-replica-log-dirs.ts'
import { deleteRecords } from '../../../src/broker/protocol/messages/delete-records.ts'
import { describeLogDirs } from '../../../src/broker/protocol/messages/describe-log-dirs.ts'
import { describeProducers } from '../../../src/broker/protocol/messages/describe-producers.ts'
import { describeTransactions } from '../../../src/broker/protocol/messages/describe-transactions.ts'
import { electLeaders } from '../../../src/broker/protocol/messages/elect-leaders.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { listPartitionReassignments } from '../../../src/broker/protocol/messages/list-partition-reassignments.ts'
import { listTransactions } from '../../../src/broker/protocol/messages/list-transactions.ts'
import { offsetDelete } from '../../../src/broker/protocol/messages/offset-delete.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { writeTxnMarkers } from '../../../src/broker/protocol/messages/write-txn-markers.ts'
import { batchOf, batchOfRecords, recordsIn } from '../records.ts'
import { serveBroker } from '../server/served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve() {
  const served = await serveBroker()
  closers.push(served.close)
  await served.broker.createTopics([{ name: 'orders', partitions: 2 }])
  return { ...served, client: await served.connect() }
}

type Served = Awaited<ReturnType<typeof serve>>

/** A producer with an open transaction that has written one record to partition 0. */
async function beginTransaction({ broker }: Served, transactionalId: string) {
  const producer = await broker.transactions.initProducerId({ transactionalId, timeoutMs: 60_000 })
  await broker.transactions.addPartitions({ transactionalId, ...producer }, [{ topic: 'orders', partition: 0 }])
  const log = broker.log('orders', 0)
  broker.append(log, batchOfRecords([{ value: 'open' }], {}, { ...producer, baseSequence: 0, isTransactional: true }))
  await log.acknowledged()
  return producer
}

describe('transactions', () => {
  it('are listed by state, producer, age and pattern', async () => {
    const served = await serve()
    const { client, environment } = served
    const first = await beginTransaction(served, 'shop-1')
    await environment.clock.advanceAsync(5_000)
    await served.broker.transactions.initProducerId({ transactionalId: 'till-1', timeoutMs: 60_000 })
    const list = async (filters: object) => {
      const all = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null }
      const { errorCode, transactionStates, unknownStateFilters } = await client.request(listTransactions, 2, {
        ...all,
        ...filters,
      })
      return [errorCode, transactionStates.map((one) => one.transactionalId), unknownStateFilters]
    }
    expect(await list({})).toEqual([0, ['shop-1', 'till-1'], []])
    expect(await list({ stateFilters: ['Ongoing', 'Odd'] })).toEqual([0, ['shop-1'], ['Odd']])
    expect(await list({ stateFilters: ['Odd'] })).toEqual([0, [], ['Odd']])
    expect(await list({ producerIdFilters: [first.producerId] })).toEqual([0, ['shop-1'], []])
    expect(await list({ durationFilter: 4_999, stateFilters: ['Ongoing'] })).toEqual([0, ['shop-1'], []])
    expect(await list({ durationFilter: 5_000, stateFilters: ['Ongoing'] })).toEqual([0, [], []])
    expect(await list({ transactionalIdPattern: 'till.*' })).toEqual([0, ['till-1'], []])
    expect(await list({ transactionalIdPattern: 'till' })).toEqual([0, [], []])
    expect(await list({ transactionalIdPattern: '(' })).toEqual([128, [], []])
  })

  it('are told by id', async () => {
    const served = await serve()
    const producer = await beginTransaction(served, 'shop')
    const asked = { transactionalIds: ['shop', 'none', ''] }
    const { transactionStates } = await served.client.request(describeTransactions, 0, asked)
    expect(transactionStates.map(({ errorCode }) => errorCode)).toEqual([0, 105, 42])
    expect(transactionStates[0]).toMatchObject({
      transactionState: 'Ongoing',
      transactionTimeoutMs: 60_000,
      transactionStartTimeMs: served.environment.clock.wallMs(),
      ...producer,
      topics: [{ topic: 'orders', partitions: [0] }],
    })
  })

  it('that hang are found by their partition, and aborted there', async () => {
    const served = await serve()
    const { broker, client } = served
    const { producerId, producerEpoch } = await beginTransaction(served, 'shop')
    broker.log('orders', 0).append(batchOf('behind it'))
    await broker.log('orders', 0).acknowledged()
    const asked = {
      topics: [
        { name: 'orders', partitionIndexes: [0, 1, 7] },
        { name: 'a b', partitionIndexes: [0] },
      ],
    }
    const { topics } = await client.request(describeProducers, 0, asked)
    expect(topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))).toEqual([[0, 0, 3], [17]])
    const found = topics[0]?.partitions[0]?.activeProducers ?? []
    expect(found).toMatchObject([{ producerId, producerEpoch, lastSequence: 0, currentTxnStartOffset: 0 }])
    const marker = (epoch: number) => ({
      markers: [
        {
          producerId,
          producerEpoch: epoch,
          transactionResult: false,
          coordinatorEpoch: 0,
          topics: [
            { name: 'orders', partitionIndexes: [0] },
            { name: 'none', partitionIndexes: [0] },
          ],
        },
      ],
    })
    const write = async (epoch: number) => {
      const { markers } = await client.request(writeTxnMarkers, 1, marker(epoch))
      return markers[0]?.topics.map(({ partitions }) => partitions[0]?.errorCode)
    }
    expect(await write(-1)).toEqual([42, 42])
    const read = async () => {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000 }]
      const { responses } = await client.request(fetch, 11, {
        replicaId: -1,
        maxWaitMs: 0,
        minBytes: 0,
        isolationLevel: 1,
        topics: [{ topic: 'orders', partitions }],
      })
      const partition = responses[0]?.partitions[0]
      return [recordsIn(partition?.records ?? Buffer.alloc(0)).length, partition?.abortedTransactions]
    }
    expect(await read()).toEqual([0, []])
    expect(await write(producerEpoch)).toEqual([0, 3])
    expect(await read()).toEqual([2, [{ producerId, firstOffset: 0 }]])
  })
})

describe('one broker', () => {
  it('leads everything', async () => {
    const { client } = await serve()
    const elect = async (electionType: number, topicPartitions: { topic: string; partitions: number[] }[] | null) => {
      const answer = await client.request(electLeaders, 2, { electionType, topicPartitions, timeoutMs: 1_000 })
      const { errorCode, replicaElectionResults } = answer
      return [
        errorCode,
        ...replicaElectionResults.map(({ partitionResult }) => partitionResult.map((one) => one.errorCode)),
      ]
    }
    expect(await elect(0, [{ topic: 'orders', partitions: [0, 1, 2] }])).toEqual([0, [84, 84, 3]])
    expect(await elect(1, [{ topic: 'none', partitions: [0] }])).toEqual([0, [3]])
    expect(await elect(0, null)).toEqual([0, []])
    expect(await elect(7, null)).toEqual([42])
  })

  it('has every partition, and no other has', async () => {
    const { client } = await serve()
    const move = async (partitionIndex: number, replicas: number[] | null, name = 'orders') => {
      const topics = [{ name, partitions: [{ partitionIndex, replicas }] }]
      const { responses } = await client.request(alterPartitionReassignments, 1, { topics, timeoutMs: 1_000 })
      const partition = responses[0]?.partitions[0]
      return [partition?.errorCode, partition?.errorMessage]
    }
    expect(await move(0, [1])).toEqual([0, null])
    expect(await move(0, [2])).toEqual([39, expect.stringContaining('broker 2, but no such broker')])
    expect(await move(0, [1, 1])).toEqual([39, expect.stringContaining('more than once')])
    expect(await move(0, [])).toEqual([39, expect.stringContaining('empty replica list')])
    expect(await move(0, null)).toEqual([85, null])
    expect(await move(2, [1])).toEqual([3, 'Unable to find partition orders:2.'])
    expect(await move(0, [1], 'none')).toEqual([3, 'Unable to find a topic named none.'])
    const { topics } = await client.request(listPartitionReassignments, 0, { timeoutMs: 1_000, topics: null })
    expect(topics).toEqual([])
  })

  it('moves partitions to its directory, where they are, and to no other', async () => {
    const { client } = await serve()
    const topics = [{ name: 'orders', partitions: [0, 7] }]
    const dirs = ['data', '/elsewhere'].map((path) => ({ path, topics }))
    const { results } = await client.request(alterReplicaLogDirs, 2, { dirs })
    expect(results.map(({ topicName, partitions }) => [topicName, partitions.map((one) => one.errorCode)])).toEqual([
      ['orders', [0, 9, 57, 57]],
    ])
  })

  it('tells what its directory holds, and that it is offline', async () => {
    const { client, broker, environment } = await serve()
    await broker.createTopics([{ name: 'other', partitions: 1 }])
    broker.log('orders', 1).append(batchOf('a'))
    await broker.log('orders', 1).acknowledged()
    const ask = async (topics: { topic: string; partitions: number[] }[] | null) => {
      const { results } = await client.request(describeLogDirs, 4, { topics })
      return results
    }
    expect(await ask(null)).toMatchObject([
      {
        errorCode: 0,
        logDir: 'data',
        topics: [
          { name: 'orders', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] },
          { name: 'other', partitions: [{ partitionIndex: 0 }] },
        ],
      },
    ])
    const partitionSize = broker.log('orders', 1).sizeBytes
    expect((await ask([{ topic: 'orders', partitions: [1, 5] }]))[0]?.topics).toEqual([
      { name: 'orders', partitions: [{ partitionIndex: 1, partitionSize, offsetLag: 0, isFutureKey: false }] },
    ])
    environment.disk.failNext('sync', 'EIO')
    broker.log('orders', 1).append(batchOf('b'))
    await expect(broker.log('orders', 1).acknowledged()).rejects.toThrow('offline')
    expect(await ask(null)).toMatchObject([{ errorCode: 56, logDir: 'data', topics: [] }])
    closers.length = 0
  })
})

describe('OffsetDelete', () => {
  async function remove({ client }: Served, groupId: string, partition = 0, name = 'orders') {
    const topics = [{ name, partitions: [{ partitionIndex: partition }] }]
    const answer = await client.request(offsetDelete, 0, { groupId, topics })
    return [answer.errorCode, answer.topics[0]?.partitions[0]?.errorCode]
  }

  const commit = ({ broker }: Served) =>
    broker.offsets.commit(
      'g',
      [0, 1].map((partition) => ({ topic: 'orders', partition, offset: 5, metadata: '' })),
    )

  it('takes away what a group committed, or says why not', async () => {
    const served = await serve()
    await commit(served)
    expect(await remove(served, 'none')).toEqual([69, undefined])
    expect(await remove(served, '')).toEqual([24, undefined])
    expect(await remove(served, 'g', 9)).toEqual([0, 3])
    expect(await remove(served, 'g', 0, 'none')).toEqual([0, 3])
    expect(await remove(served, 'g', 0)).toEqual([0, 0])
    expect(served.broker.offsets.offsetsOf('g').map(({ partition }) => partition)).toEqual([1])
    expect(await remove(served, 'g', 0)).toEqual([0, 0])
  })

  it.each([
    ['consumer', [0, 86], [0, 0]],
    ['connect', [68, undefined], [68, undefined]],
  ])('takes away nothing that members of the type %s read', async (protocolType, ofRead, ofOthers) => {
    const served = await serve()
    await served.broker.createTopics([{ name: 'other', partitions: 1 }])
    await commit(served)
    // Version 0, one topic: orders.
    const metadata = Buffer.from('00000000000100066f7264657273ffffffff', 'hex')
    const joining = served.broker.groups.join('g', {
      memberId: '',
      instanceId: null,
      clientId: 'client',
      clientHost: 'host',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType,
      protocols: [{ name: 'range', metadata }],
      requiresKnownMemberId: false,
      knowsSkipAssignment: false,
    })
    await served.environment.clock.advanceAsync(3_000)
    expect((await joining).error).toBe('NONE')
    expect(await remove(served, 'g')).toEqual(ofRead)
    expect(await remove(served, 'g', 0, 'other')).toEqual(ofOthers)
  })
})

describe("the broker's own topics", () => {
  it('are written by nobody else, and the registry is not shown', async () => {
    const served = await serve()
    const { broker, client } = served
    await broker.offsets.partitionFor('g')
    const producer = await beginTransaction(served, 'shop')
    const own = ['__consumer_offsets', '__transaction_state', '__cluster_metadata']
    const before = own.map((name) => broker.log(name, 0).logEndOffset)
    const records = batchOf('a')
    const topicData = own.map((name) => ({ name, partitionData: [{ index: 0, records }] }))
    const produced = await client.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData })
    expect(produced.responses.map(({ partitionResponses }) => partitionResponses[0]?.errorCode)).toEqual([17, 17, 3])
    const targets = own.map((name) => ({ name, partitions: [{ partitionIndex: 0, offset: 0 }] }))
    const deleted = await client.request(deleteRecords, 2, { timeoutMs: 1_000, topics: targets })
    expect(deleted.topics.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([17, 17, 3])
    const { producerId, producerEpoch } = producer
    const added = await client.request(addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: 'shop',
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: own.slice(1).map((name) => ({ name, partitions: [0] })),
    })
    const codes = added.resultsByTopicV3AndBelow.map(
      ({ resultsByPartition }) => resultsByPartition[0]?.partitionErrorCode,
    )
    expect(codes).toEqual([3, 3])
    const marker = { producerId, producerEpoch, transactionResult: false, coordinatorEpoch: 0 }
    const topics = own.slice(1).map((name) => ({ name, partitionIndexes: [0] }))
    const orders = [{ name: 'orders', partitionIndexes: [0] }]
    const { markers } = await client.request(writeTxnMarkers, 1, {
      markers: [
        { ...marker, topics },
        { ...marker, producerId: -1, topics: orders },
      ],
    })
    expect(markers.flatMap((one) => one.topics.map(({ partitions }) => partitions[0]?.errorCode))).toEqual([42, 3, 42])
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }]
    const fetched = await client.request(fetch, 11, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: '__cluster_metadata', partitions }],
    })
    expect(fetched.responses[0]?.partitions[0]).toMatchObject({ errorCode: 3, records: Buffer.alloc(0) })
    expect(own.map((name) => broker.log(name, 0).logEndOffset)).toEqual(before)
  })
})
