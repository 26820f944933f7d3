import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { alterClientQuotas } from '../../../src/broker/protocol/messages/alter-client-quotas.ts'
import { apiVersions } from '../../../src/broker/protocol/messages/api-versions.ts'
import { describeClientQuotas } from '../../../src/broker/protocol/messages/describe-client-quotas.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { type SecuredBroker, secureBroker } from '../guards/secured-broker.ts'
import { batchOf } from '../records.ts'
import type { ProtocolClient } from '../server/protocol-client.ts'

let served: SecuredBroker
let admin: ProtocolClient

beforeEach(async () => {
  served = await secureBroker('none')
  await served.broker.createTopics([{ name: 'orders', partitions: 1 }])
  admin = await served.login('admin')
})
afterEach(() => served.close())

type Op = { readonly key: string; readonly value?: number }
const entityOf = (entity: Readonly<Record<string, string | null>>) =>
  Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))

async function setQuotas(entity: Readonly<Record<string, string | null>>, ...ops: Op[]): Promise<number> {
  const entry = {
    entity: entityOf(entity),
    ops: ops.map(({ key, value }) => ({ key, value: value ?? 0, remove: value === undefined })),
  }
  const { entries } = await admin.request(alterClientQuotas, 1, { entries: [entry], validateOnly: false })
  return entries[0]?.errorCode ?? -1
}

