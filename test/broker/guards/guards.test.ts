import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Need } from '../../../src/broker/guards/guard.ts'
import { guards } from '../../../src/broker/guards/guarded-broker.ts'
import type { ReadOf } from '../../../src/broker/protocol/field.ts'
import { consumerGroupHeartbeat } from '../../../src/broker/protocol/messages/consumer-group-heartbeat.ts'
import { createTopics } from '../../../src/broker/protocol/messages/create-topics.ts'
import { deleteTopics } from '../../../src/broker/protocol/messages/delete-topics.ts'
import { describeCluster } from '../../../src/broker/protocol/messages/describe-cluster.ts'
import { describeGroups } from '../../../src/broker/protocol/messages/describe-groups.ts'
import { describeTopicPartitions } from '../../../src/broker/protocol/messages/describe-topic-partitions.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { listGroups } from '../../../src/broker/protocol/messages/list-groups.ts'
import { listTransactions } from '../../../src/broker/protocol/messages/list-transactions.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { offsetFetch } from '../../../src/broker/protocol/messages/offset-fetch.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import type { AccessRule, Operation, ResourceType } from '../../../src/broker/security/access-rule.ts'
import { batchOf, batchOfRecords } from '../records.ts'
import type { ProtocolClient } from '../server/protocol-client.ts'
import { type Asked, everyApi } from './asked.ts'
import { type SecuredBroker, secureBroker } from './secured-broker.ts'

const refusals = new Set([29, 30, 31, 53])
const nameOf: Readonly<Record<ResourceType, string>> = {
  ...{ TOPIC: '*', GROUP: '*', CLUSTER: 'kafka-cluster', TRANSACTIONAL_ID: '*' },
  ...{ DELEGATION_TOKEN: '*', USER: '*' },
}

let served: SecuredBroker
let alice: ProtocolClient

beforeEach(async () => {
  served = await secureBroker()
  await served.broker.createTopics([
    { name: 't', partitions: 1 },
    { name: 'u', partitions: 1 },
  ])
  await served.broker.offsets.commit('g', [{ topic: 't', partition: 0, offset: 1, metadata: '' }])
  alice = await served.login('alice')
})
afterEach(() => served.close())

function allow(need: Need, resourceName?: string, more: Partial<AccessRule> = {}): AccessRule {
  const [operation, resourceType] = need.split(' ') as [Operation, ResourceType]
  return {
    ...{ resourceType, resourceName: resourceName ?? nameOf[resourceType], patternType: 'LITERAL' },
    ...{ principal: 'User:alice', host: '*', operation, permission: 'ALLOW', ...more },
  }
}

/** All errors in a response that say that something is not allowed. */
function refusedIn(response: unknown): number[] {
  if (typeof response !== 'object' || response === null || response instanceof Uint8Array) return []
  return Object.entries(response).flatMap(([name, value]) => {
    const isError = /errorcode$/i.test(name) && refusals.has(value as number)
    return [...(isError ? [value as number] : []), ...refusedIn(value)]
  })
}

async function refusalsOf({ api, version, body }: Asked, client = alice): Promise<number[]> {
  // What is made by being asked for was not there before.
  if (served.broker.topics.get('made') !== undefined) await served.broker.topicChanges.delete('made')
  const answer = client.request(api, version, body as never)
  // Fetches and groups may wait for a while when they are let in.
  for (let i = 0; i < 30; i++) await served.environment.timers.nextTurn()
  await served.environment.clock.advanceAsync(11_000)
  return refusedIn(await answer)
}

