import type { Broker } from '../broker.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { electLeaders } from '../protocol/messages/elect-leaders.ts'
import { type Handler, handlerOf } from './handler.ts'

type Result = ResponseOf<typeof electLeaders>['replicaElectionResults'][number]
type PartitionResult = Result['partitionResult'][number]

/** Kinds of election: of the preferred replica, or of any (org.apache.kafka.common.ElectionType). */
const electionTypes: ReadonlySet<number> = new Set([0, 1])

/** ElectLeaders 0-2: there is one broker, which leads every partition: no election is needed. All partitions are asked for with null. */
export function handleElectLeaders(broker: Broker): Handler {
  return handlerOf(electLeaders, [0, 2], ({ electionType, topicPartitions }) => {
    if (!electionTypes.has(electionType)) return { errorCode: codeOf('INVALID_REQUEST'), replicaElectionResults: [] }
    // Of all partitions only those are told that would get a leader.
    const results: Result[] =
      topicPartitions === null
        ? broker.topics.list().map(({ name }) => ({ topic: name, partitionResult: [] }))
        : topicPartitions.map(({ topic, partitions }) => ({
            topic,
            partitionResult: partitions.map((partition) => elect(broker, topic, partition)),
          }))
    return { errorCode: 0, replicaElectionResults: results }
  })
}

function elect(broker: Broker, topic: string, partition: number): PartitionResult {
  const count = broker.topics.get(topic)?.partitions
  if (count === undefined) return refused(partition, 'UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${topic}`)
  if (partition >= 0 && partition < count) {
    return refused(partition, 'ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
  }
  return refused(partition, 'UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${topic}-${partition}`)
}

function refused(partitionId: number, error: KafkaError, errorMessage: string): PartitionResult {
  return { partitionId, errorCode: codeOf(error), errorMessage }
}
