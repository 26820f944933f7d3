import type { Broker } from '../broker.ts'
import type { ProducerEntry } from '../log/producer-entry.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeProducers } from '../protocol/messages/describe-producers.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'
import { topicNameProblem } from './topic-name-problem.ts'

type Partition = ResponseOf<typeof describeProducers>['topics'][number]['partitions'][number]

/** DescribeProducers 0: what partitions know of idempotent and transactional producers. */
export function handleDescribeProducers(broker: Broker): Handler {
  return handlerOf(describeProducers, [0, 0], ({ topics }) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => describe(broker, name, partitionIndex)),
    })),
  }))
}

function describe(broker: Broker, topic: string, partitionIndex: number): Partition {
  const problem = topicNameProblem(topic)
  if (problem !== undefined) {
    return failed(partitionIndex, codeOf('INVALID_TOPIC_EXCEPTION'), problem)
  }
  try {
    const { producers } = broker.servedLog(topic, partitionIndex)
    const activeProducers = [...producers.entries()].map(producerOf)
    return { partitionIndex, errorCode: 0, errorMessage: null, activeProducers }
  } catch (error) {
    return failed(partitionIndex, errorCodeOf(error), null)
  }
}

function producerOf(entry: ProducerEntry): Partition['activeProducers'][number] {
  const { producerId, producerEpoch, lastSequence, lastTimestamp, coordinatorEpoch, transactionStart } = entry
  return {
    producerId,
    producerEpoch,
    lastSequence,
    lastTimestamp,
    coordinatorEpoch,
    currentTxnStartOffset: transactionStart,
  }
}

function failed(partitionIndex: number, errorCode: number, errorMessage: string | null): Partition {
  return { partitionIndex, errorCode, errorMessage, activeProducers: [] }
}
