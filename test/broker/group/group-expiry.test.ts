import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { subscribedTopics } from '../../../src/broker/group/consumer-protocol.ts'
import { WireWriter } from '../../../src/broker/protocol/wire-writer.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { worldOn } from '../records.ts'

const minute = 60_000

interface Opened {
  readonly broker: Broker
  readonly environment: VirtualEnvironment
  readonly disk: MemoryDisk
}

async function open(
  settings: Partial<BrokerSettings> = {},
  disk = new MemoryDisk({ tracksCrashes: true }),
): Promise<Opened> {
  const environment = worldOn(disk)
  const all = { offsetsRetentionMs: 10 * minute, offsetsRetentionCheckIntervalMs: minute, ...settings }
  const broker = await openBroker({
    directory: 'data',
    environment,
    flush: 'fsync',
    settings: { initialRebalanceDelayMs: 0, ...all },
  })
  for (const name of ['a', 'b']) await broker.createTopics([{ name, partitions: 1 }])
  return { broker, environment, disk }
}

/** What a consumer says of itself: a version, the topics that it reads, and nothing of its own. */
function subscription(...topics: string[]): Buffer {
  const writer = new WireWriter(64)
  writer.int16(1)
  writer.int32(topics.length)
  for (const topic of topics) {
    writer.shortLength(topic.length, false)
    writer.text(topic)
  }
  writer.int32(-1)
  return Buffer.concat(writer.pieces())
}

async function join({ broker }: Opened, group: string, topics: string[], protocolType = 'consumer'): Promise<string> {
  const joined = await broker.groups.join(group, {
    memberId: '',
    instanceId: null,
    clientId: 'client',
    clientHost: 'host',
    sessionTimeoutMs: 1_800_000,
    rebalanceTimeoutMs: minute,
    protocolType,
    protocols: [{ name: 'range', metadata: subscription(...topics) }],
    requiresKnownMemberId: false,
    knowsSkipAssignment: false,
  })
  await broker.groups.sync(group, {
    memberId: joined.memberId,
    instanceId: null,
    generation: joined.generation,
    protocolType: null,
    protocolName: null,
    assignments: new Map(),
  })
  return joined.memberId
}

const commit = ({ broker }: Opened, group: string, ...topics: string[]) =>
  broker.offsets.commit(
    group,
    topics.map((topic) => ({ topic, partition: 0, offset: 1, metadata: '' })),
  )

const topicsOf = ({ broker }: Opened, group: string) => broker.offsets.offsetsOf(group).map(({ topic }) => topic)

/** Lets time go by, and everything that it sets in motion come to its end. */
async function pass({ environment }: Opened, ms: number): Promise<void> {
  await environment.clock.advanceAsync(ms)
  for (let i = 0; i < 50; i++) await environment.timers.nextTurn()
}

