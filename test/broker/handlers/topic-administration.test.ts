import { afterEach, describe, expect, it } from 'vitest'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { createPartitions } from '../../../src/broker/protocol/messages/create-partitions.ts'
import { createTopics } from '../../../src/broker/protocol/messages/create-topics.ts'
import { deleteTopics } from '../../../src/broker/protocol/messages/delete-topics.ts'
import { describeTopicPartitions } from '../../../src/broker/protocol/messages/describe-topic-partitions.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { batchOf } from '../records.ts'
import { serveBroker } from '../server/served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(settings: Partial<BrokerSettings> = {}) {
  const served = await serveBroker({}, undefined, settings)
  closers.push(served.close)
  return { ...served, client: await served.connect() }
}

const noId = 'AAAAAAAAAAAAAAAAAAAAAA'

describe('DeleteTopics', () => {
  it('deletes by name, and says of each topic why not', async () => {
    const { client, broker } = await serve()
    await broker.createTopics(['a', 'b'].map((name) => ({ name, partitions: 1 })))
    const topicNames = ['a', 'none', 'b', 'b', '__cluster_metadata']
    const { responses } = await client.request(deleteTopics, 5, { topicNames, timeoutMs: 1_000 })
    expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a', 0],
      ['none', 3],
      ['b', 42],
      ['b', 42],
      ['__cluster_metadata', 3],
    ])
    expect(responses[2]?.errorMessage).toBe('Duplicate topic name.')
    expect(broker.topics.list().map(({ name }) => name)).toEqual(['b'])
    const { topics } = await client.request(metadata, 9, { topics: null })
    expect(topics.map(({ name }) => name)).toEqual(['b'])
  })

  it('deletes by id, and takes no topic by both, twice or by neither', async () => {
    const { client, broker } = await serve()
    await broker.createTopics(['a', 'b', 'c'].map((name) => ({ name, partitions: 1 })))
    const id = (name: string) => broker.topics.get(name)?.id ?? ''
    const [a, b, c] = [id('a'), id('b'), id('c')]
    const ask = async (...topics: { name: string | null; topicId: string }[]) => {
      const { responses } = await client.request(deleteTopics, 6, { topics, timeoutMs: 1_000 })
      return responses.map(({ name, topicId, errorCode }) => [name, topicId, errorCode])
    }
    expect(await ask({ name: null, topicId: a })).toEqual([['a', a, 0]])
    expect(await ask({ name: null, topicId: a })).toEqual([[null, a, 100]])
    expect(await ask({ name: null, topicId: noId }, { name: 'b', topicId: b })).toEqual([
      [null, noId, 42],
      ['b', b, 42],
    ])
    expect(await ask({ name: null, topicId: b }, { name: null, topicId: b })).toEqual([
      [null, b, 42],
      [null, b, 42],
    ])
    expect(await ask({ name: 'b', topicId: noId }, { name: null, topicId: b }, { name: 'c', topicId: noId })).toEqual([
      ['b', noId, 42],
      [null, b, 42],
      ['c', c, 0],
    ])
  })

  it('is refused where delete.topic.enable is false', async () => {
    const { client, broker } = await serve({ deleteTopics: false })
    await broker.createTopics([{ name: 'a', partitions: 1 }])
    const codes = async (version: number) => {
      const { responses } = await client.request(deleteTopics, version, { topicNames: ['a'], timeoutMs: 1_000 })
      return responses.map(({ errorCode }) => errorCode)
    }
    expect([await codes(2), await codes(3)]).toEqual([[42], [73]])
    expect(broker.topics.get('a')).toBeDefined()
  })

  it('answers fetches that wait, and whoever writes to the topic', async () => {
    const { client, broker, connect, errors } = await serve()
    await broker.createTopics(['gone', 'kept'].map((name) => ({ name, partitions: 1 })))
    const reader = await connect()
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }]
    const topics = ['kept', 'gone'].map((topic) => ({ topic, partitions }))
    const waiting = reader.request(fetch, 11, { replicaId: -1, maxWaitMs: 60_000, minBytes: 1, topics })
    // The fetch is there before the deletion: connections are read in the order in which they were written to.
    await client.request(deleteTopics, 5, { topicNames: ['gone'], timeoutMs: 1_000 })
    const { responses } = await waiting
    expect(responses.map(({ topic, partitions: [first] }) => [topic, first?.errorCode])).toEqual([
      ['kept', 0],
      ['gone', 3],
    ])
    const topicData = ['gone', 'kept'].map((name) => ({ name, partitionData: [{ index: 0, records: batchOf('a') }] }))
    const produced = await client.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData })
    expect(produced.responses.map(({ partitionResponses: [first] }) => first?.errorCode)).toEqual([3, 0])
    expect(errors).toEqual([])
  })

  it('tells a producer whose records were not acknowledged yet that they are gone', async () => {
    const { client, broker, connect, errors } = await serve()
    await broker.createTopics(['gone', 'kept'].map((name) => ({ name, partitions: 1 })))
    const writer = await connect()
    const topicData = ['gone', 'kept'].map((name) => ({ name, partitionData: [{ index: 0, records: batchOf('a') }] }))
    broker.log('gone', 0).acknowledged = async () => {
      await client.request(deleteTopics, 5, { topicNames: ['gone'], timeoutMs: 1_000 })
    }
    const produced = await writer.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData })
    expect(produced.responses.map(({ partitionResponses: [first] }) => first?.errorCode)).toEqual([3, 0])
    expect(errors).toEqual([])
  })
})

