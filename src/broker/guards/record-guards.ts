import { MillraceError } from '../../errors.ts'
import * as format from '../../record/batch-format.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { fetch } from '../protocol/messages/fetch.ts'
import { listOffsets } from '../protocol/messages/list-offsets.ts'
import { offsetForLeaderEpoch } from '../protocol/messages/offset-for-leader-epoch.ts'
import { produce } from '../protocol/messages/produce.ts'
import { type Guard, guardOf } from './guard.ts'
import { split } from './refusal.ts'

const topicRefused = codeOf('TOPIC_AUTHORIZATION_FAILED')
const nothing = Buffer.alloc(0)

/** Guards of those APIs that read and write records. */
export const recordGuards: readonly Guard[] = [
  guardOf(produce, ['WRITE TOPIC', 'WRITE TRANSACTIONAL_ID'], (request, may) => {
    const { transactionalId, topicData } = request
    // What counts is what the batches say, not what the request says of them (CVE-2018-17196).
    const isTransactional = topicData.some(({ partitionData }) =>
      partitionData.some(({ records }) => hasTransaction(records)),
    )
    const mayWrite = transactionalId !== null && may.has('WRITE TRANSACTIONAL_ID', transactionalId)
    const refuse = (topics: typeof topicData, errorCode: number) =>
      topics.map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
      }))
    const isRefused = isTransactional && !mayWrite
    if (request.acks === 0 && (isRefused || topicData.some(({ name }) => !may.has('WRITE TOPIC', name)))) {
      throw unheard()
    }
    if (isRefused) {
      return { answer: { responses: refuse(topicData, codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')) } }
    }
    const { allowed, refused } = split(topicData, ({ name }) => may.has('WRITE TOPIC', name))
    return {
      request: { ...request, topicData: allowed },
      complete: (response) => ({ ...response, responses: [...response.responses, ...refuse(refused, topicRefused)] }),
    }
  }),

  guardOf(fetch, ['READ TOPIC'], (request, may) => {
    const { allowed, refused } = split(request.topics, ({ topic }) => may.has('READ TOPIC', topic))
    const answers = refused.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({
        ...{ partitionIndex: partition, errorCode: topicRefused, highWatermark: -1 },
        ...{ abortedTransactions: null, records: nothing },
      })),
    }))
    return {
      // A client that is refused something is not left waiting for the rest.
      request: { ...request, topics: allowed, ...(refused.length > 0 && { maxWaitMs: 0 }) },
      complete: (response) => ({ ...response, responses: [...response.responses, ...answers] }),
    }
  }),

  guardOf(listOffsets, ['DESCRIBE TOPIC'], (request, may) => {
    const { allowed, refused } = split(request.topics, ({ name }) => may.has('DESCRIBE TOPIC', name))
    const answers = refused.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: topicRefused })),
    }))
    return {
      request: { ...request, topics: allowed },
      complete: (response) => ({ ...response, topics: [...response.topics, ...answers] }),
    }
  }),

  guardOf(offsetForLeaderEpoch, ['DESCRIBE TOPIC', 'CLUSTER_ACTION CLUSTER'], (request, may) => {
    const isBroker = may.has('CLUSTER_ACTION CLUSTER', 'kafka-cluster')
    const { allowed, refused } = split(request.topics, ({ topic }) => isBroker || may.has('DESCRIBE TOPIC', topic))
    const answers = refused.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode: topicRefused })),
    }))
    return {
      request: { ...request, topics: allowed },
      complete: (response) => ({ ...response, topics: [...response.topics, ...answers] }),
    }
  }),
]

/** Who wants no answers learns by the end of the connection that something was refused, as in Kafka. */
function unheard(): MillraceError {
  return new MillraceError('NOT_AUTHORIZED', 'A client appends with acks 0 what it may not', {
    remedy: 'Allow it to WRITE to the topic, and with its transactional id.',
  })
}

/** Whether any of the batches is of a transaction. What is no batch is refused when it is appended. */
function hasTransaction(records: Buffer | null): boolean {
  if (records === null) return false
  for (let at = 0; at + format.batchHeaderBytes <= records.length; ) {
    if ((format.attributesOf(records, at) & format.transactionalBit) !== 0) return true
    const size = format.batchSize(records, at)
    if (size < format.batchHeaderBytes) return false
    at += size
  }
  return false
}
