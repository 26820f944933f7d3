import type { Broker } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { firstOffsetSince, offsetOfLargestTimestamp } from '../log/time-lookup.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'

import { listOffsets } from '../protocol/messages/list-offsets.ts'
import { errorCodeOf } from './error-of.ts'
import { leaderEpochError } from './fetch.ts'
import { type Handler, handlerOf } from './handler.ts'

type PartitionRequest = RequestOf<typeof listOffsets>['topics'][number]['partitions'][number]
type PartitionResponse = ResponseOf<typeof listOffsets>['topics'][number]['partitions'][number]

/** Timestamps that stand for a place in the log (org.apache.kafka.common.requests.ListOffsetsRequest). */
const latest = -1
const earliest = -2
const maxTimestamp = -3
const earliestLocal = -4
/** All of the log is local: there is no offset up to which it lies elsewhere. */
const latestTiered = -5
const readCommitted = 1

/** ListOffsets 1-9: offsets by time, exact inside a batch, and the ends of logs; "latest" is the last stable offset for readers of committed records. */
export function handleListOffsets(broker: Broker): Handler {
  return handlerOf(listOffsets, [1, 9], ({ topics, isolationLevel }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((asked) => lookUp(broker, name, asked, isolationLevel)),
    })),
  }))
}

function lookUp(
  broker: Broker,
  topic: string,
  { partitionIndex, timestamp, currentLeaderEpoch }: PartitionRequest,
  isolation: number,
): PartitionResponse {
  try {
    const log = broker.servedLog(topic, partitionIndex)
    const epochError = leaderEpochError(log, currentLeaderEpoch)
    if (epochError !== undefined) return { partitionIndex, errorCode: epochError }
    const found = offsetAt(log, timestamp, isolation)
    const leaderEpoch = found.offset < 0 ? -1 : log.leaderEpoch
    return { partitionIndex, errorCode: 0, ...found, leaderEpoch }
  } catch (error) {
    return { partitionIndex, errorCode: errorCodeOf(error) }
  }
}

const none = { offset: -1, timestamp: -1 }

function offsetAt(log: PartitionLog, timestamp: number, isolation: number): { offset: number; timestamp: number } {
  switch (timestamp) {
    case latest:
      return { offset: isolation === readCommitted ? log.lastStableOffset : log.highWatermark, timestamp: -1 }
    case earliest:
    case earliestLocal:
      return { offset: log.logStartOffset, timestamp: -1 }
    case latestTiered:
      return none
    case maxTimestamp:
      return offsetOfLargestTimestamp(log) ?? none
    default: {
      const found = firstOffsetSince(log, timestamp)
      const below = isolation === readCommitted ? log.lastStableOffset : log.highWatermark
      return found === undefined || found.offset >= below ? none : found
    }
  }
}