describe('CreatePartitions', () => {
  const asked = (name: string, count: number, ...brokers: number[][]) => ({
    name,
    count,
    assignments: brokers.length === 0 ? null : brokers.map((brokerIds) => ({ brokerIds })),
  })

  it('gives topics more partitions, or says of each why not', async () => {
    const { client, broker } = await serve()
    await broker.createTopics(['a', 'b', 'c'].map((name) => ({ name, partitions: 2 })))
    await broker.offsets.partitionFor('group')
    const topics = [
      asked('a', 4),
      asked('none', 4),
      asked('b', 2),
      asked('c', 1),
      asked('twice', 3),
      asked('twice', 3),
      asked('__consumer_offsets', 5),
    ]
    const { results } = await client.request(createPartitions, 3, { topics, timeoutMs: 1_000, validateOnly: false })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 3, 37, 37, 42, 42])
    expect(results[2]?.errorMessage).toBe('Topic already has 2 partition(s).')
    expect(results[3]?.errorMessage).toContain('would not be an increase')
    const described = await client.request(metadata, 9, { topics: null })
    expect(described.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
      ['__consumer_offsets', 1],
      ['a', 4],
      ['b', 2],
      ['c', 2],
    ])
  })

  it('looks at where they are to be, and changes nothing where it is only to look', async () => {
    const { client, broker } = await serve()
    await broker.createTopics([{ name: 'a', partitions: 1 }])
    const ask = async (topic: ReturnType<typeof asked>, validateOnly = false) => {
      const { results } = await client.request(createPartitions, 2, { topics: [topic], timeoutMs: 1_000, validateOnly })
      return [results[0]?.errorCode, results[0]?.errorMessage]
    }
    expect(await ask(asked('a', 3, [1], [1]), true)).toEqual([0, null])
    expect(broker.topics.get('a')?.partitions).toBe(1)
    expect(await ask(asked('a', 3, [1]))).toEqual([39, expect.stringContaining('only 1 assignment(s)')])
    expect(await ask(asked('a', 2, [7]))).toEqual([39, expect.stringContaining('broker 7, but no such')])
    expect(await ask(asked('a', 2, [1, 1]))).toEqual([39, expect.stringContaining('more than once')])
    expect(await ask(asked('a', 2, []))).toEqual([39, expect.stringContaining('empty replica list')])
    expect(await ask(asked('a', 20_000))).toEqual([37, expect.any(String)])
    expect(await ask(asked('a', 3, [1], [1]))).toEqual([0, null])
    expect(broker.topics.get('a')?.partitions).toBe(3)
  })
})

describe('a topic that is asked for and not there', () => {
  const ask = async (
    { client }: { client: { request: Awaited<ReturnType<typeof serve>>['client']['request'] } },
    name: string,
    allowAutoTopicCreation = true,
  ) => {
    const topics = [{ name, topicId: noId }]
    const answer = await client.request(metadata, 9, { topics, allowAutoTopicCreation })
    const topic = answer.topics[0]
    return [topic?.errorCode, topic?.partitions.length]
  }

  it('is made with num.partitions, where the client allows it and its name is fine', async () => {
    const served = await serve({ defaultPartitions: 3 })
    expect(await ask(served, 'a.b', false)).toEqual([3, 0])
    expect(await ask(served, 'a.b')).toEqual([0, 3])
    expect(await ask(served, 'a_b')).toEqual([17, 0])
    expect(await ask(served, 'a b')).toEqual([17, 0])
    expect(await ask(served, '__cluster_metadata')).toEqual([17, 0])
    const { topics } = await served.client.request(metadata, 3, { topics: [{ name: 'old', topicId: noId }] })
    expect(topics[0]?.errorCode).toBe(0)
  })

  it('is not, where auto.create.topics.enable is false', async () => {
    const served = await serve({ autoCreateTopics: false })
    expect(await ask(served, 'a')).toEqual([3, 0])
  })

  it("is made as the broker's own where it is one of these", async () => {
    const served = await serve({ defaultPartitions: 3, offsetsTopicPartitions: 2 })
    expect(await ask(served, '__consumer_offsets')).toEqual([0, 2])
    expect(served.broker.topics.get('__consumer_offsets')?.config['cleanup.policy']).toBe('compact')
    await served.broker.offsets.commit('g', [{ topic: 'a', partition: 0, offset: 1, metadata: '' }])
    expect(served.broker.offsets.groups()).toEqual(['g'])
  })
})

