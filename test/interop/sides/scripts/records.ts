import { deleteRecords } from '../../../../src/broker/protocol/messages/delete-records.ts'
import { fetch } from '../../../../src/broker/protocol/messages/fetch.ts'
import { listOffsets } from '../../../../src/broker/protocol/messages/list-offsets.ts'
import { offsetForLeaderEpoch } from '../../../../src/broker/protocol/messages/offset-for-leader-epoch.ts'
import { produce } from '../../../../src/broker/protocol/messages/produce.ts'
import type { Compression } from '../../../../src/record/compression.ts'
import { batchOfRecords } from '../../../broker/records.ts'
import { appendTo, makeTopic, newProducer, type Script } from '../script.ts'
import type { Side } from '../side.ts'

/** Records are appended and read, places in the log are looked for, and its beginning is deleted. */
export const records: Script = {
  name: 'records',
  run: async (side) => {
    await append(side)
    await appendIdempotently(side)
    await read(side)
    await look(side)
    await shorten(side)
  },
}

const now = Date.now()
const batch = (...values: string[]) =>
  batchOfRecords(values.map((value, i) => ({ timestamp: now + i, key: 'k', value })))

export function fetchFrom(
  topic: string,
  fetchOffset: number,
  more: { partition?: number; epoch?: number; maxBytes?: number } = {},
) {
  const { partition = 0, epoch = -1, maxBytes = 1_000_000 } = more
  return {
    maxWaitMs: 100,
    minBytes: 1,
    topics: [
      { topic, partitions: [{ partition, currentLeaderEpoch: epoch, fetchOffset, partitionMaxBytes: maxBytes }] },
    ],
  }
}

async function append(side: Side): Promise<void> {
  await makeTopic(side, 'appended')
  await makeTopic(side, 'keyed', 1, { 'cleanup.policy': 'compact' })
  await makeTopic(side, 'small', 1, { 'max.message.bytes': '1000' })
  await makeTopic(side, 'timed', 1, {
    'message.timestamp.before.max.ms': '1000',
    'message.timestamp.after.max.ms': '1000',
  })
  await makeTopic(side, 'stamped', 1, { 'message.timestamp.type': 'LogAppendTime' })
  for (const version of [3, 5, 7, 8, 9, 10, 11])
    await side.ask('two records', produce, version, appendTo('appended', batch('a', 'b')))
  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    await side.ask(`with ${compression}`, produce, 9, appendTo('appended', compressed(compression)))
  }
  await side.ask('one acknowledgement', produce, 9, appendTo('appended', batch('c'), { acks: 1 }))
  await side.ask('two acknowledgements', produce, 9, appendTo('appended', batch('c'), { acks: 2 }))
  await side.ask('to a topic that there is not', produce, 9, appendTo('nobody', batch('c')))
  const elsewhere = [{ name: 'appended', partitionData: [{ index: 7, records: batch('c') }] }]
  await side.ask(
    'to a partition that there is not',
    produce,
    9,
    appendTo('appended', batch('c'), { topicData: elsewhere }),
  )
  const damaged = Buffer.from(batch('c'))
  damaged[damaged.length - 1] = 0xff
  await side.ask('damaged', produce, 9, appendTo('appended', damaged))
  await side.ask('two batches in one', produce, 9, appendTo('appended', Buffer.concat([batch('c'), batch('d')])))
  await side.ask(
    'without a key where one is needed',
    produce,
    9,
    appendTo('keyed', batchOfRecords([{ timestamp: now, value: 'a' }])),
  )
  await side.ask('too large', produce, 9, appendTo('small', batch('x'.repeat(2_000))))
  await side.ask(
    'too early',
    produce,
    9,
    appendTo('timed', batchOfRecords([{ timestamp: now - 10_000_000, value: 'a' }])),
  )
  await side.ask(
    'too late',
    produce,
    9,
    appendTo('timed', batchOfRecords([{ timestamp: now + 10_000_000, value: 'a' }])),
  )
  await side.ask('stamped by the log', produce, 9, appendTo('stamped', batch('a')))
  const control = batchOfRecords(
    [{ timestamp: now, key: 'k', value: 'v' }],
    {},
    { isControl: true, producerId: 1, producerEpoch: 0, baseSequence: 0 },
  )
  await side.ask('a control batch', produce, 9, appendTo('appended', control))
}

function compressed(compression: Compression): Buffer {
  return batchOfRecords(
    Array.from({ length: 20 }, (_, i) => ({ timestamp: now, key: 'k', value: `v${i}` })),
    { compression },
  )
}

async function appendIdempotently(side: Side): Promise<void> {
  await makeTopic(side, 'once')
  const producer = await newProducer(side, null)
  const write = (label: string, baseSequence: number, more: { producerEpoch?: number; values?: string[] } = {}) => {
    const list = (more.values ?? ['a']).map((value) => ({ timestamp: now, value }))
    const header = {
      ...producer,
      baseSequence,
      ...(more.producerEpoch !== undefined && { producerEpoch: more.producerEpoch }),
    }
    return side.ask(label, produce, 9, appendTo('once', batchOfRecords(list, {}, header)))
  }
  await write('the first', 0)
  await write('the second', 1, { values: ['b', 'c'] })
  await write('the second again', 1, { values: ['b', 'c'] })
  await write('the first again', 0)
  await write('one too far on', 5)
  await write('the third', 3)
  await write('of a newer epoch, not from 0', 7, { producerEpoch: 1 })
  await write('of a newer epoch', 0, { producerEpoch: 1 })
  await write('of the older epoch', 4)
  const unknown = { producerId: 123_456_789, producerEpoch: 0, baseSequence: 5 }
  await side.ask(
    'of nobody known, from 5',
    produce,
    9,
    appendTo('once', batchOfRecords([{ timestamp: now, value: 'x' }], {}, unknown)),
  )
  await side.ask('everything of it', fetch, 11, fetchFrom('once', 0))
}

