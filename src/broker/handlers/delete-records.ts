import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { deleteRecords } from '../protocol/messages/delete-records.ts'
import { isInternal } from '../topics.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

/** DeleteRecords 0-2: everything below an offset; -1 stands for all that readers may see. Not of topics that are only compacted, or the broker's own. */
export function handleDeleteRecords(broker: Broker): Handler {
  return handlerOf(deleteRecords, [0, 2], async ({ topics }) => ({
    topics: await Promise.all(
      topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(({ partitionIndex, offset }) => deleteBelow(broker, name, partitionIndex, offset)),
        ),
      })),
    ),
  }))
}

async function deleteBelow(broker: Broker, topic: string, partition: number, offset: number) {
  const failed = (errorCode: number) => ({ partitionIndex: partition, lowWatermark: -1, errorCode })
  try {
    const log = broker.servedLog(topic, partition)
    if (isInternal(topic)) return failed(codeOf('INVALID_TOPIC_EXCEPTION'))
    if (!log.settings.cleanupPolicy.includes('delete')) return failed(codeOf('POLICY_VIOLATION'))
    if (offset < -1) return failed(codeOf('OFFSET_OUT_OF_RANGE'))
    const [lowWatermark = -1] = await broker.deleteRecords([{ topic, partition, offset }])
    return { partitionIndex: partition, lowWatermark, errorCode: 0 }
  } catch (error) {
    return failed(errorCodeOf(error))
  }
}