describe('guards', () => {
  it('are asked for every API in this test, with everything that they declare', () => {
    const filters = [listGroups, listTransactions, describeCluster].map(({ key }) => key as number)
    for (const { api, needs } of guards) {
      if (filters.includes(api.key)) continue
      const used = new Set(everyApi.filter((asked) => asked.api === api).flatMap(({ enough }) => enough.flat()))
      const missing = needs.filter((need) => !used.has(need))
      const elsewhere: Readonly<Record<string, readonly string[]>> = {
        Metadata: ['DESCRIBE CLUSTER'],
        CreateTopics: ['DESCRIBE_CONFIGS TOPIC'],
        DeleteTopics: ['DESCRIBE TOPIC'],
        ConsumerGroupDescribe: ['DESCRIBE TOPIC'],
        DescribeTransactions: ['DESCRIBE TOPIC'],
        AddPartitionsToTxn: ['CLUSTER_ACTION CLUSTER'],
        DescribeConfigs: ['DESCRIBE_CONFIGS GROUP'],
        AlterConfigs: ['ALTER_CONFIGS GROUP'],
        IncrementalAlterConfigs: ['ALTER_CONFIGS GROUP'],
      }
      expect([api.name, missing]).toEqual([api.name, elsewhere[api.name] ?? []])
    }
  })

  it.each(everyApi.map((asked, i) => [`${asked.api.name} ${asked.version} (${i})`, asked] as const))(
    '%s needs what it needs, and nothing else',
    async (_, asked) => {
      expect(await refusalsOf(asked)).not.toEqual([])
      for (const enough of asked.enough) {
        for (const missing of enough) {
          await served.setRules(enough.filter((need) => need !== missing).map((need) => allow(need)))
          expect([missing, (await refusalsOf(asked)).length]).not.toEqual([missing, 0])
        }
        await served.setRules(enough.map((need) => allow(need)))
        expect(await refusalsOf(asked)).toEqual([])
        const [first] = enough as [Need]
        await served.setRules([...enough.map((need) => allow(need)), allow(first, undefined, { permission: 'DENY' })])
        expect(await refusalsOf(asked)).not.toEqual([])
      }
      expect(served.errors).toEqual([])
    },
  )

  it('let super users do everything', async () => {
    const admin = await served.login('admin')
    for (const asked of everyApi) expect([asked.api.name, await refusalsOf(asked, admin)]).toEqual([asked.api.name, []])
    expect(served.errors).toEqual([])
  })
})

