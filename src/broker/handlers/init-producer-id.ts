import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { initProducerId } from '../protocol/messages/init-producer-id.ts'
import { fencedErrorCodeOf } from './fenced-error.ts'
import { type Handler, handlerOf } from './handler.ts'

/** Versions before this one do not know PRODUCER_FENCED. */
const firstVersionWithFenced = 4

/** InitProducerId 0-5: an id for an idempotent producer, or the producer of a transactional id, whoever had it before being shut out. */
export function handleInitProducerId(broker: Broker): Handler {
  return handlerOf(initProducerId, [0, 5], async (request, { apiVersion }) => {
    try {
      return { errorCode: 0, ...(await identify(broker, request)) }
    } catch (error) {
      const errorCode = fencedErrorCodeOf(error, apiVersion >= firstVersionWithFenced)
      return { errorCode, producerId: -1, producerEpoch: -1 }
    }
  })
}

async function identify(
  broker: Broker,
  { transactionalId, transactionTimeoutMs, producerId, producerEpoch }: RequestOf<typeof initProducerId>,
): Promise<Pick<ResponseOf<typeof initProducerId>, 'producerEpoch'> & { readonly producerId: number }> {
  if (transactionalId === null) return { producerId: await broker.producerIds.allocate(), producerEpoch: 0 }
  const expected = producerId < 0 ? {} : { expected: { producerId, producerEpoch } }
  return broker.transactions.initProducerId({ transactionalId, timeoutMs: transactionTimeoutMs, ...expected })
}
