import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { offsetFetch } from '../protocol/messages/offset-fetch.ts'
import { type Handler, handlerOf } from './handler.ts'

type Group = RequestOf<typeof offsetFetch>['groups'][number]
type GroupResponse = NonNullable<ResponseOf<typeof offsetFetch>['groups']>[number]
type Asked = { readonly name: string; readonly partitionIndexes: readonly number[] }

/** OffsetFetch 1-9: what groups committed; -1 where nothing, without an error. No topics stand for all that the group has committed for. */
export function handleOffsetFetch(broker: Broker): Handler {
  return handlerOf(offsetFetch, [1, 9], ({ groupId, topics, groups }, { apiVersion }) => {
    if (apiVersion >= 8) return { groups: groups.map((group) => committedBy(broker, group)) }
    const { errorCode, topics: found } = committedBy(broker, { groupId, topics: topics as Group['topics'] })
    return { errorCode: errorCode ?? 0, topics: found ?? [] }
  })
}

function committedBy(broker: Broker, { groupId, topics }: Pick<Group, 'groupId' | 'topics'>): GroupResponse {
  if (groupId === '') return { groupId, errorCode: codeOf('INVALID_GROUP_ID'), topics: [] }
  const asked: readonly Asked[] = topics ?? broker.offsets.committedPartitions(groupId)
  return {
    groupId,
    errorCode: 0,
    topics: asked.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const committed = broker.offsets.committed(groupId, name, partitionIndex)
        const { offset, metadata } = committed ?? { offset: -1, metadata: '' }
        return { partitionIndex, committedOffset: offset, committedLeaderEpoch: -1, metadata, errorCode: 0 }
      }),
    })),
  }
}
