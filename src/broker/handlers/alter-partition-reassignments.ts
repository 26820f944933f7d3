import type { Broker } from '../broker.ts'
import type { RequestOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { alterPartitionReassignments } from '../protocol/messages/alter-partition-reassignments.ts'
import { assignmentError } from './assignment-error.ts'
import { type Handler, handlerOf } from './handler.ts'

type Asked = RequestOf<typeof alterPartitionReassignments>['topics'][number]['partitions'][number]

/** AlterPartitionReassignments 0-1: a partition can be moved to the one broker, on which it is, and nowhere else. */
export function handleAlterPartitionReassignments(broker: Broker): Handler {
  return handlerOf(alterPartitionReassignments, [0, 1], ({ allowReplicationFactorChange, topics }) => ({
    allowReplicationFactorChange,
    errorCode: 0,
    errorMessage: null,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((asked) => {
        const [error, errorMessage] = refusalOf(broker, name, asked) ?? ['NONE', null]
        return { partitionIndex: asked.partitionIndex, errorCode: codeOf(error), errorMessage }
      }),
    })),
  }))
}

function refusalOf(
  broker: Broker,
  topic: string,
  { partitionIndex, replicas }: Asked,
): readonly [error: KafkaError, message: string | null] | undefined {
  const count = broker.topics.get(topic)?.partitions
  if (count === undefined) return ['UNKNOWN_TOPIC_OR_PARTITION', `Unable to find a topic named ${topic}.`]
  if (!(partitionIndex >= 0 && partitionIndex < count)) {
    return ['UNKNOWN_TOPIC_OR_PARTITION', `Unable to find partition ${topic}:${partitionIndex}.`]
  }
  // No replicas stand for the end of a reassignment.
  if (replicas === null) return ['NO_REASSIGNMENT_IN_PROGRESS', null]
  const problem = assignmentError(broker, replicas)
  return problem === undefined ? undefined : ['INVALID_REPLICA_ASSIGNMENT', problem]
}
