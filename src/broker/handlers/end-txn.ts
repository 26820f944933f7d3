import type { Broker } from '../broker.ts'
import { endTxn } from '../protocol/messages/end-txn.ts'
import { fencedErrorCodeOf } from './fenced-error.ts'
import { type Handler, handlerOf } from './handler.ts'

/** Versions before this one do not know PRODUCER_FENCED. */
const firstVersionWithFenced = 2

/** EndTxn 0-4: commits or aborts; answered when the decision is durable. Version 5 belongs to the second protocol of transactions (KIP-890), which is not offered. */
export function handleEndTxn(broker: Broker): Handler {
  return handlerOf(
    endTxn,
    [0, 4],
    async ({ transactionalId, producerId, producerEpoch, committed }, { apiVersion }) => {
      try {
        const producer = { transactionalId, producerId, producerEpoch, version: 0 } as const
        await broker.transactions.end(producer, committed ? 'commit' : 'abort')
        return { errorCode: 0 }
      } catch (error) {
        return { errorCode: fencedErrorCodeOf(error, apiVersion >= firstVersionWithFenced) }
      }
    },
  )
}
