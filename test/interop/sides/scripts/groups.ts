import { deleteGroups } from '../../../../src/broker/protocol/messages/delete-groups.ts'
import { describeGroups } from '../../../../src/broker/protocol/messages/describe-groups.ts'
import { findCoordinator } from '../../../../src/broker/protocol/messages/find-coordinator.ts'
import { heartbeat } from '../../../../src/broker/protocol/messages/heartbeat.ts'
import { joinGroup } from '../../../../src/broker/protocol/messages/join-group.ts'
import { leaveGroup } from '../../../../src/broker/protocol/messages/leave-group.ts'
import { listGroups } from '../../../../src/broker/protocol/messages/list-groups.ts'
import { offsetCommit } from '../../../../src/broker/protocol/messages/offset-commit.ts'
import { offsetDelete } from '../../../../src/broker/protocol/messages/offset-delete.ts'
import { offsetFetch } from '../../../../src/broker/protocol/messages/offset-fetch.ts'
import { syncGroup } from '../../../../src/broker/protocol/messages/sync-group.ts'
import { coordinatorIsThere, makeTopic, type Script } from '../script.ts'
import type { Side } from '../side.ts'

/** Classic groups: members come, share, go; offsets are committed, read and deleted. */
export const groups: Script = {
  name: 'groups',
  run: async (side) => {
    await coordinatorIsThere(side, 0, 'g')
    await makeTopic(side, 'read', 2)
    await coordinate(side)
    await refuse(side)
    const memberId = await form(side)
    await commit(side, memberId)
    await look(side)
    await leave(side, memberId)
    await remove(side)
  },
}

const range = { protocolType: 'consumer', protocolName: 'range' }
const protocols = (...names: string[]) => names.map((name) => ({ name, metadata: Buffer.from(name) }))

function joining(
  memberId = '',
  more: {
    groupId?: string
    sessionTimeoutMs?: number
    protocolType?: string
    names?: string[]
    instance?: string
  } = {},
) {
  const { groupId = 'g', sessionTimeoutMs = 30_000, protocolType = 'consumer', names = ['range'] } = more
  const groupInstanceId = more.instance ?? null
  return {
    groupId,
    sessionTimeoutMs,
    rebalanceTimeoutMs: 30_000,
    memberId,
    groupInstanceId,
    protocolType,
    protocols: protocols(...names),
  }
}