describe('CreateTopics', () => {
  it.each([
    [{ name: '__consumer_offsets' }, 42, 'Creation of internal topic __consumer_offsets is prohibited.'],
    [{ name: 'a_b' }, 17, "Topic 'a_b' collides with existing topic: a.b"],
    [{ name: 'a.b' }, 36, "Topic 'a.b' already exists."],
    [{ name: '..' }, 17, "Topic name is invalid: '..' is not allowed"],
    [{ name: '' }, 17, 'Topic name is invalid: the empty string is not allowed'],
    [{ name: 'n'.repeat(250) }, 17, 'longer than the max allowed length 249'],
    [{ replicationFactor: 0 }, 38, 'must be larger than 0'],
    [{ replicationFactor: 2 }, 38, 'only 1 broker(s) are registered'],
    [{ numPartitions: 20_000 }, 37, '20000 is not a number of partitions'],
    [
      { configs: [{ name: 'retention.ms', value: null }] },
      40,
      'Null value not supported for topic configs: retention.ms',
    ],
    [{ configs: [{ name: 'odd', value: '1' }] }, 40, 'Unknown topic config name: odd'],
    [{ assignments: [[0, 1]] }, 42, 'replication factor was not set to -1'],
    [{ replicationFactor: -1, assignments: [[0, 1]] }, 42, 'numPartitions was not set to -1'],
    [{ replicationFactor: -1, numPartitions: -1, assignments: [[1, 1]] }, 39, 'consecutive 0-based integer sequence'],
    [
      {
        replicationFactor: -1,
        numPartitions: -1,
        assignments: [
          [0, 1],
          [0, 1],
        ],
      },
      39,
      'multiple manual partition assignments for partition 0',
    ],
  ] as [object & { assignments?: number[][] }, number, string][])('refuses %j', async (asked, code, why) => {
    const { client, broker } = await serve()
    await broker.createTopics([{ name: 'a.b', partitions: 1 }])
    const assignments = (asked.assignments ?? []).map(([partitionIndex = 0, id = 0]) => ({
      partitionIndex,
      brokerIds: [id],
    }))
    const topic = { name: 'new', numPartitions: 1, replicationFactor: 1, configs: [], ...asked, assignments }
    const { topics } = await client.request(createTopics, 7, { topics: [topic] })
    expect([topics[0]?.errorCode, topics[0]?.errorMessage]).toEqual([code, expect.stringContaining(why)])
    expect(broker.topics.list().map(({ name }) => name)).toEqual(['a.b'])
  })
})

describe('DescribeTopicPartitions', () => {
  it('tells some partitions at a time, in order', async () => {
    const { client, broker } = await serve()
    await broker.createTopics([
      { name: 'b', partitions: 3 },
      { name: 'a', partitions: 2 },
      { name: 'c', partitions: 1 },
    ])
    type Cursor = { topicName: string; partitionIndex: number } | null
    const ask = async (names: string[], responsePartitionLimit: number, cursor: Cursor = null) => {
      const topics = names.map((name) => ({ name }))
      const answer = await client.request(describeTopicPartitions, 0, { topics, responsePartitionLimit, cursor })
      const found = answer.topics.map(({ name, errorCode, partitions }) => [
        name,
        errorCode || partitions.map(({ partitionIndex }) => partitionIndex),
      ])
      return [found, answer.nextCursor && [answer.nextCursor.topicName, answer.nextCursor.partitionIndex]]
    }
    expect(await ask([], 4)).toEqual([
      [
        ['a', [0, 1]],
        ['b', [0, 1]],
      ],
      ['b', 2],
    ])
    expect(await ask([], 3, { topicName: 'b', partitionIndex: 2 })).toEqual([
      [
        ['b', [2]],
        ['c', [0]],
      ],
      null,
    ])
    expect(await ask([], 2)).toEqual([[['a', [0, 1]]], ['b', 0]])
    expect(await ask(['c', 'none', 'a b', 'a'], 100)).toEqual([
      [
        ['a', [0, 1]],
        ['a b', 17],
        ['c', [0]],
        ['none', 3],
      ],
      null,
    ])
    expect(await ask(['a'], 100, { topicName: 'b', partitionIndex: 0 })).toEqual([[['a', 42]], null])
    expect(await ask([], 100, { topicName: 'b', partitionIndex: 7 })).toEqual([
      [
        ['b', []],
        ['c', [0]],
      ],
      null,
    ])
  })
})
