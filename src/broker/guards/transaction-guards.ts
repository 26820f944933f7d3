import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { addOffsetsToTxn } from '../protocol/messages/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../protocol/messages/add-partitions-to-txn.ts'
import { describeProducers } from '../protocol/messages/describe-producers.ts'
import { describeTransactions } from '../protocol/messages/describe-transactions.ts'
import { endTxn } from '../protocol/messages/end-txn.ts'
import { initProducerId } from '../protocol/messages/init-producer-id.ts'
import { listTransactions } from '../protocol/messages/list-transactions.ts'
import { txnOffsetCommit } from '../protocol/messages/txn-offset-commit.ts'
import { writeTxnMarkers } from '../protocol/messages/write-txn-markers.ts'
import { clusterName } from '../security/access-rule.ts'
import { type Guard, guardOf } from './guard.ts'
import { refusePartitions } from './offset-guards.ts'
import { refusal, split } from './refusal.ts'

const idRefused = codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
const groupRefused = codeOf('GROUP_AUTHORIZATION_FAILED')
const topicRefused = codeOf('TOPIC_AUTHORIZATION_FAILED')

type Partitions = RequestOf<typeof addPartitionsToTxn>['v3AndBelowTopics']

/** Guards of those APIs that make transactions and tell of them. */
export const transactionGuards: readonly Guard[] = [
  guardOf(
    initProducerId,
    ['WRITE TRANSACTIONAL_ID', 'IDEMPOTENT_WRITE CLUSTER', 'WRITE TOPIC'],
    (request, may, { apiVersion }) => {
      const { transactionalId } = request
      if (transactionalId !== null) {
        if (may.has('WRITE TRANSACTIONAL_ID', transactionalId)) return { request }
        return {
          answer: refusal(initProducerId, apiVersion, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', { producerEpoch: -1 }),
        }
      }
      // Who may write anywhere may do so once.
      if (may.has('IDEMPOTENT_WRITE CLUSTER', clusterName) || may.hasForSome('WRITE TOPIC')) return { request }
      return { answer: refusal(initProducerId, apiVersion, 'CLUSTER_AUTHORIZATION_FAILED', { producerEpoch: -1 }) }
    },
  ),

  guardOf(
    addPartitionsToTxn,
    ['WRITE TRANSACTIONAL_ID', 'WRITE TOPIC', 'CLUSTER_ACTION CLUSTER'],
    (request, may, { apiVersion }) => {
      // From version 4 on brokers alone send it, for others.
      if (apiVersion >= 4) {
        if (may.has('CLUSTER_ACTION CLUSTER', clusterName)) return { request }
        return { answer: refusal(addPartitionsToTxn, apiVersion, 'CLUSTER_AUTHORIZATION_FAILED') }
      }
      const topics = request.v3AndBelowTopics
      const isAllowed = (name: string) => may.has('WRITE TOPIC', name)
      if (!may.has('WRITE TRANSACTIONAL_ID', request.v3AndBelowTransactionalId)) {
        return { answer: { resultsByTopicV3AndBelow: addedAs(topics, () => idRefused) } }
      }
      if (topics.every(({ name }) => isAllowed(name))) return { request }
      // All or none: those that could be added are not tried.
      const notTried = codeOf('OPERATION_NOT_ATTEMPTED')
      return {
        answer: { resultsByTopicV3AndBelow: addedAs(topics, (name) => (isAllowed(name) ? notTried : topicRefused)) },
      }
    },
  ),

  guardOf(addOffsetsToTxn, ['WRITE TRANSACTIONAL_ID', 'READ GROUP'], (request, may) => {
    if (!may.has('WRITE TRANSACTIONAL_ID', request.transactionalId)) return { answer: { errorCode: idRefused } }
    return may.has('READ GROUP', request.groupId) ? { request } : { answer: { errorCode: groupRefused } }
  }),

  guardOf(endTxn, ['WRITE TRANSACTIONAL_ID'], (request, may, { apiVersion }) => {
    if (may.has('WRITE TRANSACTIONAL_ID', request.transactionalId)) return { request }
    return { answer: refusal(endTxn, apiVersion, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED') }
  }),

  guardOf(txnOffsetCommit, ['WRITE TRANSACTIONAL_ID', 'READ GROUP', 'READ TOPIC'], (request, may) => {
    const { transactionalId, groupId, topics } = request
    if (!may.has('WRITE TRANSACTIONAL_ID', transactionalId))
      return { answer: { topics: refusePartitions(topics, idRefused) } }
    if (!may.has('READ GROUP', groupId)) return { answer: { topics: refusePartitions(topics, groupRefused) } }
    const { allowed, refused } = split(topics, ({ name }) => may.has('READ TOPIC', name))
    return {
      request: { ...request, topics: allowed },
      complete: (response) => ({
        ...response,
        topics: [...response.topics, ...refusePartitions(refused, topicRefused)],
      }),
    }
  }),

  guardOf(writeTxnMarkers, ['CLUSTER_ACTION CLUSTER', 'ALTER CLUSTER'], (request, may) => {
    if (may.has('ALTER CLUSTER', clusterName) || may.has('CLUSTER_ACTION CLUSTER', clusterName)) return { request }
    const errorCode = codeOf('CLUSTER_AUTHORIZATION_FAILED')
    const markers = request.markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    }))
    return { answer: { markers } }
  }),

  guardOf(describeProducers, ['READ TOPIC'], (request, may) => {
    const { allowed, refused } = split(request.topics, ({ name }) => may.has('READ TOPIC', name))
    const answers = refused.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        errorCode: topicRefused,
        activeProducers: [],
      })),
    }))
    return {
      request: { ...request, topics: allowed },
      complete: (response) => ({ ...response, topics: [...response.topics, ...answers] }),
    }
  }),

  guardOf(describeTransactions, ['DESCRIBE TRANSACTIONAL_ID', 'DESCRIBE TOPIC'], (request, may) => {
    const { allowed, refused } = split(request.transactionalIds, (id) => may.has('DESCRIBE TRANSACTIONAL_ID', id))
    const nothing = {
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0,
      producerId: 0,
      producerEpoch: 0,
    }
    const answers = refused.map((transactionalId) => ({
      errorCode: idRefused,
      transactionalId,
      ...nothing,
      topics: [],
    }))
    const complete = (response: ResponseOf<typeof describeTransactions>) => {
      const seen = response.transactionStates.map((state) => ({
        ...state,
        topics: state.topics.filter(({ topic }) => may.has('DESCRIBE TOPIC', topic)),
      }))
      return { ...response, transactionStates: [...seen, ...answers] }
    }
    return { request: { ...request, transactionalIds: allowed }, complete }
  }),

  guardOf(listTransactions, ['DESCRIBE TRANSACTIONAL_ID'], (request, may) => ({
    request,
    complete: (response) => ({
      ...response,
      transactionStates: response.transactionStates.filter(({ transactionalId }) =>
        may.has('DESCRIBE TRANSACTIONAL_ID', transactionalId),
      ),
    }),
  })),
]

function addedAs(topics: Partitions, errorOf: (name: string) => number) {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorOf(name) })),
  }))
}
