import { transactionMarkerBatch } from '../../record/control-record.ts'
import type { Broker } from '../broker.ts'
import type { RequestOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { writeTxnMarkers } from '../protocol/messages/write-txn-markers.ts'
import { offsetsTopic, transactionsTopic } from '../topics.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Marker = RequestOf<typeof writeTxnMarkers>['markers'][number]

/**
 * WriteTxnMarkers 1: ends transactions in partitions, whatever their coordinator knows of them. It is how an administrator aborts
 * one that hangs (`kafka-transactions abort`).
 */
export function handleWriteTxnMarkers(broker: Broker): Handler {
  return handlerOf(writeTxnMarkers, [1, 1], async ({ markers }) => ({
    markers: await Promise.all(
      markers.map(async (marker) => ({
        producerId: marker.producerId,
        topics: await Promise.all(
          marker.topics.map(async ({ name, partitionIndexes }) => ({
            name,
            partitions: await Promise.all(
              partitionIndexes.map(async (partitionIndex) => ({
                partitionIndex,
                errorCode: await write(broker, marker, name, partitionIndex),
              })),
            ),
          })),
        ),
      })),
    ),
  }))
}

async function write(broker: Broker, marker: Marker, topic: string, partition: number): Promise<number> {
  const { producerId, producerEpoch, transactionResult, coordinatorEpoch } = marker
  try {
    // A marker without a producer would be one that nobody can read, and those of the coordinator's own log are none.
    if (producerId < 0 || producerEpoch < 0 || topic === transactionsTopic) return codeOf('INVALID_REQUEST')
    const log = broker.servedLog(topic, partition)
    const outcome = transactionResult ? 'commit' : 'abort'
    // Of the time of the records, as those that the coordinator writes.
    const timestamp = log.largestTimestamp < 0 ? broker.environment.clock.wallMs() : log.largestTimestamp
    const batch = transactionMarkerBatch({ producerId, producerEpoch, outcome, coordinatorEpoch, timestamp })
    log.append(batch, 'coordinator')
    await log.acknowledged()
    if (topic === offsetsTopic) broker.offsets.catchUp(partition)
    return 0
  } catch (error) {
    return errorCodeOf(error)
  }
}
