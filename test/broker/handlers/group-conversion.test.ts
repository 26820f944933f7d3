import { afterEach, describe, expect, it } from 'vitest'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { consumerGroupDescribe } from '../../../src/broker/protocol/messages/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../../src/broker/protocol/messages/consumer-group-heartbeat.ts'
import { heartbeat } from '../../../src/broker/protocol/messages/heartbeat.ts'
import { joinGroup } from '../../../src/broker/protocol/messages/join-group.ts'
import { leaveGroup } from '../../../src/broker/protocol/messages/leave-group.ts'
import { listGroups } from '../../../src/broker/protocol/messages/list-groups.ts'
import { offsetCommit } from '../../../src/broker/protocol/messages/offset-commit.ts'
import { syncGroup } from '../../../src/broker/protocol/messages/sync-group.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { assignmentAsText, assignmentOf, subscriptionOf } from '../group/consumer-protocol-bytes.ts'
import type { ProtocolClient } from '../server/protocol-client.ts'
import { type ServedBroker, serveBroker } from '../server/served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(settings: Partial<BrokerSettings> = {}, disk?: MemoryDisk) {
  const served = await serveBroker({}, disk, settings)
  closers.push(served.close)
  if (disk === undefined) await served.broker.createTopics([{ name: 't', partitions: 2 }])
  return served
}

async function restart(served: ServedBroker): Promise<ServedBroker> {
  await served.close()
  closers.length = 0
  return serve({}, served.environment.disk)
}

const group = { groupId: 'shop' }
const rebalanceInProgress = 27
const metadata = (owned: string): Buffer => subscriptionOf(['t'], owned)
const joining = (memberId: string, owned = '') => ({
  ...group,
  ...{ sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 60_000, memberId, protocolType: 'consumer' },
  protocols: [{ name: 'range', metadata: metadata(owned) }],
})

/** The only member of a group of the classic protocol, which has all that it assigned itself. */
async function alone({ environment }: ServedBroker, client: ProtocolClient, assignment: Buffer): Promise<string> {
  const { memberId } = await client.request(joinGroup, 7, joining(''))
  const joined = client.request(joinGroup, 7, joining(memberId))
  for (let i = 0; i < 20; i++) await environment.timers.nextTurn()
  await environment.clock.advanceAsync(3_000)
  const { generationId } = await joined
  const assignments = [{ memberId, assignment }]
  expect((await client.request(syncGroup, 5, { ...syncing(memberId, generationId), assignments })).errorCode).toBe(0)
  return memberId
}

const syncing = (memberId: string, generationId: number) => {
  return { ...group, generationId, memberId, protocolType: 'consumer', protocolName: 'range', assignments: [] }
}

const entering = (memberId: string) => {
  return {
    ...{ ...group, memberId, memberEpoch: 0, rebalanceTimeoutMs: 10_000 },
    ...{ subscribedTopicNames: ['t'], topicPartitions: [] },
  }
}

const partitionsOf = ({
  assignment,
}: {
  assignment: { topicPartitions: readonly { partitions: readonly number[] }[] } | null
}) => {
  return assignment?.topicPartitions.flatMap(({ partitions }) => partitions)
}

async function describeMembers(client: ProtocolClient) {
  const asked = { groupIds: ['shop'], includeAuthorizedOperations: false }
  const [described] = (await client.request(consumerGroupDescribe, 1, asked)).groups
  const members = described?.members.map(({ memberId, memberType, memberEpoch }) => [memberId, memberType, memberEpoch])
  return { errorCode: described?.errorCode, members }
}

async function typeOf(client: ProtocolClient): Promise<(string | undefined)[]> {
  const { groups } = await client.request(listGroups, 5, { statesFilter: [], typesFilter: [] })
  return groups.map(({ groupType, groupState }) => `${groupType} ${groupState}`)
}

