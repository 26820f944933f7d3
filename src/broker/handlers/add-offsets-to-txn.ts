import type { Broker } from '../broker.ts'
import { addOffsetsToTxn } from '../protocol/messages/add-offsets-to-txn.ts'
import { offsetsTopic } from '../topics.ts'
import { fencedErrorCodeOf } from './fenced-error.ts'
import { type Handler, handlerOf } from './handler.ts'

/** Versions before this one do not know PRODUCER_FENCED. */
const firstVersionWithFenced = 2

/** AddOffsetsToTxn 0-3: makes the offsets of a group part of a transaction. */
export function handleAddOffsetsToTxn(broker: Broker): Handler {
  return handlerOf(addOffsetsToTxn, [0, 3], async (request, { apiVersion }) => {
    const { transactionalId, producerId, producerEpoch, groupId } = request
    try {
      const partition = await broker.offsets.partitionFor(groupId)
      const producer = { transactionalId, producerId, producerEpoch, version: 0 } as const
      await broker.transactions.addPartitions(producer, [{ topic: offsetsTopic, partition }])
      return { errorCode: 0 }
    } catch (error) {
      return { errorCode: fencedErrorCodeOf(error, apiVersion >= firstVersionWithFenced) }
    }
  })
}
