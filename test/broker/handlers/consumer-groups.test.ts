import { afterEach, describe, expect, it } from 'vitest'
import { consumerGroupDescribe } from '../../../src/broker/protocol/messages/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../../src/broker/protocol/messages/consumer-group-heartbeat.ts'
import { deleteGroups } from '../../../src/broker/protocol/messages/delete-groups.ts'
import { describeGroups } from '../../../src/broker/protocol/messages/describe-groups.ts'
import { joinGroup } from '../../../src/broker/protocol/messages/join-group.ts'
import { leaveGroup } from '../../../src/broker/protocol/messages/leave-group.ts'
import { listGroups } from '../../../src/broker/protocol/messages/list-groups.ts'
import { offsetCommit } from '../../../src/broker/protocol/messages/offset-commit.ts'
import { offsetFetch } from '../../../src/broker/protocol/messages/offset-fetch.ts'
import type { ProtocolClient } from '../server/protocol-client.ts'
import { type ServedBroker, serveBroker } from '../server/served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(): Promise<ServedBroker> {
  const served = await serveBroker()
  closers.push(served.close)
  await served.broker.createTopics([{ name: 'orders', partitions: 3 }])
  return served
}

const group = { groupId: 'shop' }
const joining = (memberId: string) => ({
  ...group,
  memberId,
  memberEpoch: 0,
  rebalanceTimeoutMs: 10_000,
  subscribedTopicNames: ['orders'],
  topicPartitions: [],
})
const owning = (served: ServedBroker, partitions: readonly number[]) => {
  const topicId = served.broker.topics.get('orders')?.id as string
  return { topicPartitions: partitions.length === 0 ? [] : [{ topicId, partitions }] }
}
const commitOf = (memberId: string, generationIdOrMemberEpoch: number) => ({
  ...group,
  memberId,
  generationIdOrMemberEpoch,
  topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }] }],
})

async function commitError(client: ProtocolClient, version: number, memberId: string, epoch: number) {
  const { topics } = await client.request(offsetCommit, version, commitOf(memberId, epoch))
  return topics[0]?.partitions[0]?.errorCode
}

