import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { zeroUuid } from '../protocol/field.ts'
import { describeTopicPartitions } from '../protocol/messages/describe-topic-partitions.ts'
import { type BrokerTopic, isInternal } from '../topics.ts'
import { type Handler, handlerOf } from './handler.ts'
import { topicNameProblem } from './topic-name-problem.ts'

type Request = RequestOf<typeof describeTopicPartitions>
type Response = ResponseOf<typeof describeTopicPartitions>
type TopicResponse = Response['topics'][number]

/** Kafka's `max.request.partition.size.limit`. */
const mostPartitions = 2_000

/**
 * DescribeTopicPartitions 0 (KIP-966): topics by name, or all of them, sorted, so many partitions at a time; a cursor says where the
 * next request goes on. Authorized operations are not listed.
 */
export function handleDescribeTopicPartitions(broker: Broker): Handler {
  return handlerOf(describeTopicPartitions, [0, 0], (request) => {
    if (!isCursorRight(request)) {
      return { topics: request.topics.map(({ name }) => failed(name, 'INVALID_REQUEST')), nextCursor: null }
    }
    return describeFrom(broker, request)
  })
}

function isCursorRight({ topics, cursor }: Request): boolean {
  if (cursor === null) return true
  const isNamed = topics.length === 0 || topics.some(({ name }) => name === cursor.topicName)
  return isNamed && cursor.partitionIndex >= 0
}

function describeFrom(broker: Broker, { topics, cursor, responsePartitionLimit }: Request): Response {
  const listsAll = topics.length === 0
  const names = listsAll ? broker.topics.list().map(({ name }) => name) : topics.map(({ name }) => name)
  const described: TopicResponse[] = []
  let left = Math.max(Math.min(mostPartitions, responsePartitionLimit), 1)
  for (const name of [...new Set(names)].sort()) {
    if (cursor !== null && name < cursor.topicName) continue
    if (left === 0) return { topics: described, nextCursor: { topicName: name, partitionIndex: 0 } }
    const topic = broker.topics.get(name)
    if (topic === undefined) {
      const error = topicNameProblem(name) === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'
      if (!listsAll) described.push(failed(name, error))
      continue
    }
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0
    const to = Math.min(topic.partitions, from + left)
    described.push(describe(broker, topic, from, to))
    if (to < topic.partitions) {
      return { topics: described, nextCursor: { topicName: name, partitionIndex: to } }
    }
    left -= Math.max(to - from, 0)
  }
  return { topics: described, nextCursor: null }
}

function describe(broker: Broker, { id, name }: BrokerTopic, from: number, to: number): TopicResponse {
  const { nodeId } = broker
  return {
    errorCode: 0,
    name,
    topicId: id,
    isInternal: isInternal(name),
    partitions: Array.from({ length: Math.max(to - from, 0) }, (_, i) => ({
      errorCode: 0,
      partitionIndex: from + i,
      leaderId: nodeId,
      leaderEpoch: broker.log(name, from + i).leaderEpoch,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })),
  }
}

function failed(name: string, error: KafkaError): TopicResponse {
  return { errorCode: codeOf(error), name, topicId: zeroUuid, isInternal: isInternal(name), partitions: [] }
}