describe('a group with members', () => {
  it('becomes one of the consumer protocol with its first member that speaks it, and a classic one again with its last', async () => {
    const served = await serve()
    const client = await served.connect()
    const old = await alone(served, client, assignmentOf('t0,t1'))
    const beat = { ...group, memberId: old, generationId: 1 }
    expect((await client.request(heartbeat, 4, beat)).errorCode).toBe(0)

    const stranger = { ...group, memberId: 'new', memberEpoch: 1 }
    expect((await client.request(consumerGroupHeartbeat, 1, stranger)).errorCode).toBe(69)
    const entered = await client.request(consumerGroupHeartbeat, 1, entering('new'))
    expect([entered.errorCode, entered.memberEpoch, partitionsOf(entered)]).toEqual([0, 2, []])
    expect(await typeOf(client)).toEqual(['consumer Reconciling'])
    expect(await describeMembers(client)).toEqual({
      errorCode: 0,
      members: expect.arrayContaining([
        [old, 0, 1],
        ['new', 1, 2],
      ]),
    })

    const later = await restart(served)
    const again = await later.connect()
    expect((await again.request(heartbeat, 4, beat)).errorCode).toBe(rebalanceInProgress)
    const first = await again.request(joinGroup, 7, joining(old, 't0,t1'))
    expect([first.errorCode, first.generationId, first.leader]).toEqual([0, 1, ''])
    const told = await again.request(syncGroup, 5, syncing(old, 1))
    const kept = assignmentAsText(told.assignment)
    expect(kept).toMatch(/^t[01]$/)
    const second = await again.request(joinGroup, 7, joining(old, kept))
    expect(second.generationId).toBe(2)
    expect(assignmentAsText((await again.request(syncGroup, 5, syncing(old, 2))).assignment)).toBe(kept)
    const led = await again.request(consumerGroupHeartbeat, 1, { ...group, memberId: 'new', memberEpoch: 2 })
    expect(partitionsOf(led)).toEqual([kept === 't0' ? 1 : 0])
    expect(await typeOf(again)).toEqual(['consumer Stable'])

    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }] }]
    const commit = async (generationIdOrMemberEpoch: number) => {
      const request = { ...group, memberId: old, generationIdOrMemberEpoch, topics }
      return (await again.request(offsetCommit, 8, request)).topics[0]?.partitions[0]?.errorCode
    }
    expect([await commit(1), await commit(2)]).toEqual([22, 0])

    await again.request(consumerGroupHeartbeat, 1, { ...group, memberId: 'new', memberEpoch: -1 })
    expect(await typeOf(again)).toEqual(['classic PreparingRebalance'])
    const last = await restart(later)
    const client3 = await last.connect()
    expect(await typeOf(client3)).toEqual(['classic Stable'])
    expect((await describeMembers(client3)).errorCode).toBe(69)
    const back = await client3.request(joinGroup, 7, joining(old, kept))
    expect([back.errorCode, back.leader, back.generationId > 2]).toEqual([0, old, true])
  })

  it('is left alone by other settings, and where an assignor of its own has told its members more than partitions', async () => {
    for (const settings of [
      { consumerMigrationPolicy: 'disabled' },
      { consumerMigrationPolicy: 'downgrade' },
    ] as const) {
      const served = await serve(settings)
      const client = await served.connect()
      await alone(served, client, assignmentOf('t0,t1'))
      expect((await client.request(consumerGroupHeartbeat, 1, entering('new'))).errorCode).toBe(69)
    }
    const served = await serve()
    const client = await served.connect()
    await alone(served, client, assignmentOf('t0,t1', 3))
    expect((await client.request(consumerGroupHeartbeat, 1, entering('new'))).errorCode).toBe(69)
    expect(await typeOf(client)).toEqual(['classic Stable'])
  })

  it('stays one of the consumer protocol where it may not go back', async () => {
    const served = await serve({ consumerMigrationPolicy: 'upgrade' })
    const client = await served.connect()
    const old = await alone(served, client, assignmentOf('t0,t1'))
    await client.request(consumerGroupHeartbeat, 1, entering('new'))
    await client.request(consumerGroupHeartbeat, 1, { ...group, memberId: 'new', memberEpoch: -1 })
    expect(await typeOf(client)).toEqual(['consumer Assigning'])
    const left = await client.request(leaveGroup, 5, { ...group, members: [{ memberId: old, groupInstanceId: null }] })
    expect(left.members[0]?.errorCode).toBe(0)
    expect(await typeOf(client)).toEqual(['consumer Empty'])
  })

  it('has who waits in it join again when it becomes one of the consumer protocol', async () => {
    const served = await serve()
    const client = await served.connect()
    const old = await alone(served, client, assignmentOf('t0,t1'))
    const other = await served.connect()
    const { memberId } = await other.request(joinGroup, 7, joining(''))
    const waiting = other.request(joinGroup, 7, joining(memberId))
    for (let i = 0; i < 20; i++) await served.environment.timers.nextTurn()
    expect((await client.request(consumerGroupHeartbeat, 1, entering('new'))).errorCode).toBe(0)
    expect((await waiting).errorCode).toBe(rebalanceInProgress)
    expect((await describeMembers(client)).members?.map(([id]) => id).sort()).toEqual([old, memberId, 'new'].sort())
  })
})