describe('topics that a client may not see', () => {
  const named = (...names: string[]) => ({ topics: names.map((name) => ({ name })), allowAutoTopicCreation: false })

  it('are left out of all, and are no different from those that there are not', async () => {
    await served.setRules([allow('DESCRIBE TOPIC', 't')])
    for (const version of [1, 9, 12]) {
      const all = await alice.request(metadata, version, { topics: null })
      expect(all.topics.map(({ name }) => name)).toEqual(['t'])
    }
    expect((await alice.request(metadata, 0, { topics: [] })).topics.map(({ name }) => name)).toEqual(['t'])
    const { topics } = await alice.request(metadata, 12, named('t', 'u', 'none'))
    const [t, ...others] = topics
    expect(t).toMatchObject({ errorCode: 0, name: 't', partitions: [{}] })
    const zero = 'AAAAAAAAAAAAAAAAAAAAAA'
    const unseen = { errorCode: 29, isInternal: false, partitions: [], topicId: zero }
    expect(others).toMatchObject([
      { ...unseen, name: 'u' },
      { ...unseen, name: 'none' },
    ])
    expect((await alice.request(metadata, 0, named('u'))).topics).toMatchObject([{ errorCode: 29, name: 'u' }])
  })

  it('are not named by their ids', async () => {
    await served.setRules([allow('DESCRIBE TOPIC', 't')])
    const [t, u] = ['t', 'u'].map((name) => served.broker.topics.get(name)?.id ?? '')
    const topics = [t, u].map((topicId) => ({ name: null, topicId: topicId as string }))
    const told = await alice.request(metadata, 12, { topics })
    expect(told.topics).toMatchObject([
      { name: 't', errorCode: 0 },
      { name: null, topicId: u, errorCode: 29 },
    ])
    const tooEarly = await alice.request(metadata, 11, { topics })
    expect(tooEarly.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['', 42],
      ['', 42],
    ])
    const { responses } = await alice.request(deleteTopics, 6, { topics, timeoutMs: 0 })
    expect(responses).toMatchObject([
      { name: 't', errorCode: 29 },
      { name: null, errorCode: 29 },
    ])
    expect(served.broker.topics.get('u')).toBeDefined()
  })

  it('are left out page by page, and no cursor names them', async () => {
    await served.broker.createTopics(['a', 'b', 'c'].map((name) => ({ name, partitions: 2 })))
    await served.setRules(['a', 'c', 't'].map((name) => allow('DESCRIBE TOPIC', name)))
    const told: unknown[] = []
    let cursor: { topicName: string; partitionIndex: number } | null = null
    do {
      const page: ReadOf<(typeof describeTopicPartitions)['response']> = await alice.request(
        describeTopicPartitions,
        0,
        { topics: [], responsePartitionLimit: 2, cursor },
      )
      for (const { name, errorCode, partitions } of page.topics) told.push([name, errorCode, partitions.length])
      cursor = page.nextCursor === null ? null : { ...page.nextCursor }
      expect(['b', 'u']).not.toContain(cursor?.topicName)
    } while (cursor !== null)
    expect(told).toEqual([
      ['a', 0, 2],
      ['c', 0, 2],
      ['t', 0, 1],
    ])
    const from = { topicName: 'b', partitionIndex: 1 }
    const rest = await alice.request(describeTopicPartitions, 0, { topics: [], cursor: from })
    expect(rest.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
      ['c', 2],
      ['t', 1],
    ])
    const named = await alice.request(describeTopicPartitions, 0, { topics: [{ name: 'u' }, { name: 'none' }] })
    expect(named.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['u', 29],
      ['none', 29],
    ])
    await served.setRules([])
    expect((await alice.request(describeTopicPartitions, 0, { topics: [] })).topics).toEqual([])
  })

  it('are not subscribed to, by name or by pattern', async () => {
    await served.setRules([allow('READ GROUP'), allow('DESCRIBE TOPIC', 't')])
    const join = (subscribedTopicRegex: string | null, subscribedTopicNames: string[] | null = null) =>
      alice.request(consumerGroupHeartbeat, 1, {
        ...{ groupId: 'new', memberId: 'AAAAAAAAAAAAAAAAAAAAAA', memberEpoch: 0, rebalanceTimeoutMs: 1_000 },
        ...{ subscribedTopicRegex, subscribedTopicNames, topicPartitions: [] },
      })
    expect((await join('.*')).errorCode).toBe(29)
    expect((await join(null, ['t', 'u'])).errorCode).toBe(29)
    expect((await join('t|none.*')).errorCode).toBe(0)
  })

  it('are not made by being asked for, nor described when they are made without leave to see settings', async () => {
    await served.setRules([allow('DESCRIBE TOPIC')])
    const asked = { topics: [{ name: 'made' }], allowAutoTopicCreation: true }
    expect((await alice.request(metadata, 9, asked)).topics).toMatchObject([{ errorCode: 29 }])
    expect(served.broker.topics.get('made')).toBeUndefined()
    await served.setRules([allow('CREATE TOPIC', 'made')])
    const topic = { name: 'made', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }
    const { topics } = await alice.request(createTopics, 7, { topics: [topic, { ...topic, name: 'other' }] })
    expect(topics).toMatchObject([
      { name: 'made', errorCode: 0, topicConfigErrorCode: 29, numPartitions: -1, configs: null },
      { name: 'other', errorCode: 29 },
    ])
    expect(served.broker.topics.get('made')?.partitions).toBe(3)
  })
})

