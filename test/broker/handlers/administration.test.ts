import { afterEach, describe, expect, it } from 'vitest'
import { createTopics } from '../../../src/broker/protocol/messages/create-topics.ts'
import { deleteRecords } from '../../../src/broker/protocol/messages/delete-records.ts'
import { describeCluster } from '../../../src/broker/protocol/messages/describe-cluster.ts'
import { describeConfigs } from '../../../src/broker/protocol/messages/describe-configs.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { offsetForLeaderEpoch } from '../../../src/broker/protocol/messages/offset-for-leader-epoch.ts'
import { batchOf } from '../records.ts'
import { serveBroker } from '../server/served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve() {
  const served = await serveBroker()
  closers.push(served.close)
  return { ...served, client: await served.connect() }
}

const topicOf = (name: string, more: object = {}) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})

describe('administration over the protocol', () => {
  it('makes topics, or says of each why not', async () => {
    const { client, broker } = await serve()
    const topics = [
      topicOf('plain', { numPartitions: 4 }),
      topicOf('placed', {
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [1] }],
      }),
      topicOf('set', { configs: [{ name: 'cleanup.policy', value: 'compact' }] }),
      topicOf('no spaces'),
      topicOf('none', { numPartitions: 0 }),
      topicOf('copied', { replicationFactor: 3 }),
      topicOf('elsewhere', {
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [2] }],
      }),
      topicOf('odd', { configs: [{ name: 'cleanup.policy', value: 'sometimes' }] }),
      topicOf('twice'),
      topicOf('twice'),
    ]
    const made = await client.request(createTopics, 7, { topics })
    expect(made.topics.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 17, 37, 38, 39, 40, 42])
    expect(broker.topics.list().map(({ name, partitions }) => [name, partitions])).toEqual([
      ['placed', 1],
      ['plain', 4],
      ['set', 1],
    ])
    expect(made.topics[2]?.configs?.find(({ name }) => name === 'cleanup.policy')).toMatchObject({
      value: 'compact',
      configSource: 1,
    })
    expect(made.topics[0]?.topicId).toBe(broker.topics.get('plain')?.id)
    const again = await client.request(createTopics, 5, {
      topics: [topicOf('plain'), topicOf('later')],
      validateOnly: true,
    })
    expect(again.topics.map(({ errorCode }) => errorCode)).toEqual([36, 0])
    expect(broker.topics.get('later')).toBeUndefined()
  })

  it('deletes records below an offset, and shows what is left', async () => {
    const { client, broker } = await serve()
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    broker.log('orders', 0).append(batchOf('a', 'b', 'c'))
    await broker.log('orders', 0).flushed()
    const below = (offset: number) => ({
      timeoutMs: 1_000,
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset }] }],
    })
    const answer = async (offset: number) => {
      const { topics } = await client.request(deleteRecords, 1, below(offset))
      return [topics[0]?.partitions[0]?.errorCode, topics[0]?.partitions[0]?.lowWatermark]
    }
    expect(await answer(2)).toEqual([0, 2])
    expect(await answer(1)).toEqual([0, 2])
    expect(await answer(9)).toEqual([1, -1])
    const from = [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1_000 }] }]
    const gone = await client.request(fetch, 11, { replicaId: -1, maxWaitMs: 0, minBytes: 1, topics: from })
    expect(gone.responses[0]?.partitions[0]?.errorCode).toBe(1)
    expect(await answer(-2)).toEqual([1, -1])
    expect(await answer(-1)).toEqual([0, 3])
    await client.request(createTopics, 7, {
      topics: [topicOf('kept', { configs: [{ name: 'cleanup.policy', value: 'compact' }] })],
    })
    const kept = { timeoutMs: 1_000, topics: [{ name: 'kept', partitions: [{ partitionIndex: 0, offset: -1 }] }] }
    const refused = await client.request(deleteRecords, 1, kept)
    expect(refused.topics[0]?.partitions[0]).toEqual({ partitionIndex: 0, lowWatermark: -1, errorCode: 44 })
  })

  it('tells the cluster, and where the records of a leadership end', async () => {
    const { client, broker } = await serve()
    const cluster = await client.request(describeCluster, 1, { includeClusterAuthorizedOperations: false })
    expect(cluster).toMatchObject({ errorCode: 0, clusterId: broker.clusterId, controllerId: 1 })
    expect(cluster.brokers).toMatchObject([{ brokerId: 1, host: 'localhost', port: 9092 }])
    const other = await client.request(describeCluster, 1, {
      includeClusterAuthorizedOperations: false,
      endpointType: 2,
    })
    expect(other.errorCode).toBe(115)
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    broker.log('orders', 0).append(batchOf('a', 'b'))
    await broker.log('orders', 0).flushed()
    const epochOf = async (leaderEpoch: number, currentLeaderEpoch: number) => {
      const topics = [{ topic: 'orders', partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }]
      const { topics: found } = await client.request(offsetForLeaderEpoch, 4, { topics })
      return found[0]?.partitions[0]
    }
    expect(await epochOf(0, 0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2 })
    expect(await epochOf(0, 3)).toMatchObject({ errorCode: 75 })
    expect(await epochOf(7, -1)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 })
  })

  it('tells the settings of topics, and where they come from', async () => {
    const { client, broker } = await serve()
    const config = { 'cleanup.policy': 'compact', 'min.insync.replicas': '1' }
    await broker.createTopics([{ name: 'latest', partitions: 1, config }])
    const ask = async (resourceType: number, resourceName: string, configurationKeys: string[] | null = null) => {
      const resources = [{ resourceType, resourceName, configurationKeys }]
      const { results } = await client.request(describeConfigs, 4, { resources, includeSynonyms: true })
      return results[0]
    }
    const all = await ask(2, 'latest')
    const shown = (name: string) => all?.configs.find((each) => each.name === name)
    expect(shown('cleanup.policy')).toMatchObject({
      value: 'compact',
      configSource: 1,
      synonyms: [
        { name: 'cleanup.policy', value: 'compact', source: 1 },
        { name: 'log.cleanup.policy', value: 'delete', source: 5 },
      ],
    })
    expect(shown('min.insync.replicas')).toMatchObject({ value: '1', configSource: 1 })
    expect(shown('segment.bytes')).toMatchObject({ value: '1073741824', configSource: 5, configType: 3 })
    expect(shown('max.compaction.lag.ms')?.value).toBe('9223372036854775807')
    expect((await ask(2, 'latest', ['retention.ms']))?.configs.map(({ name, value }) => [name, value])).toEqual([
      ['retention.ms', '-1'],
    ])
    expect((await ask(2, 'none'))?.errorCode).toBe(3)
    expect((await ask(4, '9'))?.errorCode).toBe(42)
  })
})
