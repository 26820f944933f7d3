import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs'
import type { OwnBroker } from '../own-broker.ts'
import { freshName, type Peer, requireSame } from './peer.ts'

/** kafkajs (JavaScript), which speaks the older versions of each API. */

export const kafkajs: Peer = {
  name: 'kafkajs',
  prepare: async () => undefined,
  checks: () => [
    { what: 'produces with every kind of acknowledgement, and consumes', run: producesAndConsumes },
    { what: 'a group takes turns as members come and leave', run: rebalances },
    { what: 'a transaction aborted, committed, with offsets of a group', run: transacts },
    { what: 'a producer of the same transactional id fences the one before', run: fences },
    { what: 'administers topics, offsets, groups and configurations', run: administers },
    { what: 'deletes records', run: deletesRecords },
  ],
}

const patienceMs = 60_000

function connectTo(broker: OwnBroker): Kafka {
  const brokers = [broker.bootstrapServers]
  return new Kafka({ clientId: 'interop', brokers, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50 } })
}

async function producesAndConsumes(broker: OwnBroker): Promise<string> {
  const kafka = connectTo(broker)
  const topic = freshName('values')
  const sent: string[] = []
  for (const [acks, idempotent] of [
    [0, false],
    [1, false],
    [-1, false],
    [-1, true],
  ] as const) {
    const producer = kafka.producer({ idempotent })
    await producer.connect()
    const values = Array.from({ length: 50 }, (_, i) => `${acks}-${idempotent}-${i}`)
    await producer.send({ topic, acks, messages: values.map((value) => ({ key: 'one', value, headers: { value } })) })
    await producer.disconnect()
    sent.push(...values)
  }
  const seen = await consume(kafka, topic, freshName('group'), sent.length)
  requireSame('values', seen.toSorted(), sent.toSorted())
  return `${seen.length} values`
}

async function rebalances(broker: OwnBroker): Promise<string> {
  const kafka = connectTo(broker)
  const topic = freshName('shared')
  const groupId = freshName('sharers')
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 6 }], waitForLeaders: true })
  const assigned = new Map<string, number>()
  const seen: string[] = []
  const join = async (name: string): Promise<Consumer> => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, heartbeatInterval: 300 })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      assigned.set(name, payload.memberAssignment[topic]?.length ?? 0)
    })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
    return consumer
  }
  const shares = () => [...assigned.values()].toSorted((a, b) => a - b)
  const first = await join('first')
  await until('the first member has all', () => shares().join() === '6')
  const second = await join('second')
  await until('two members have half each', () => shares().join() === '3,3')
  const third = await join('third')
  await until('three members have a third each', () => shares().join() === '2,2,2')
  const producer = kafka.producer()
  await producer.connect()
  const values = Array.from({ length: 300 }, (_, i) => String(i))
  await producer.send({ topic, messages: values.map((value) => ({ key: value, value })) })
  await until('everything is read', () => seen.length >= values.length)
  assigned.delete('second')
  await second.disconnect()
  await until('two members have all again', () => shares().join() === '3,3')
  requireSame('values', seen.toSorted(), values.toSorted())
  await Promise.all([first.disconnect(), third.disconnect(), producer.disconnect(), admin.disconnect()])
  return 'one, two, three, two members'
}

async function transacts(broker: OwnBroker): Promise<undefined> {
  const kafka = connectTo(broker)
  const topic = freshName('sales')
  const groupId = freshName('audit')
  const producer = await transactional(kafka, freshName('till'))
  for (const [value, end, offset] of [
    ['a', 'commit', '3'],
    ['b', 'abort', '4'],
    ['c', 'commit', '5'],
    ['d', 'abort', '6'],
  ] as const) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value }] })
    const topics = [{ topic, partitions: [{ partition: 0, offset }] }]
    await transaction.sendOffsets({ consumerGroupId: groupId, topics })
    await transaction[end]()
  }
  requireSame('what is committed', await consume(kafka, topic, freshName('readers'), 2), ['a', 'c'])
  const admin = kafka.admin()
  await admin.connect()
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
  requireSame('the offset of the last commit', committed?.partitions[0]?.offset, '5')
  await Promise.all([producer.disconnect(), admin.disconnect()])
  return undefined
}

