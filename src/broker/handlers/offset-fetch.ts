import type { Broker } from '../broker.ts'
import type { OffsetCommitValue } from '../group/offset-commit-record.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { offsetFetch } from '../protocol/messages/offset-fetch.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'
import { fetchErrorOf } from './member-permission.ts'

type Group = RequestOf<typeof offsetFetch>['groups'][number]
type GroupResponse = NonNullable<ResponseOf<typeof offsetFetch>['groups']>[number]
type Asked = { readonly name: string; readonly partitionIndexes: readonly number[] }

/** OffsetFetch 1-9: what groups committed; -1 where nothing, without an error. No topics stand for all that the group has committed for. */
export function handleOffsetFetch(broker: Broker): Handler {
  return handlerOf(offsetFetch, [1, 9], ({ groupId, topics, groups, requireStable }, { apiVersion }) => {
    if (apiVersion >= 8) return { groups: groups.map((group) => askedBy(broker, group, requireStable)) }
    const { errorCode, topics: found } = committedBy(
      broker,
      { groupId, topics: topics as Group['topics'] },
      requireStable,
    )
    return { errorCode: errorCode ?? 0, topics: found ?? [] }
  })
}

/** For a member of the consumer protocol only in the epoch that it is in. */
function askedBy(broker: Broker, group: Group, requireStable: boolean): GroupResponse {
  const error = fetchErrorOf(broker, group)
  if (error !== 'NONE') return { groupId: group.groupId, errorCode: codeOf(error), topics: [] }
  return committedBy(broker, group, requireStable)
}

function committedBy(
  broker: Broker,
  { groupId, topics }: Pick<Group, 'groupId' | 'topics'>,
  requireStable: boolean,
): GroupResponse {
  if (groupId === '') return { groupId, errorCode: codeOf('INVALID_GROUP_ID'), topics: [] }
  const asked: readonly Asked[] = topics ?? broker.offsets.committedPartitions(groupId)
  const lookUp = requireStable ? stableOffset : committedOffset
  return {
    groupId,
    errorCode: 0,
    topics: asked.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) => ({
        partitionIndex: partition,
        ...lookUp(broker, groupId, name, partition),
      })),
    })),
  }
}

const nothing = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }

function committedOffset(broker: Broker, group: string, topic: string, partition: number): typeof nothing {
  return found(broker.offsets.committed(group, topic, partition))
}

/** An offset that an open transaction may change is not told: the client asks again. */
function stableOffset(broker: Broker, group: string, topic: string, partition: number): typeof nothing {
  try {
    return found(broker.offsets.stable(group, topic, partition))
  } catch (error) {
    return { ...nothing, errorCode: errorCodeOf(error) }
  }
}

function found(committed: OffsetCommitValue | undefined): typeof nothing {
  if (committed === undefined) return nothing
  return { ...nothing, committedOffset: committed.offset, metadata: committed.metadata }
}
