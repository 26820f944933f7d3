import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import { type BrokerServer, listenForClients } from '../../../src/broker/server/broker-server.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'

let broker: Broker
let server: BrokerServer
let kafka: Kafka
const errors: unknown[] = []

beforeEach(async () => {
  errors.length = 0
  const environment = { ...nodeEnvironment(), disk: new MemoryDisk() }
  const settings = { initialRebalanceDelayMs: 0, defaultPartitions: 3 }
  broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
  const handlers = handlersOf(broker)
  const listeners = [{ host: '127.0.0.1', port: 0 }]
  const onConnectionError = (error: unknown) => errors.push(error)
  server = await listenForClients({ environment, listeners, handlers, onConnectionError })
  const brokers = [`127.0.0.1:${server.address.port}`]
  kafka = new Kafka({ clientId: 'test', brokers, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 } })
})

afterEach(async () => {
  await server.close()
  await broker.close()
  expect(errors).toEqual([])
})

/** Values of a topic as a group reads them, until there are so many. */
async function consume(topic: string, groupId: string, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      values.push(String(message.value))
      if (values.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return values.sort()
}

describe('kafkajs', () => {
  it('makes topics, produces with keys and headers, and consumes in a group that goes on where it stopped', async () => {
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 2 }] })).toBe(true)
    expect(await admin.createTopics({ topics: [{ topic: 'orders' }] })).toBe(false)
    const producer = kafka.producer()
    await producer.connect()
    const send = (values: readonly string[]) =>
      producer.send({
        topic: 'orders',
        messages: values.map((value) => ({ key: value, value, headers: { of: 'test' } })),
      })
    await send(['a', 'b', 'c'])
    expect(await consume('orders', 'shop', 3)).toEqual(['a', 'b', 'c'])
    await send(['d'])
    expect(await consume('orders', 'shop', 1)).toEqual(['d'])
    const offsets = await admin.fetchTopicOffsets('orders')
    expect(offsets.reduce((sum, { offset }) => sum + Number(offset), 0)).toBe(4)
    expect((await admin.describeGroups(['shop'])).groups[0]).toMatchObject({ state: 'Empty', protocolType: 'consumer' })
    await admin.deleteGroups(['shop'])
    expect((await admin.listGroups()).groups).toEqual([])
    await Promise.all([producer.disconnect(), admin.disconnect()])
  })

  it('commits and aborts transactions, with the offsets of a group', async () => {
    const producer = kafka.producer({ transactionalId: 'till', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const write = async (value: string, end: 'commit' | 'abort') => {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'sales', messages: [{ value }] })
      const topics = [{ topic: 'sales', partitions: [{ partition: 0, offset: '7' }] }]
      await transaction.sendOffsets({ consumerGroupId: 'audit', topics })
      await transaction[end]()
    }
    await write('kept', 'commit')
    await write('dropped', 'abort')
    await write('kept too', 'commit')
    expect(await consume('sales', 'readers', 2)).toEqual(['kept', 'kept too'])
    const admin = kafka.admin()
    await admin.connect()
    const committed = await admin.fetchOffsets({ groupId: 'audit', topics: ['sales'] })
    expect(committed[0]?.partitions.find(({ partition }) => partition === 0)?.offset).toBe('7')
    await Promise.all([producer.disconnect(), admin.disconnect()])
  })

  it('administers topics, settings, groups and records', async () => {
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({
      topics: [
        { topic: 'orders', numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '60000' }] },
        { topic: 'other', numPartitions: 1 },
      ],
    })
    await admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 3 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
    expect(topics[0]?.partitions.map(({ partitionId }) => partitionId).sort()).toEqual([0, 1, 2])

    const producer = kafka.producer()
    await producer.connect()
    await producer.send({
      topic: 'orders',
      messages: [
        { value: 'a', partition: 0 },
        { value: 'b', partition: 0 },
      ],
    })
    await admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] })
    expect((await admin.fetchTopicOffsets('orders')).find(({ partition }) => partition === 0)).toMatchObject({
      low: '1',
      high: '2',
    })

    const resource = { type: ConfigResourceTypes.TOPIC, name: 'orders' }
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }]
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] })
    const described = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ ...resource, configNames: ['cleanup.policy', 'retention.ms'] }],
    })
    const entries = described.resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue])
    // What AlterConfigs does not say is set no more.
    expect(entries).toEqual([
      ['cleanup.policy', 'compact'],
      ['retention.ms', '-1'],
    ])

    await admin.setOffsets({ groupId: 'shop', topic: 'orders', partitions: [{ partition: 0, offset: '2' }] })
    const committed = async () => (await admin.fetchOffsets({ groupId: 'shop', topics: ['orders'] }))[0]?.partitions
    expect((await committed())?.find(({ partition }) => partition === 0)?.offset).toBe('2')
    await admin.deleteTopics({ topics: ['orders'] })
    expect(await admin.listTopics()).toEqual(expect.not.arrayContaining(['orders']))
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] })
    expect((await committed())?.[0]?.offset).toBe('-1')
    await Promise.all([producer.disconnect(), admin.disconnect()])
  })
})
