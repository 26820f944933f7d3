import type { Broker } from '../broker.ts'
import { offsetForLeaderEpoch } from '../protocol/messages/offset-for-leader-epoch.ts'
import { errorCodeOf } from './error-of.ts'
import { leaderEpochError } from './fetch.ts'
import { type Handler, handlerOf } from './handler.ts'

/** OffsetForLeaderEpoch 2-4: where the records of a leadership end, by which clients see whether what they have read still stands (KIP-320). */
export function handleOffsetForLeaderEpoch(broker: Broker): Handler {
  return handlerOf(offsetForLeaderEpoch, [2, 4], ({ topics }) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        try {
          const log = broker.servedLog(topic, partition)
          const errorCode = leaderEpochError(log, currentLeaderEpoch)
          if (errorCode !== undefined) return { partition, errorCode }
          const end = log.epochs.endOf(leaderEpoch, log.highWatermark)
          return { partition, errorCode: 0, leaderEpoch: end?.epoch ?? -1, endOffset: end?.endOffset ?? -1 }
        } catch (error) {
          return { partition, errorCode: errorCodeOf(error) }
        }
      }),
    })),
  }))
}
