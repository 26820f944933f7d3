import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { addPartitionsToTxn } from '../protocol/messages/add-partitions-to-txn.ts'
import { transactionsTopic } from '../topics.ts'
import { fencedErrorCodeOf } from './fenced-error.ts'
import { type Handler, handlerOf } from './handler.ts'

type Topics = RequestOf<typeof addPartitionsToTxn>['v3AndBelowTopics']
type Response = ResponseOf<typeof addPartitionsToTxn>

/** Versions before this one do not know PRODUCER_FENCED. */
const firstVersionWithFenced = 2

/**
 * AddPartitionsToTxn 0-3: makes partitions part of a transaction, all of them or, where one does not exist, none. The coordinator's
 * own log is none that exists here. Version 4,
 * by which brokers ask each other, is not served: there is one broker.
 */
export function handleAddPartitionsToTxn(broker: Broker): Handler {
  return handlerOf(addPartitionsToTxn, [0, 3], async (request, { apiVersion }) => {
    const { v3AndBelowTopics: topics, v3AndBelowTransactionalId: transactionalId } = request
    const { v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch } = request
    const exists = (topic: string, partition: number) =>
      topic !== transactionsTopic && partition >= 0 && partition < (broker.topics.get(topic)?.partitions ?? 0)
    if (topics.some(({ name, partitions }) => partitions.some((partition) => !exists(name, partition)))) {
      return answer(topics, (topic, partition) =>
        codeOf(exists(topic, partition) ? 'OPERATION_NOT_ATTEMPTED' : 'UNKNOWN_TOPIC_OR_PARTITION'),
      )
    }
    const added = topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })))
    try {
      await broker.transactions.addPartitions({ transactionalId, producerId, producerEpoch, version: 0 }, added)
      return answer(topics, () => 0)
    } catch (error) {
      const errorCode = fencedErrorCodeOf(error, apiVersion >= firstVersionWithFenced)
      return answer(topics, () => errorCode)
    }
  })
}

function answer(topics: Topics, errorOf: (topic: string, partition: number) => number): Response {
  return {
    resultsByTopicV3AndBelow: topics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: errorOf(name, partitionIndex),
      })),
    })),
  }
}