const appendOf = (bytes: number, acks = -1) => ({
  ...{ transactionalId: null, acks, timeoutMs: 1_000 },
  topicData: [{ name: 'orders', partitionData: [{ index: 0, records: batchOf('x'.repeat(bytes)) }] }],
})
const fetchAll = {
  ...{ replicaId: -1, maxWaitMs: 0, minBytes: 1 },
  topics: [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
}

async function turns(): Promise<void> {
  for (let i = 0; i < 40; i++) await served.environment.timers.nextTurn()
}

/** Whether an answer is there within so much time, and not before. */
async function expectAfter(ms: number, answer: Promise<unknown>): Promise<void> {
  let isThere = false
  void answer.then(() => {
    isThere = true
  })
  await turns()
  await served.environment.clock.advanceAsync(ms - 1)
  await turns()
  expect(isThere).toBe(false)
  await served.environment.clock.advanceAsync(1)
  await answer
}

describe('a client beyond its quota', () => {
  it('of bytes that are appended has its answer, is told how long, and waits so long', async () => {
    expect(await setQuotas({ user: 'alice' }, { key: 'producer_byte_rate', value: 1_000 })).toBe(0)
    const alice = await served.login('alice')
    const within = await alice.request(produce, 9, appendOf(5_000))
    expect(within.throttleTimeMs).toBe(0)
    const beyond = await alice.request(produce, 9, appendOf(10_000))
    expect(beyond.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
    expect(beyond.throttleTimeMs).toBeGreaterThan(5_000)
    expect(beyond.throttleTimeMs).toBeLessThan(5_500)
    const counted = served.server.requestCounts.get('3.9')
    const waiting = alice.request(metadata, 9, { topics: [] })
    await expectAfter(beyond.throttleTimeMs, waiting)
    expect(counted).toBeUndefined()
    // Others are not kept waiting, nor other connections that ask for nothing that is bounded.
    const bob = await served.login('bob')
    expect((await bob.request(produce, 9, appendOf(20_000))).throttleTimeMs).toBe(0)
    const again = await served.login('alice')
    expect((await again.request(metadata, 9, { topics: [] })).throttleTimeMs).toBe(0)
    expect((await again.request(produce, 9, appendOf(1_000))).throttleTimeMs).toBeGreaterThan(0)
  })

  it('of time pays also for what an append that takes long does after others had their turn', async () => {
    await served.broker.createTopics([{ name: 'many', partitions: 30 }])
    await setQuotas({ user: 'alice' }, { key: 'request_percentage', value: 1 })
    const alice = await served.login('alice')
    const { clock } = served.environment
    let passedMs = clock.monotonicMs()
    // Each look at the clock is 10 ms later, so that a partition at a time is appended to; 100 ms are free.
    const slowly = vi.spyOn(clock, 'monotonicMs').mockImplementation(() => {
      passedMs += 10
      return passedMs
    })
    const partitionData = Array.from({ length: 30 }, (_, index) => ({ index, records: batchOf('x') }))
    const append = { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData: [{ name: 'many', partitionData }] }
    const { throttleTimeMs } = await alice.request(produce, 9, append)
    slowly.mockRestore()
    expect(throttleTimeMs).toBeGreaterThan(10_000)
  })

  it('waits also where it wants no answers', async () => {
    await setQuotas({ user: 'alice' }, { key: 'producer_byte_rate', value: 1_000 })
    const alice = await served.login('alice')
    alice.send(produce, 9, appendOf(12_000, 0))
    await turns()
    expect(served.broker.log('orders', 0).logEndOffset).toBe(1)
    alice.send(produce, 9, appendOf(10, 0))
    await turns()
    expect(served.broker.log('orders', 0).logEndOffset).toBe(1)
    await served.environment.clock.advanceAsync(3_000)
    await turns()
    expect(served.broker.log('orders', 0).logEndOffset).toBe(2)
  })

  it('of bytes that are fetched waits before its next request', async () => {
    await admin.request(produce, 9, appendOf(12_000))
    await setQuotas({ 'client-id': 'test' }, { key: 'consumer_byte_rate', value: 1_000 })
    const alice = await served.login('alice')
    const found = await alice.request(fetch, 11, fetchAll)
    expect(found.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(12_000)
    expect(found.throttleTimeMs).toBeGreaterThan(2_000)
    expect(found.throttleTimeMs).toBeLessThan(2_200)
    await expectAfter(found.throttleTimeMs, alice.request(metadata, 9, { topics: [] }))
  })

  it('may do so again when the quota is taken away', async () => {
    await setQuotas({ user: null }, { key: 'producer_byte_rate', value: 10 })
    const alice = await served.login('alice')
    expect((await alice.request(produce, 9, appendOf(5_000))).throttleTimeMs).toBe(15_000)
    await setQuotas({ user: null }, { key: 'producer_byte_rate' })
    const again = await served.login('alice')
    expect((await again.request(produce, 9, appendOf(5_000))).throttleTimeMs).toBe(0)
  })

  it('is let go when it leaves while it waits', async () => {
    await setQuotas({ user: 'alice' }, { key: 'producer_byte_rate', value: 10 })
    const alice = await served.login('alice')
    await alice.request(produce, 9, appendOf(5_000))
    alice.connection.destroy()
    await turns()
    await served.environment.clock.advanceAsync(20_000)
    expect(served.server.heldBytes).toBe(0)
    expect((await admin.request(apiVersions, 0, {})).errorCode).toBe(0)
  })
})

describe('quotas over the protocol', () => {
  const component = (entityType: string, matchType: number, match: string | null = null) => ({
    entityType,
    matchType,
    match,
  })

  it('are set, told by their parts, taken away, and are there after a restart', async () => {
    await setQuotas(
      { user: 'alice' },
      { key: 'producer_byte_rate', value: 1_000 },
      { key: 'request_percentage', value: 12.5 },
    )
    await setQuotas({ user: 'alice', 'client-id': null }, { key: 'consumer_byte_rate', value: 2_000 })
    await setQuotas({ 'client-id': 'app' }, { key: 'consumer_byte_rate', value: 3_000 })
    const told = async (strict: boolean, ...components: ReturnType<typeof component>[]) => {
      const { errorCode, entries } = await admin.request(describeClientQuotas, 0, { components, strict })
      expect(errorCode).toBe(0)
      return (entries ?? []).map(({ values }) => values.map(({ value }) => value))
    }
    expect(await told(false)).toEqual([[1_000, 12.5], [2_000], [3_000]])
    expect(await told(false, component('user', 0, 'alice'))).toEqual([[1_000, 12.5], [2_000]])
    expect(await told(true, component('user', 0, 'alice'))).toEqual([[1_000, 12.5]])
    expect(await told(false, component('client-id', 1))).toEqual([[2_000]])
    expect(await told(false, component('client-id', 2))).toEqual([[2_000], [3_000]])
    expect(await told(false, component('user', 0, 'bob'))).toEqual([])
    expect(await told(false, component('ip', 2))).toEqual([])
    await setQuotas({ user: 'alice' }, { key: 'producer_byte_rate' })
    await served.close()
    served = await secureBroker('none', served.environment.disk)
    admin = await served.login('admin')
    const left = await admin.request(describeClientQuotas, 1, { components: [], strict: false })
    expect(left.entries?.map(({ entity, values }) => [entity, values])).toEqual([
      [entityOf({ user: 'alice' }), [{ key: 'request_percentage', value: 12.5 }]],
      [entityOf({ user: 'alice', 'client-id': null }), [{ key: 'consumer_byte_rate', value: 2_000 }]],
      [entityOf({ 'client-id': 'app' }), [{ key: 'consumer_byte_rate', value: 3_000 }]],
    ])
  })

  it.each<[Readonly<Record<string, string | null>>, Op[]]>([
    [{}, [{ key: 'producer_byte_rate', value: 1 }]],
    [{ ip: '10.0.0.1' }, [{ key: 'producer_byte_rate', value: 1 }]],
    [{ user: '' }, [{ key: 'producer_byte_rate', value: 1 }]],
    [{ user: 'a' }, [{ key: 'controller_mutation_rate', value: 1 }]],
    [{ user: 'a' }, [{ key: 'producer_byte_rate', value: -1 }]],
    [{ user: 'a' }, [{ key: 'producer_byte_rate', value: Number.NaN }]],
    [{ user: 'a' }, [{ key: 'producer_byte_rate', value: 1.5 }]],
    [{ user: 'a' }, [{ key: 'producer_byte_rate', value: 1 }, { key: 'producer_byte_rate' }]],
    [{ __proto__: null, user: 'a', constructor: 'x' }, [{ key: 'producer_byte_rate', value: 1 }]],
  ])('are refused for %j with %j', async (entity, ops) => {
    expect(await setQuotas(entity, ...ops)).toBe(42)
    expect(served.broker.topics.quotas.all).toEqual([])
  })

  it.each([
    [component('user', 0)],
    [component('user', 1, 'alice')],
    [component('user', 3)],
    [component('group', 2)],
    [component('user', 2), component('user', 1)],
    [component('ip', 2), component('user', 2)],
  ])('are not told for %j', async (...components) => {
    const { errorCode, entries } = await admin.request(describeClientQuotas, 1, { components, strict: false })
    expect([errorCode, entries]).toEqual([42, null])
  })

  it('are only looked at where that is asked for', async () => {
    const entity = entityOf({ user: 'alice' })
    const ops = [{ key: 'producer_byte_rate', value: 1_000, remove: false }]
    const { entries } = await admin.request(alterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: true })
    expect(entries).toEqual([{ errorCode: 0, errorMessage: null, entity }])
    expect(served.broker.topics.quotas.all).toEqual([])
  })
})