describe('a request of which some is allowed', () => {
  it('is answered for each part', async () => {
    await served.setRules([allow('WRITE TOPIC', 't'), allow('READ TOPIC', 't')])
    const append = (name: string) => ({ name, partitionData: [{ index: 0, records: batchOf('v') }] })
    const topicData = [append('u'), append('t')]
    const written = await alice.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData })
    expect(written.responses.map(({ name, partitionResponses }) => [name, partitionResponses[0]?.errorCode])).toEqual([
      ['t', 0],
      ['u', 29],
    ])
    expect(served.broker.log('u', 0).logEndOffset).toBe(0)
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }]
    const topics = [
      { topic: 't', partitions },
      { topic: 'u', partitions },
    ]
    const found = await alice.request(fetch, 12, { replicaId: -1, maxWaitMs: 60_000, minBytes: 1_000_000, topics })
    expect(
      found.responses.map(({ topic, partitions: [one] }) => [topic, one?.errorCode, one?.records?.length]),
    ).toEqual([
      ['t', 0, batchOf('v').length],
      ['u', 29, 0],
    ])
  })

  it('ends the connection where the client wants no answer that would say so, and appends nothing', async () => {
    await served.setRules([allow('WRITE TOPIC', 't')])
    const topicData = ['t', 'u'].map((name) => ({ name, partitionData: [{ index: 0, records: batchOf('v') }] }))
    alice.send(produce, 9, { transactionalId: null, acks: 0, timeoutMs: 1_000, topicData })
    await alice.closed
    expect(served.errors).toMatchObject([{ code: 'NOT_AUTHORIZED' }])
    expect(served.broker.log('t', 0).logEndOffset).toBe(0)
  })

  it('is refused where its batches say that they are of a transaction that the request does not name', async () => {
    await served.setRules([allow('WRITE TOPIC')])
    const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    const inTransaction = batchOfRecords([{ value: 'v' }], {}, producer)
    for (const records of [inTransaction, Buffer.concat([batchOf('v'), inTransaction])]) {
      const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
      const { responses } = await alice.request(produce, 9, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 9,
        topicData,
      })
      expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(53)
    }
    expect(served.broker.log('t', 0).logEndOffset).toBe(0)
  })

  it('tells of groups and transactions only what may be seen', async () => {
    for (const group of ['mine', 'theirs'])
      await served.broker.offsets.commit(group, [{ topic: 't', partition: 0, offset: 1, metadata: '' }])
    await served.broker.offsets.commit('mine', [{ topic: 'u', partition: 0, offset: 2, metadata: '' }])
    await served.setRules([allow('READ GROUP', 'mine'), allow('DESCRIBE TOPIC', 't')])
    const offsets = await alice.request(offsetFetch, 8, {
      groups: [
        { groupId: 'mine', topics: null },
        { groupId: 'theirs', topics: null },
      ],
    })
    expect(
      offsets.groups.map(({ groupId, errorCode, topics }) => [groupId, errorCode, topics.map(({ name }) => name)]),
    ).toEqual([
      ['mine', 0, ['t']],
      ['theirs', 30, []],
    ])
    const described = await alice.request(describeGroups, 5, {
      groups: ['mine', 'theirs'],
      includeAuthorizedOperations: true,
    })
    expect(
      described.groups.map(({ groupId, errorCode, authorizedOperations }) => [
        groupId,
        errorCode,
        authorizedOperations,
      ]),
    ).toEqual([
      ['mine', 0, (1 << 3) | (1 << 8)],
      ['theirs', 30, -2147483648],
    ])
    const listed = async () => (await alice.request(listGroups, 4, {})).groups.map(({ groupId }) => groupId)
    expect((await listed()).includes('theirs')).toBe(false)
    await served.setRules([allow('DESCRIBE CLUSTER')])
    expect((await alice.request(listTransactions, 0, { stateFilters: [], producerIdFilters: [] })).errorCode).toBe(0)
    const cluster = await alice.request(describeCluster, 0, { includeClusterAuthorizedOperations: true })
    expect(cluster.clusterAuthorizedOperations).toBe(1 << 8)
    await served.setRules([])
    const unseen = await alice.request(describeCluster, 0, { includeClusterAuthorizedOperations: true })
    expect(unseen.clusterAuthorizedOperations).toBe(0)
  })

  it('goes by the address of the client, too', async () => {
    await served.setRules([allow('DESCRIBE TOPIC', 't', { host: '10.0.0.1' })])
    const asked = { topics: [{ name: 't' }], allowAutoTopicCreation: false }
    expect((await alice.request(metadata, 9, asked)).topics[0]?.errorCode).toBe(29)
    await served.setRules([allow('DESCRIBE TOPIC', 't', { host: 'localhost' })])
    expect((await alice.request(metadata, 9, asked)).topics[0]?.errorCode).toBe(0)
  })
})
