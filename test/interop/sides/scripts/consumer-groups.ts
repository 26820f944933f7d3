import { consumerGroupDescribe } from '../../../../src/broker/protocol/messages/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../../../src/broker/protocol/messages/consumer-group-heartbeat.ts'
import { deleteGroups } from '../../../../src/broker/protocol/messages/delete-groups.ts'
import { listGroups } from '../../../../src/broker/protocol/messages/list-groups.ts'
import { offsetCommit } from '../../../../src/broker/protocol/messages/offset-commit.ts'
import { offsetFetch } from '../../../../src/broker/protocol/messages/offset-fetch.ts'
import { coordinatorIsThere, makeTopic, type Script } from '../script.ts'
import type { Side } from '../side.ts'

/** Groups whose assignments the broker makes (KIP-848): members come, share, go, and are fenced. */
export const consumerGroups: Script = {
  name: 'consumer-groups',
  run: async (side) => {
    await coordinatorIsThere(side, 0, 'k')
    await makeTopic(side, 'shared', 4)
    await topicIsKnown(side)
    await refuse(side)
    await share(side)
    await leave(side)
  },
}

/** As clients make them up. */
const [first, second] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg']

function beat(memberId: string, memberEpoch: number, more: Readonly<Record<string, unknown>> = {}) {
  const joining = { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['shared'], topicPartitions: [] }
  return { groupId: 'k', memberId, memberEpoch, ...(memberEpoch === 0 && joining), ...more }
}

/** The coordinator hears of a new topic later than others, which would raise the epoch of a group on the way. */
async function topicIsKnown(side: Side): Promise<void> {
  const probe = { groupId: 'probe' }
  await side.until(consumerGroupHeartbeat, 1, beat(first, 0, probe), ({ assignment }) => {
    return (assignment?.topicPartitions.length ?? 0) > 0
  })
  await side.until(consumerGroupHeartbeat, 1, beat(first, -1, probe), ({ errorCode }) => errorCode === 0)
  await side.until(deleteGroups, 2, { groupsNames: ['probe'] }, ({ results: [one] }) => one?.errorCode === 0)
}

async function refuse(side: Side): Promise<void> {
  const ask = (label: string, body: ReturnType<typeof beat>) => side.ask(label, consumerGroupHeartbeat, 1, body)
  await ask('without a group', beat(first, 0, { groupId: '' }))
  await ask('without an id', beat('', 0))
  await ask('without topics', beat(first, 0, { subscribedTopicNames: null }))
  await ask('without a time', beat(first, 0, { rebalanceTimeoutMs: -1 }))
  await ask('with partitions of its own', beat(first, 0, { topicPartitions: null }))
  await ask('with an assignor that there is not', beat(first, 0, { serverAssignor: 'best' }))
  await ask(
    'with an expression that is none',
    beat(first, 0, { subscribedTopicNames: null, subscribedTopicRegex: '(' }),
  )
  await ask('of a group that there is not', beat(first, 5, { groupId: 'nobody' }))
  await ask('in an epoch below all', beat(first, -3))
}

async function share(side: Side): Promise<void> {
  for (const version of [0, 1]) await side.ask('joins', consumerGroupHeartbeat, version, beat(first, 0))
  await side.ask('is somebody that there is not', consumerGroupHeartbeat, 1, beat(second, 1))
  await side.ask('is in an epoch to come', consumerGroupHeartbeat, 1, beat(first, 99))
  for (const version of [0, 1]) await side.ask('described', consumerGroupDescribe, version, asked('k', 'nobody', ''))
  const commit = (memberId: string, generationIdOrMemberEpoch: number) => ({
    groupId: 'k',
    memberId,
    generationIdOrMemberEpoch,
    topics: [{ name: 'shared', partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: '' }] }],
  })
  await side.ask('commits as somebody that there is not', offsetCommit, 9, commit(second, 1))
  await side.ask('commits in an epoch to come', offsetCommit, 9, commit(first, 99))
  await side.ask('commits from outside', offsetCommit, 9, commit('', -1))
  const topics = [{ name: 'shared', partitionIndexes: [0] }]
  const fetched = (memberId: string, memberEpoch: number) => ({
    groups: [{ groupId: 'k', memberId, memberEpoch, topics }],
  })
  await side.ask('offsets for somebody that there is not', offsetFetch, 9, fetched(second, 1))
  await side.ask('offsets in an epoch to come', offsetFetch, 9, fetched(first, 99))
  for (const version of [3, 4, 5]) await side.ask('listed', listGroups, version, {})
  await side.ask('those of its kind', listGroups, 5, { typesFilter: ['consumer'] })
}

async function leave(side: Side): Promise<void> {
  await side.ask('that have members', deleteGroups, 2, { groupsNames: ['k'] })
  await side.ask('leaves', consumerGroupHeartbeat, 1, beat(first, -1))
  await side.ask('leaves again', consumerGroupHeartbeat, 1, beat(first, -1))
  await side.ask('it is empty', consumerGroupDescribe, 1, asked('k'))
  await side.ask('a static member joins', consumerGroupHeartbeat, 1, beat(first, 0, { instanceId: 'i' }))
  await side.ask('another in its place', consumerGroupHeartbeat, 1, beat(second, 0, { instanceId: 'i' }))
  await side.ask('leaves for a while', consumerGroupHeartbeat, 1, beat(first, -2, { instanceId: 'i' }))
  await side.ask('another takes its place', consumerGroupHeartbeat, 1, beat(second, 0, { instanceId: 'i' }))
  await side.ask('the one before', consumerGroupHeartbeat, 1, beat(first, 1, { instanceId: 'i' }))
  await side.ask('leaves for good', consumerGroupHeartbeat, 1, beat(second, -1, { instanceId: 'i' }))
  await side.ask('that are empty', deleteGroups, 2, { groupsNames: ['k'] })
  await side.ask('it is gone', consumerGroupDescribe, 1, asked('k'))
}

const asked = (...groupIds: string[]) => ({ groupIds, includeAuthorizedOperations: false })
