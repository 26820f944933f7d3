import { BatchBuilder } from '../../../src/record/batch-builder.ts'
import { type TransactionOutcome, transactionMarkerBatch } from '../../../src/record/control-record.ts'

export interface BatchOfProducer {
  readonly producerId: number
  readonly epoch?: number
  readonly sequence: number
  readonly records?: number
  readonly isTransactional?: boolean
  readonly timestamp?: number
}

/** A batch as a producer with an id sends it; the values say which records they are. */
export function produced(batch: BatchOfProducer): Buffer {
  const { producerId, epoch = 0, sequence, records = 1, isTransactional = false, timestamp = 1_000 } = batch
  const builder = new BatchBuilder()
  for (let i = 0; i < records; i++) {
    const value = Buffer.from(`${producerId}/${epoch}/${sequence + i}`)
    builder.append(timestamp, null, -1, -1, value, 0, value.length)
  }
  return Buffer.from(builder.finish({ producerId, producerEpoch: epoch, baseSequence: sequence, isTransactional }))
}

/** The end of a producer's transaction. */
export function marked(
  outcome: TransactionOutcome,
  producerId: number,
  producerEpoch = 0,
  coordinatorEpoch = 0,
): Buffer {
  return transactionMarkerBatch({ producerId, producerEpoch, outcome, coordinatorEpoch, timestamp: 2_000 })
}