async function coordinate(side: Side): Promise<void> {
  for (const version of [0, 1, 2, 3]) await side.ask('who coordinates a group', findCoordinator, version, { key: 'g' })
  await side.ask('who coordinates groups', findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g', 'h'] })
  await side.ask('who coordinates something else', findCoordinator, 3, { key: 'g', keyType: 9 })
}

async function refuse(side: Side): Promise<void> {
  await side.ask('without a group', joinGroup, 5, joining('', { groupId: '' }))
  await side.ask('with too short a time', joinGroup, 5, joining('', { sessionTimeoutMs: 1 }))
  await side.ask('with too long a time', joinGroup, 5, joining('', { sessionTimeoutMs: 100_000_000 }))
  await side.ask('as a member that there is not', joinGroup, 5, joining('somebody'))
  await side.ask('without protocols', joinGroup, 5, joining('', { names: [] }))
  await side.ask('without a type', joinGroup, 5, joining('', { protocolType: '' }))
  await side.ask('of a group that there is not', heartbeat, 4, { groupId: 'nobody', generationId: 1, memberId: 'm' })
  await side.ask('of a group that there is not', syncGroup, 4, {
    groupId: 'nobody',
    generationId: 1,
    memberId: 'm',
    assignments: [],
  })
  await side.ask('of a group that there is not', leaveGroup, 4, { groupId: 'nobody', members: [{ memberId: 'm' }] })
}

/** A group of one, which has got its assignment. */
async function form(side: Side): Promise<string> {
  const { memberId } = await side.ask('is given an id', joinGroup, 5, joining())
  const { generationId } = await side.ask('joins', joinGroup, 5, joining(memberId, { names: ['range', 'sticky'] }))
  const assignments = [{ memberId, assignment: Buffer.from('all') }]
  const sync = { groupId: 'g', generationId, memberId, assignments }
  await side.ask('before it has synced', heartbeat, 4, { groupId: 'g', generationId, memberId })
  await side.ask('of another generation', syncGroup, 4, { ...sync, generationId: generationId + 1 })
  await side.ask('of another protocol', syncGroup, 5, { ...sync, protocolType: 'consumer', protocolName: 'other' })
  await side.ask('of another type', syncGroup, 5, { ...sync, protocolType: 'other', protocolName: 'range' })
  for (const version of [0, 3, 5])
    await side.ask('syncs', syncGroup, version, {
      ...sync,
      ...(version === 5 && { protocolType: 'consumer', protocolName: 'range' }),
    })
  for (const version of [0, 3, 4]) await side.ask('lives', heartbeat, version, { groupId: 'g', generationId, memberId })
  await side.ask('lives in another generation', heartbeat, 4, {
    groupId: 'g',
    generationId: generationId + 1,
    memberId,
  })
  await side.ask('is somebody else', heartbeat, 4, { groupId: 'g', generationId, memberId: 'else' })
  await side.ask('has no protocol in common', joinGroup, 5, joining('', { names: ['other'] }))
  await side.ask('has another type', joinGroup, 5, joining('', { protocolType: 'connect' }))
  return memberId
}

function committing(
  more: {
    groupId?: string
    generation?: number
    memberId?: string
    topic?: string
    partition?: number
    metadata?: string | null
  } = {},
) {
  const { groupId = 'g', generation = -1, memberId = '', topic = 'read', partition = 0, metadata = 'm' } = more
  const partitions = [{ partitionIndex: partition, committedOffset: 5, committedMetadata: metadata }]
  return { groupId, generationIdOrMemberEpoch: generation, memberId, topics: [{ name: topic, partitions }] }
}

async function commit(side: Side, memberId: string): Promise<void> {
  for (const version of [2, 5, 6, 7, 8, 9])
    await side.ask('as a member', offsetCommit, version, committing({ generation: 1, memberId }))
  await side.ask('as nobody', offsetCommit, 8, committing())
  await side.ask('as somebody else', offsetCommit, 8, committing({ generation: 1, memberId: 'else' }))
  await side.ask('in another generation', offsetCommit, 8, committing({ generation: 7, memberId }))
  await side.ask(
    'of a topic that there is not',
    offsetCommit,
    8,
    committing({ generation: 1, memberId, topic: 'nobody' }),
  )
  await side.ask(
    'of a partition that there is not',
    offsetCommit,
    8,
    committing({ generation: 1, memberId, partition: 9 }),
  )
  await side.ask(
    'with too much beside it',
    offsetCommit,
    8,
    committing({ generation: 1, memberId, metadata: 'x'.repeat(5_000) }),
  )
  await side.ask(
    'with nothing beside it',
    offsetCommit,
    8,
    committing({ generation: 1, memberId, partition: 1, metadata: null }),
  )
  await side.ask(
    'of a group that there is not, by a member',
    offsetCommit,
    8,
    committing({ groupId: 'new', generation: 1, memberId: 'm' }),
  )
  await side.ask('of a group that there is not', offsetCommit, 8, committing({ groupId: 'simple' }))
}

async function look(side: Side): Promise<void> {
  const of = (groupId: string, topic = 'read', ...partitionIndexes: number[]) => ({
    groupId,
    topics: [{ name: topic, partitionIndexes }],
  })
  for (const version of [1, 2, 3, 5, 6, 7])
    await side.ask('what is committed', offsetFetch, version, of('g', 'read', 0, 1, 7))
  await side.ask('all of it', offsetFetch, 7, { groupId: 'g', topics: null })
  await side.ask('nothing of it', offsetFetch, 7, { groupId: 'g', topics: [] })
  await side.ask('of a topic that there is not', offsetFetch, 7, of('g', 'nobody', 0))
  await side.ask('of a group that there is not', offsetFetch, 7, of('nobody', 'read', 0))
  for (const version of [8, 9]) {
    const [one, all] = [
      { groupId: 'g', topics: [{ name: 'read', partitionIndexes: [0] }] },
      { groupId: 'simple', topics: null },
    ]
    await side.ask('of two groups', offsetFetch, version, { groups: [one, all, { groupId: 'nobody', topics: null }] })
  }
  for (const version of [0, 3, 5, 6])
    await side.ask('groups', describeGroups, version, { groups: ['g', 'simple', 'nobody'] })
  for (const version of [0, 3, 4, 5]) await side.ask('groups', listGroups, version, {})
  await side.ask('those that are stable', listGroups, 4, { statesFilter: ['Stable'] })
  await side.ask('those that are not', listGroups, 4, { statesFilter: ['Empty', 'Dead'] })
  await side.ask('those of a kind', listGroups, 5, { typesFilter: ['classic'] })
  await side.ask('those of no kind', listGroups, 5, { typesFilter: ['nonsense'] })
}

async function leave(side: Side, memberId: string): Promise<void> {
  const forget = (groupId: string, name = 'read', partitionIndex = 0) => ({
    groupId,
    topics: [{ name, partitions: [{ partitionIndex }] }],
  })
  await side.ask('of a group that reads something else', offsetDelete, 0, forget('g'))
  await side.ask('of a group that is simple', offsetDelete, 0, forget('simple'))
  await side.ask('of one again', offsetDelete, 0, forget('simple'))
  await side.ask('of a topic that there is not', offsetDelete, 0, forget('simple', 'nobody'))
  await side.ask('of a group that there is not', offsetDelete, 0, forget('nobody'))
  await side.ask('that have members', deleteGroups, 2, { groupsNames: ['g'] })
  await side.ask('one that is not there', leaveGroup, 4, { groupId: 'g', members: [{ memberId: 'else' }] })
  await side.ask('one by an instance that there is not', leaveGroup, 4, {
    groupId: 'g',
    members: [{ memberId: '', groupInstanceId: 'i' }],
  })
  await side.ask('the one', leaveGroup, 4, { groupId: 'g', members: [{ memberId }] })
  await side.ask('the one again', leaveGroup, 1, { groupId: 'g', memberId })
  await side.ask('it is empty', describeGroups, 5, { groups: ['g'] })
  await beStatic(side)
}

async function beStatic(side: Side): Promise<void> {
  const join = (label: string, memberId: string) =>
    side.ask(label, joinGroup, 5, joining(memberId, { groupId: 's', instance: 'one' }))
  const first = await join('a static member', '')
  const sync = {
    groupId: 's',
    generationId: first.generationId,
    memberId: first.memberId,
    groupInstanceId: 'one',
    ...range,
  }
  await side.ask('syncs without its protocol', syncGroup, 5, { ...sync, protocolName: null, assignments: [] })
  await side.ask('syncs', syncGroup, 5, {
    ...sync,
    assignments: [{ memberId: first.memberId, assignment: Buffer.from('all') }],
  })
  await join('the same one, started again', '')
  await side.ask('the one before', heartbeat, 4, {
    groupId: 's',
    generationId: first.generationId,
    memberId: first.memberId,
    groupInstanceId: 'one',
  })
  await side.ask('another instance', heartbeat, 4, {
    groupId: 's',
    generationId: first.generationId,
    memberId: first.memberId,
    groupInstanceId: 'two',
  })
  await side.ask('by its instance', leaveGroup, 4, {
    groupId: 's',
    members: [{ memberId: '', groupInstanceId: 'one' }],
  })
}

async function remove(side: Side): Promise<void> {
  for (const version of [0, 1])
    await side.ask('that there are not', deleteGroups, version, { groupsNames: ['nobody', ''] })
  await side.ask('that are empty', deleteGroups, 2, { groupsNames: ['g', 's', 'simple'] })
  await side.ask('again', deleteGroups, 2, { groupsNames: ['g'] })
  await side.ask('they are gone', describeGroups, 5, { groups: ['g'] })
  await side.ask('without a group', offsetCommit, 8, committing({ groupId: '' }))
}
