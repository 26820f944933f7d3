import { afterEach, describe, expect, it } from 'vitest'
import { describeGroups } from '../../../src/broker/protocol/messages/describe-groups.ts'
import { findCoordinator } from '../../../src/broker/protocol/messages/find-coordinator.ts'
import { heartbeat } from '../../../src/broker/protocol/messages/heartbeat.ts'
import { joinGroup } from '../../../src/broker/protocol/messages/join-group.ts'
import { leaveGroup } from '../../../src/broker/protocol/messages/leave-group.ts'
import { listGroups } from '../../../src/broker/protocol/messages/list-groups.ts'
import { offsetCommit } from '../../../src/broker/protocol/messages/offset-commit.ts'
import { offsetFetch } from '../../../src/broker/protocol/messages/offset-fetch.ts'
import { syncGroup } from '../../../src/broker/protocol/messages/sync-group.ts'
import type { ProtocolClient } from '../server/protocol-client.ts'
import { type ServedBroker, serveBroker } from '../server/served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(): Promise<ServedBroker> {
  const served = await serveBroker()
  closers.push(served.close)
  await served.broker.createTopics([{ name: 'orders', partitions: 2 }])
  return served
}

const joining = (memberId: string, says = 'topics') => ({
  groupId: 'shop',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 20_000,
  memberId,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from(says) }],
})

/** Joins alone, and is the leader of the first generation. */
async function joinAlone({ environment }: ServedBroker, client: ProtocolClient): Promise<string> {
  const first = await client.request(joinGroup, 7, joining(''))
  expect(first.errorCode).toBe(79)
  const joined = client.request(joinGroup, 7, joining(first.memberId))
  for (let i = 0; i < 20; i++) await environment.timers.nextTurn()
  await environment.clock.advanceAsync(3_000)
  expect(await joined).toMatchObject({ errorCode: 0, generationId: 1, leader: first.memberId, protocolName: 'range' })
  return first.memberId
}

const commitOf = (memberId: string, generation: number, partitions: readonly number[], offset = 7) => ({
  groupId: 'shop',
  generationIdOrMemberEpoch: generation,
  memberId,
  topics: [
    {
      name: 'orders',
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: offset,
        committedMetadata: 'note',
      })),
    },
  ],
})

describe('groups over the protocol', () => {
  it('join, share work, commit, and are found again after a restart of the broker', async () => {
    const served = await serve()
    const client = await served.connect()
    const memberId = await joinAlone(served, client)
    const assignments = [{ memberId, assignment: Buffer.from('all') }]
    const sync = { groupId: 'shop', generationId: 1, memberId, protocolType: 'consumer', protocolName: 'range' }
    const unsaid = await client.request(syncGroup, 5, { ...sync, protocolName: null, assignments })
    expect(unsaid).toMatchObject({ errorCode: 23, assignment: Buffer.alloc(0) })
    const work = await client.request(syncGroup, 5, { ...sync, assignments })
    expect([work.errorCode, String(work.assignment), work.protocolName]).toEqual([0, 'all', 'range'])
    const committed = await client.request(offsetCommit, 8, commitOf(memberId, 1, [0, 1, 2]))
    expect(committed.topics[0]?.partitions.map((one) => one.errorCode)).toEqual([0, 0, 3])
    await served.close()
    closers.length = 0

    const again = await serveBroker({}, served.environment.disk)
    closers.push(again.close)
    const later = await again.connect()
    const beat = { groupId: 'shop', generationId: 1, memberId }
    expect((await later.request(heartbeat, 4, beat)).errorCode).toBe(0)
    const { groups } = await later.request(describeGroups, 5, { groups: ['shop', 'none'] })
    expect(groups[0]).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    expect(groups[0]?.members.map((one) => [one.memberId, String(one.memberAssignment)])).toEqual([[memberId, 'all']])
    expect(groups[1]).toMatchObject({ errorCode: 0, groupState: 'Dead' })
    const fetched = await later.request(offsetFetch, 8, { groups: [{ groupId: 'shop', topics: null }] })
    expect(fetched.groups[0]?.topics[0]?.partitions).toMatchObject([
      { partitionIndex: 0, committedOffset: 7, metadata: 'note', errorCode: 0 },
      { partitionIndex: 1, committedOffset: 7 },
    ])
    await again.environment.clock.advanceAsync(10_001)
    expect((await later.request(heartbeat, 4, beat)).errorCode).toBe(25)
    expect((await later.request(describeGroups, 5, { groups: ['shop'] })).groups[0]?.groupState).toBe('Empty')
  })

  it('let readers that are no members commit, while they have no members', async () => {
    const served = await serve()
    const client = await served.connect()
    const simple = await client.request(offsetCommit, 5, commitOf('', -1, [0], 3))
    expect(simple.topics[0]?.partitions[0]?.errorCode).toBe(0)
    expect((await client.request(listGroups, 4, { statesFilter: ['empty'] })).groups).toEqual([
      { groupId: 'shop', protocolType: '', groupState: 'Empty', groupType: '' },
    ])
    const memberId = await joinAlone(served, client)
    expect((await client.request(offsetCommit, 5, commitOf('', -1, [0], 4))).topics[0]?.partitions[0]?.errorCode).toBe(
      25,
    )
    expect(
      (await client.request(offsetCommit, 5, commitOf(memberId, 1, [0], 4))).topics[0]?.partitions[0]?.errorCode,
    ).toBe(27)
    const asked = { groupId: 'shop', topics: [{ name: 'orders', partitionIndexes: [0, 1] }] }
    const found = await client.request(offsetFetch, 4, asked)
    expect(found.topics[0]?.partitions).toMatchObject([
      { committedOffset: 3, metadata: 'note', errorCode: 0 },
      { committedOffset: -1, metadata: '', errorCode: 0 },
    ])
    const leaving = {
      groupId: 'shop',
      members: [
        { memberId, groupInstanceId: null },
        { memberId: 'other', groupInstanceId: null },
      ],
    }
    expect((await client.request(leaveGroup, 4, leaving)).members.map((one) => one.errorCode)).toEqual([0, 25])
  })

  it('are coordinated by this broker', async () => {
    const served = await serve()
    const client = await served.connect()
    const here = { nodeId: 1, host: 'localhost', port: 9092, errorCode: 0 }
    const topics = () => [...served.broker.topics.names()].filter((name) => name.startsWith('__')).sort()
    expect(topics()).toEqual([])
    expect(await client.request(findCoordinator, 2, { key: 'shop' })).toMatchObject(here)
    expect(topics()).toEqual(['__consumer_offsets'])
    const { coordinators } = await client.request(findCoordinator, 4, { keyType: 1, coordinatorKeys: ['a', 'b'] })
    expect(coordinators).toMatchObject([
      { key: 'a', ...here },
      { key: 'b', ...here },
    ])
    expect(topics()).toEqual(['__consumer_offsets', '__transaction_state'])
    expect((await client.request(findCoordinator, 2, { key: 'x', keyType: 9 })).errorCode).toBe(42)
  })
})