async function read(side: Side): Promise<void> {
  for (const version of [4, 5, 7, 9, 11, 12])
    await side.ask('from the beginning', fetch, version, fetchFrom('appended', 0))
  await side.ask('from the middle of a batch', fetch, 11, fetchFrom('appended', 1))
  await side.ask('no more than a batch', fetch, 11, fetchFrom('appended', 0, { maxBytes: 1 }))
  await side.ask('at the end', fetch, 11, fetchFrom('once', 5))
  await side.ask('behind the end', fetch, 11, fetchFrom('once', 500))
  await side.ask('before the beginning', fetch, 11, fetchFrom('once', -1))
  await side.ask('of a topic that there is not', fetch, 11, fetchFrom('nobody', 0))
  await side.ask('of a partition that there is not', fetch, 11, fetchFrom('once', 0, { partition: 9 }))
  await side.ask('of the epoch that is', fetch, 11, fetchFrom('once', 0, { epoch: 0 }))
  await side.ask('of an epoch to come', fetch, 11, fetchFrom('once', 0, { epoch: 7 }))
  await side.ask('of a session that there is not', fetch, 11, {
    ...fetchFrom('once', 0),
    sessionId: 12_345,
    sessionEpoch: 3,
  })
  await side.ask('what the log stamped', fetch, 4, fetchFrom('keyed', 0))
}

async function look(side: Side): Promise<void> {
  await makeTopic(side, 'looked-for')
  const list = [10, 30, 20, 40].map((timestamp) => ({ timestamp: now + timestamp, value: String(timestamp) }))
  await side.until(
    produce,
    9,
    appendTo('looked-for', batchOfRecords(list)),
    ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode === 0,
  )
  const at = (
    timestamp: number,
    more: { name?: string; partitionIndex?: number; currentLeaderEpoch?: number } = {},
  ) => {
    const { name = 'looked-for', partitionIndex = 0, currentLeaderEpoch = -1 } = more
    return { replicaId: -1, topics: [{ name, partitions: [{ partitionIndex, currentLeaderEpoch, timestamp }] }] }
  }
  for (const version of [1, 2, 4, 5, 6, 7, 8, 9]) {
    await side.ask('the end', listOffsets, version, at(-1))
    await side.ask('the beginning', listOffsets, version, at(-2))
  }
  for (const after of [0, 10, 11, 20, 25, 31, 40, 41])
    await side.ask(`the time ${after}`, listOffsets, 7, at(now + after))
  await side.ask('the largest time', listOffsets, 7, at(-3))
  await side.ask('the local beginning', listOffsets, 8, at(-4))
  await side.ask('the end of what is kept elsewhere', listOffsets, 9, at(-5))
  await side.ask('a topic that there is not', listOffsets, 7, at(-1, { name: 'nobody' }))
  await side.ask('a partition that there is not', listOffsets, 7, at(-1, { partitionIndex: 5 }))
  await side.ask('an epoch to come', listOffsets, 7, at(-1, { currentLeaderEpoch: 9 }))
  await side.ask('for readers of what is committed', listOffsets, 7, { ...at(-1), isolationLevel: 1 })
  const epoch = (leaderEpoch: number, currentLeaderEpoch = -1, topic = 'looked-for') => ({
    replicaId: -1,
    topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }],
  })
  for (const version of [2, 3, 4]) await side.ask('the end of epoch 0', offsetForLeaderEpoch, version, epoch(0))
  await side.ask('the end of an epoch to come', offsetForLeaderEpoch, 4, epoch(5))
  await side.ask('asked of an epoch to come', offsetForLeaderEpoch, 4, epoch(0, 5))
  await side.ask('the end of an epoch of nobody', offsetForLeaderEpoch, 4, epoch(0, -1, 'nobody'))
}

async function shorten(side: Side): Promise<void> {
  const before = (offset: number, name = 'looked-for', partitionIndex = 0) => ({
    topics: [{ name, partitions: [{ partitionIndex, offset }] }],
    timeoutMs: 10_000,
  })
  for (const version of [0, 1, 2]) await side.ask('before an offset', deleteRecords, version, before(version + 1))
  await side.ask('before one that is gone', deleteRecords, 2, before(1))
  await side.ask('before one to come', deleteRecords, 2, before(100))
  await side.ask('before one that cannot be', deleteRecords, 2, before(-5))
  await side.ask('of a topic that there is not', deleteRecords, 2, before(0, 'nobody'))
  await side.ask('of a partition that there is not', deleteRecords, 2, before(0, 'looked-for', 3))
  await makeTopic(side, 'kept', 1, { 'cleanup.policy': 'compact' })
  await side.ask('of a compacted topic', deleteRecords, 2, before(0, 'kept'))
  await side.ask('what was deleted', fetch, 11, fetchFrom('looked-for', 0))
  await side.ask('what is left', fetch, 11, fetchFrom('looked-for', 3))
  await side.ask('all of it', deleteRecords, 2, before(-1))
}
