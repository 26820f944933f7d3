import type { Broker } from '../broker.ts'
import type { PartitionOffset } from '../group/offset-store.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { offsetCommit } from '../protocol/messages/offset-commit.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Topics = RequestOf<typeof offsetCommit>['topics']
type Response = ResponseOf<typeof offsetCommit>

/** Kafka's `offset.metadata.max.bytes`. */
const maxMetadataBytes = 4_096

/**
 * OffsetCommit 2-9: all offsets of a request whose partitions exist, in one batch of the log. A member commits in its
 * generation; a reader that is no member with generation -1, while the group has none. Leader epochs are not kept.
 */
export function handleOffsetCommit(broker: Broker): Handler {
  return handlerOf(offsetCommit, [2, 9], async (request) => {
    const { groupId, memberId, groupInstanceId, topics } = request
    if (groupId === '' && request.generationIdOrMemberEpoch >= 0)
      return answer(topics, () => codeOf('INVALID_GROUP_ID'))
    const identity = { memberId, instanceId: groupInstanceId, generation: request.generationIdOrMemberEpoch }
    const error = broker.groups.commitError(groupId, identity)
    if (error !== 'NONE') return answer(topics, () => codeOf(error))
    const errors = new Map<string, number>()
    const offsets = committable(broker, topics, errors)
    try {
      await broker.offsets.commit(groupId, offsets)
    } catch (failure) {
      const errorCode = errorCodeOf(failure)
      return answer(topics, () => errorCode)
    }
    return answer(topics, (topic, partition) => errors.get(`${topic}-${partition}`) ?? 0)
  })
}

function committable(broker: Broker, topics: Topics, errors: Map<string, number>): PartitionOffset[] {
  const offsets: PartitionOffset[] = []
  for (const { name: topic, partitions } of topics) {
    const count = broker.topics.get(topic)?.partitions ?? 0
    for (const { partitionIndex: partition, committedOffset: offset, committedMetadata } of partitions) {
      const metadata = committedMetadata ?? ''
      if (partition < 0 || partition >= count) errors.set(`${topic}-${partition}`, codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
      else if (Buffer.byteLength(metadata) > maxMetadataBytes)
        errors.set(`${topic}-${partition}`, codeOf('OFFSET_METADATA_TOO_LARGE'))
      else if (offset < 0) errors.set(`${topic}-${partition}`, codeOf('INVALID_COMMIT_OFFSET_SIZE'))
      else offsets.push({ topic, partition, offset, metadata })
    }
  }
  return offsets
}

function answer(topics: Topics, errorOf: (topic: string, partition: number) => number): Response {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOf(name, partitionIndex),
      })),
    })),
  }
}
