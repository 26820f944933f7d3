import type { Broker } from '../broker.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeTransactions } from '../protocol/messages/describe-transactions.ts'
import type { TransactionPartition } from '../transaction/transaction.ts'
import { type Handler, handlerOf } from './handler.ts'

type Described = ResponseOf<typeof describeTransactions>['transactionStates'][number]

/** DescribeTransactions 0: what the coordinator knows of transactional ids. */
export function handleDescribeTransactions(broker: Broker): Handler {
  return handlerOf(describeTransactions, [0, 0], ({ transactionalIds }) => ({
    transactionStates: transactionalIds.map((id) => describe(broker, id)),
  }))
}

function describe(broker: Broker, transactionalId: string): Described {
  if (transactionalId === '') return failed(transactionalId, codeOf('INVALID_REQUEST'))
  const state = broker.transactions.get(transactionalId)
  if (state === undefined) return failed(transactionalId, codeOf('TRANSACTIONAL_ID_NOT_FOUND'))
  return {
    errorCode: 0,
    transactionalId,
    transactionState: state.status,
    transactionTimeoutMs: state.timeoutMs,
    transactionStartTimeMs: state.startedMs,
    producerId: state.producerId,
    producerEpoch: state.producerEpoch,
    topics: byTopic(state.partitions),
  }
}

function byTopic(partitions: readonly TransactionPartition[]): Described['topics'] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, some]) => ({
    topic,
    partitions: some.map(({ partition }) => partition),
  }))
}

function failed(transactionalId: string, errorCode: number): Described {
  const nothing = { transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0, topics: [] }
  return { errorCode, transactionalId, ...nothing, producerId: 0, producerEpoch: 0 }
}