async function fences(broker: OwnBroker): Promise<string> {
  const kafka = connectTo(broker)
  const topic = freshName('fenced')
  const transactionalId = freshName('only-one')
  const older = await transactional(kafka, transactionalId)
  const transaction = await older.transaction()
  await transaction.send({ topic, messages: [{ value: 'older' }] })
  const newer = await transactional(kafka, transactionalId)
  // Only now it asks for its producer id, and shuts the older one out.
  const later = await newer.transaction()
  const error = await transaction.commit().then(
    () => new Error('the older one could commit'),
    (refusal: { type?: string }) => refusal,
  )
  requireSame('what the older one is told', (error as { type?: string }).type, 'INVALID_PRODUCER_EPOCH')
  await later.send({ topic, messages: [{ value: 'newer' }] })
  await later.commit()
  requireSame('what is committed', await consume(kafka, topic, freshName('readers'), 1), ['newer'])
  await Promise.all([older.disconnect(), newer.disconnect()])
  return 'INVALID_PRODUCER_EPOCH'
}

async function administers(broker: OwnBroker): Promise<undefined> {
  const kafka = connectTo(broker)
  const admin = kafka.admin()
  await admin.connect()
  const topic = freshName('managed')
  const groupId = freshName('group')
  const configEntries = [{ name: 'retention.ms', value: '12345' }]
  requireSame('made', await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] }), true)
  requireSame('made again', await admin.createTopics({ topics: [{ topic }] }), false)
  requireSame('listed', (await admin.listTopics()).includes(topic), true)
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  requireSame('partitions', topics[0]?.partitions.length, 2)
  const { resources } = await admin.describeConfigs({
    includeSynonyms: true,
    resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }],
  })
  requireSame('retention', resources[0]?.configEntries[0]?.configValue, '12345')
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
  const grown = await admin.fetchTopicMetadata({ topics: [topic] })
  requireSame('partitions later', grown.topics[0]?.partitions.length, 4)
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 1, offset: '0' }] })
  const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] })
  requireSame('offset', offsets?.partitions.find(({ partition }) => partition === 1)?.offset, '0')
  requireSame('of the group', (await admin.describeGroups([groupId])).groups[0]?.state, 'Empty')
  requireSame(
    'groups',
    (await admin.listGroups()).groups.some((group) => group.groupId === groupId),
    true,
  )
  await admin.deleteGroups([groupId])
  requireSame(
    'later',
    (await admin.listGroups()).groups.some((group) => group.groupId === groupId),
    false,
  )
  await admin.disconnect()
  return undefined
}

async function deletesRecords(broker: OwnBroker): Promise<undefined> {
  const kafka = connectTo(broker)
  const [admin, producer] = [kafka.admin(), kafka.producer()]
  await Promise.all([admin.connect(), producer.connect()])
  const topic = freshName('shortened')
  await producer.send({ topic, messages: ['a', 'b', 'c'].map((value) => ({ value })) })
  // kafkajs looks for the leader only among the topics that it has asked for before.
  requireSame('offsets before', (await admin.fetchTopicOffsets(topic))[0]?.low, '0')
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
  const [{ low, high } = { low: '', high: '' }] = await admin.fetchTopicOffsets(topic)
  requireSame('low and high', [low, high], ['2', '3'])
  requireSame('what is left', await consume(kafka, topic, freshName('readers'), 1), ['c'])
  await Promise.all([producer.disconnect(), admin.disconnect()])
  return undefined
}

async function transactional(kafka: Kafka, transactionalId: string): Promise<Producer> {
  const producer = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true, retry: { retries: 5 } })
  await producer.connect()
  return producer
}

/** The values that a group reads, until there are so many. */
async function consume(kafka: Kafka, topic: string, groupId: string, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
  await until(`${count} values are read`, () => values.length >= count)
  await consumer.disconnect()
  return values
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what}: not after ${patienceMs / 1_000} s`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