describe('groups of the consumer protocol', () => {
  it('have members join, hand partitions over, commit and ask in their epochs, and are the same after a restart', async () => {
    const served = await serve()
    const client = await served.connect()
    const beat = (body: Parameters<typeof client.request<typeof consumerGroupHeartbeat>>[2]) => {
      return client.request(consumerGroupHeartbeat, 1, body)
    }
    const first = await beat(joining('a'))
    expect(first).toMatchObject({ errorCode: 0, memberId: 'a', memberEpoch: 1, heartbeatIntervalMs: 5_000 })
    expect(first.assignment).toEqual(owning(served, [0, 1, 2]))
    expect((await beat(joining('b'))).assignment).toEqual(owning(served, []))
    const asked = await beat({ ...group, memberId: 'a', memberEpoch: 1, ...owning(served, [0, 1, 2]) })
    expect([asked.memberEpoch, asked.assignment]).toEqual([1, owning(served, [0, 1])])
    expect(await beat({ ...group, memberId: 'a', memberEpoch: 1, ...owning(served, [0, 1]) })).toMatchObject({
      memberEpoch: 2,
      assignment: null,
    })
    expect((await beat({ ...group, memberId: 'b', memberEpoch: 2 })).assignment).toEqual(owning(served, [2]))

    const bare = { memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null }
    expect(await beat({ ...group, memberId: 'a', memberEpoch: 99 })).toMatchObject({ errorCode: 110, ...bare })
    expect(await beat({ ...group, memberId: '', memberEpoch: 0 })).toMatchObject({ errorCode: 42, ...bare })
    const asking = { groupIds: ['shop', ''], includeAuthorizedOperations: false }
    const now = (await client.request(consumerGroupDescribe, 1, asking)).groups
    expect(now.map(({ errorCode }) => errorCode)).toEqual([0, 24])
    expect(now[0]?.members[0]?.subscribedTopicRegex).toBe('')

    expect(await commitError(client, 9, 'a', 1)).toBe(113)
    expect(await commitError(client, 8, 'a', 2)).toBe(35)
    expect(await commitError(client, 9, 'nobody', 2)).toBe(25)
    expect(await commitError(client, 9, '', -1)).toBe(25)
    expect(await commitError(client, 9, 'a', 2)).toBe(0)
    await served.close()
    closers.length = 0

    const again = await serveBroker({}, served.environment.disk)
    closers.push(again.close)
    const later = await again.connect()
    const fetch = { groupId: 'shop', memberId: 'a', topics: null }
    const { groups: offsets } = await later.request(offsetFetch, 9, {
      groups: [
        { ...fetch, memberEpoch: 2 },
        { ...fetch, memberEpoch: 1 },
        { ...fetch, memberId: null, memberEpoch: -1 },
      ],
    })
    expect(offsets.map(({ errorCode, topics }) => [errorCode, topics?.length])).toEqual([
      [0, 1],
      [113, 0],
      [0, 1],
    ])
    const { groups } = await later.request(consumerGroupDescribe, 1, {
      groupIds: ['shop', 'none'],
      includeAuthorizedOperations: false,
    })
    expect(groups[0]).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
      assignorName: 'uniform',
    })
    expect(
      groups[0]?.members.map(({ memberId, memberEpoch, assignment }) => [memberId, memberEpoch, assignment]),
    ).toEqual([
      ['a', 2, { topicPartitions: [{ ...owning(served, [0, 1]).topicPartitions[0], topicName: 'orders' }] }],
      ['b', 2, { topicPartitions: [{ ...owning(served, [2]).topicPartitions[0], topicName: 'orders' }] }],
    ])
    expect(groups[1]?.errorCode).toBe(69)
    await again.environment.clock.advanceAsync(45_001)
    expect(
      (await later.request(consumerGroupHeartbeat, 1, { ...group, memberId: 'a', memberEpoch: 2 })).errorCode,
    ).toBe(25)
  })

  it('are listed and deleted as groups are, and described only as what they are', async () => {
    const served = await serve()
    const client = await served.connect()
    await client.request(consumerGroupHeartbeat, 1, joining('a'))
    expect((await client.request(listGroups, 5, { statesFilter: [], typesFilter: ['Consumer'] })).groups).toEqual([
      { groupId: 'shop', protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' },
    ])
    expect((await client.request(describeGroups, 6, { groups: ['shop'] })).groups[0]?.errorCode).toBe(69)
    const deletion = { groupsNames: ['shop'] }
    expect((await client.request(deleteGroups, 2, deletion)).results[0]?.errorCode).toBe(68)
    const members = [
      { memberId: 'a', groupInstanceId: null },
      { memberId: 'b', groupInstanceId: null },
    ]
    const left = await client.request(leaveGroup, 5, { ...group, members })
    expect(left.members.map((one) => one.errorCode)).toEqual([0, 25])
    expect((await client.request(deleteGroups, 2, deletion)).results[0]?.errorCode).toBe(0)
    expect(
      (await client.request(consumerGroupDescribe, 1, { groupIds: ['shop'], includeAuthorizedOperations: false }))
        .groups[0]?.errorCode,
    ).toBe(69)
    await served.close()
    closers.length = 0
    const again = await serveBroker({}, served.environment.disk)
    closers.push(again.close)
    expect(
      (await (await again.connect()).request(listGroups, 5, { statesFilter: [], typesFilter: [] })).groups,
    ).toEqual([])
  })

  it('take the name of an empty group of the classic protocol, and give it back when they are empty', async () => {
    const served = await serve()
    const client = await served.connect()
    const classic = (memberId: string) => ({
      ...group,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
    })
    const { memberId } = await client.request(joinGroup, 7, classic(''))
    const joined = client.request(joinGroup, 7, classic(memberId))
    for (let i = 0; i < 20; i++) await served.environment.timers.nextTurn()
    await served.environment.clock.advanceAsync(3_000)
    expect((await joined).errorCode).toBe(0)
    expect((await client.request(consumerGroupHeartbeat, 1, joining('a'))).errorCode).toBe(69)
    await client.request(leaveGroup, 4, { ...group, members: [{ memberId, groupInstanceId: null }] })
    expect((await client.request(consumerGroupHeartbeat, 1, joining('a'))).errorCode).toBe(0)
    expect((await client.request(joinGroup, 7, classic(memberId))).errorCode).toBe(23)
    const left = await client.request(consumerGroupHeartbeat, 1, { ...group, memberId: 'a', memberEpoch: -1 })
    expect(left).toMatchObject({ errorCode: 0, memberEpoch: -1, heartbeatIntervalMs: 0 })
    expect((await client.request(joinGroup, 7, classic(''))).errorCode).toBe(79)
  })

  it('refuse what Kafka refuses, and say why', async () => {
    const served = await serve()
    const client = await served.connect()
    const errorOf = async (body: Parameters<typeof client.request<typeof consumerGroupHeartbeat>>[2], version = 1) => {
      const { errorCode, errorMessage } = await client.request(consumerGroupHeartbeat, version, body)
      return `${errorCode} ${errorMessage}`
    }
    expect(await errorOf({ ...joining('') })).toBe("42 MemberId can't be empty.")
    expect(await errorOf({ ...joining('a'), groupId: '' })).toBe("42 GroupId can't be empty.")
    expect(await errorOf({ ...joining('a'), instanceId: '' })).toBe("42 InstanceId can't be empty.")
    expect(await errorOf({ ...joining('a'), rackId: '' })).toBe("42 RackId can't be empty.")
    expect(await errorOf({ ...joining('a'), rebalanceTimeoutMs: -1 })).toBe(
      '42 RebalanceTimeoutMs must be provided in first request.',
    )
    expect(await errorOf({ ...joining('a'), ...owning(served, [0]) })).toBe(
      '42 TopicPartitions must be empty when (re-)joining.',
    )
    expect(await errorOf({ ...joining('a'), subscribedTopicNames: null })).toBe(
      '42 Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    )
    expect(await errorOf({ ...group, memberId: 'a', memberEpoch: -2 })).toBe("42 InstanceId can't be null.")
    expect(await errorOf({ ...group, memberId: 'a', memberEpoch: -3 })).toBe('42 MemberEpoch is invalid.')
    expect(await errorOf({ ...joining('a'), serverAssignor: 'mine' })).toBe(
      '112 ServerAssignor mine is not supported. Supported assignors: uniform, range.',
    )
    expect(await errorOf({ ...joining('a'), subscribedTopicNames: null, subscribedTopicRegex: '(' })).toBe(
      '128 ( is not an expression of RE2.',
    )
    expect(await errorOf({ ...group, memberId: 'a', memberEpoch: 1 })).toMatch(/^69 /)
    const named = await client.request(consumerGroupHeartbeat, 0, joining(''))
    expect([named.errorCode, named.memberId?.length]).toEqual([0, 36])
  })
})
