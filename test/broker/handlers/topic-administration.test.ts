import { afterEach, describe, expect, it } from 'vitest'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { createPartitions } from '../../../src/broker/protocol/messages/create-partitions.ts'
import { deleteTopics } from '../../../src/broker/protocol/messages/delete-topics.ts'
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
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 3, 37, 37, 42, 42, 42])
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