describe('offsets that nobody uses', () => {
  it('of no group go when their last commit is as old as the retention', async () => {
    const opened = await open()
    await commit(opened, 'g', 'a', 'b')
    await pass(opened, 5 * minute)
    await commit(opened, 'g', 'b')
    await pass(opened, 4 * minute)
    expect(topicsOf(opened, 'g')).toEqual(['a', 'b'])
    await pass(opened, 2 * minute)
    expect(topicsOf(opened, 'g')).toEqual(['b'])
    await pass(opened, 5 * minute)
    expect(opened.broker.offsets.groups()).toEqual([])
    const again = await open({}, opened.disk.crash({ keepUnsynced: 'none' }))
    expect(again.broker.offsets.groups()).toEqual([])
    await again.broker.close()
  })

  it('of a group stay as long as it has members that read the topic, and the others go by their commit', async () => {
    const opened = await open()
    await join(opened, 'g', ['a'])
    await commit(opened, 'g', 'a', 'b')
    await pass(opened, 9 * minute)
    expect(topicsOf(opened, 'g')).toEqual(['a', 'b'])
    await pass(opened, 2 * minute)
    expect(topicsOf(opened, 'g')).toEqual(['a'])
    expect(opened.broker.groups.get('g')?.state).toBe('Stable')
    await opened.broker.close()
  })

  it('of a group without members go when the last one left so long ago, and the group with them, over a restart too', async () => {
    const opened = await open()
    const memberId = await join(opened, 'g', ['a'])
    await commit(opened, 'g', 'a')
    await pass(opened, 20 * minute)
    opened.broker.groups.leave('g', { memberId, instanceId: null })
    await pass(opened, 9 * minute)
    expect(topicsOf(opened, 'g')).toEqual(['a'])
    const wallMs = opened.environment.clock.wallMs()
    const again = await open({}, opened.disk.crash({ keepUnsynced: 'none' }))
    again.environment.clock.jumpWall(wallMs - again.environment.clock.wallMs())
    expect(again.broker.groups.get('g')?.state).toBe('Empty')
    await pass(again, 2 * minute)
    expect(topicsOf(again, 'g')).toEqual([])
    expect(again.broker.groups.get('g')).toBeUndefined()
    await pass(again, minute)
    const third = await open({}, again.disk.crash({ keepUnsynced: 'none' }))
    expect(third.broker.groups.list()).toEqual([])
    await third.broker.close()
  })

  it('of members that are no consumers stay while there are members', async () => {
    const opened = await open()
    await join(opened, 'g', ['a'], 'connect')
    await commit(opened, 'g', 'b')
    await pass(opened, 25 * minute)
    expect(topicsOf(opened, 'g')).toEqual(['b'])
    await opened.broker.close()
  })

  it('stay for ever where nothing else is said, but groups that have none do not', async () => {
    const opened = await open({ offsetsRetentionMs: Number.POSITIVE_INFINITY })
    await commit(opened, 'kept', 'a')
    const memberId = await join(opened, 'g', ['a'])
    opened.broker.groups.leave('g', { memberId, instanceId: null })
    await pass(opened, 10_000 * minute)
    expect(topicsOf(opened, 'kept')).toEqual(['a'])
    expect(opened.broker.groups.list()).toEqual([])
    await opened.broker.close()
  })

  it('stay where a commit is on its way', async () => {
    const opened = await open()
    const { broker, environment } = opened
    await commit(opened, 'g', 'a')
    environment.clock.jumpWall(20 * minute)
    const committed = commit(opened, 'g', 'a')
    await undefined
    await broker.offsets.expire('g', () => true)
    await committed
    expect(topicsOf(opened, 'g')).toEqual(['a'])
    await broker.offsets.expire('g', () => true)
    expect(topicsOf(opened, 'g')).toEqual([])
    await broker.close()
  })
})

describe('a group that nobody joined in the end', () => {
  it('is forgotten, but not while somebody is about to', async () => {
    const opened = await open()
    const { broker } = opened
    const first = await broker.groups.join('g', {
      memberId: '',
      instanceId: null,
      clientId: 'client',
      clientHost: 'host',
      sessionTimeoutMs: 10 * minute,
      rebalanceTimeoutMs: minute,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('a') }],
      requiresKnownMemberId: true,
      knowsSkipAssignment: false,
    })
    expect(first.error).toBe('MEMBER_ID_REQUIRED')
    await pass(opened, 5 * minute)
    expect(broker.groups.list()).toHaveLength(1)
    await pass(opened, 7 * minute)
    expect(broker.groups.list()).toEqual([])
    // Nothing was kept of it, and nothing is made to forget it.
    expect(broker.topics.get('__consumer_offsets')).toBeUndefined()
    await broker.close()
  })
})

describe('what a consumer says that it reads', () => {
  it('is read, whatever follows', () => {
    expect(subscribedTopics(subscription('a', 'b'))).toEqual(['a', 'b'])
    expect(subscribedTopics(subscription())).toEqual([])
  })

  it.each([Buffer.alloc(0), Buffer.from('x'), Buffer.from('000100000005', 'hex'), Buffer.from('ffff00000000', 'hex')])(
    'or not: %j',
    (metadata) => {
      expect(subscribedTopics(metadata)).toBeUndefined()
    },
  )
})
