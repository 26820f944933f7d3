import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { offsetDelete } from '../protocol/messages/offset-delete.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Request = RequestOf<typeof offsetDelete>
type Topics = ResponseOf<typeof offsetDelete>['topics']

/**
 * OffsetDelete 0: takes committed offsets away, of topics that no member of the group reads; those that wait for the end of a
 * transaction too. A group whose members are not consumers must have none.
 */
export function handleOffsetDelete(broker: Broker): Handler {
  return handlerOf(offsetDelete, [0, 0], async (request) => {
    const refusal = groupError(broker, request.groupId)
    if (refusal !== undefined) return { errorCode: codeOf(refusal), topics: [] }
    const errorOf = partitionErrors(broker, request)
    const free = request.topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ partitionIndex }) => errorOf(name, partitionIndex) === 'NONE')
        .map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
    )
    try {
      await broker.offsets.delete(request.groupId, free)
    } catch (error) {
      return { errorCode: codeOf(errorNameOf(error)), topics: [] }
    }
    return { errorCode: 0, topics: answer(request, errorOf) }
  })
}

function groupError(broker: Broker, groupId: string): KafkaError | undefined {
  if (groupId === '') return 'INVALID_GROUP_ID'
  if (broker.consumerGroups.get(groupId) !== undefined) return undefined
  const group = broker.groups.get(groupId)
  if (group === undefined) return broker.offsets.isUsedBy(groupId) ? undefined : 'GROUP_ID_NOT_FOUND'
  return group.state === 'Empty' || group.isOfConsumers ? undefined : 'NON_EMPTY_GROUP'
}

function partitionErrors(broker: Broker, { groupId }: Request): (topic: string, partition: number) => KafkaError {
  const group = broker.consumerGroups.get(groupId) ?? broker.groups.get(groupId)
  return (topic, partition) => {
    const count = broker.topics.get(topic)?.partitions ?? 0
    if (!(partition >= 0 && partition < count)) return 'UNKNOWN_TOPIC_OR_PARTITION'
    return group?.isSubscribedTo(topic) === true ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
  }
}

function answer({ topics }: Request, errorOf: (topic: string, partition: number) => KafkaError): Topics {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: codeOf(errorOf(name, partitionIndex)),
    })),
  }))
}
