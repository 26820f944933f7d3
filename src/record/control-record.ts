import { MillraceError } from '../errors.ts'
import { BatchBuilder } from './batch-builder.ts'
import { BatchReader } from './batch-reader.ts'

/** How a transaction ended: the type of its marker (org.apache.kafka.common.record.ControlRecordType: ABORT 0, COMMIT 1). */
export type TransactionOutcome = 'abort' | 'commit'

/**
 * The record that ends a producer's transaction in one partition (org.apache.kafka.common.record.EndTransactionMarker): a
 * batch of its own with the control bit, key `version int16, type int16`, value `version int16, coordinatorEpoch int32`.
 */
export interface TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly outcome: TransactionOutcome
  /** Which coordinator wrote it: markers of an older one are refused. */
  readonly coordinatorEpoch: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

const currentVersion = 0
const abortType = 0
const commitType = 1
const keyBytes = 4
const valueBytes = 6

/** The marker as a batch, owned by the caller. */
export function transactionMarkerBatch(marker: TransactionMarker): Buffer {
  const key = Buffer.alloc(keyBytes)
  key.writeInt16BE(currentVersion, 0)
  key.writeInt16BE(marker.outcome === 'commit' ? commitType : abortType, 2)
  const value = Buffer.alloc(valueBytes)
  value.writeInt16BE(currentVersion, 0)
  value.writeInt32BE(marker.coordinatorEpoch, 2)
  const builder = new BatchBuilder({ capacityBytes: 256 })
  builder.append(marker.timestamp, key, 0, keyBytes, value, 0, valueBytes)
  const { producerId, producerEpoch } = marker
  return builder.finish({ producerId, producerEpoch, isTransactional: true, isControl: true })
}

/**
 * The marker in the control batch at `start`; undefined where the batch was emptied by compaction, or holds a control
 * record that does not end a transaction, which readers pass over.
 * @throws MillraceError CORRUPT_BATCH
 */
export function readTransactionMarker(bytes: Buffer, start: number, end: number): TransactionMarker | undefined {
  const reader = new BatchReader({ verifiesChecksum: false })
  reader.reset(bytes, start, end)
  if (!reader.nextBatch() || !reader.next()) return undefined
  const outcome = outcomeOf(reader)
  if (outcome === undefined) return undefined
  if (reader.valueEnd - reader.valueStart < valueBytes || reader.valueStart < 0) throw damaged(reader)
  const { producerId, producerEpoch, timestamp } = reader
  const coordinatorEpoch = reader.bytes.readInt32BE(reader.valueStart + 2)
  return { producerId, producerEpoch, outcome, coordinatorEpoch, timestamp }
}

/** How the control record that a reader stands at ends a transaction; undefined where it is one of another kind. */
export function outcomeOf(reader: BatchReader): TransactionOutcome | undefined {
  const { bytes, keyStart, keyEnd } = reader
  if (keyStart < 0 || keyEnd - keyStart < keyBytes || bytes.readInt16BE(keyStart) < 0) throw damaged(reader)
  const type = bytes.readInt16BE(keyStart + 2)
  if (type === commitType) return 'commit'
  return type === abortType ? 'abort' : undefined
}

function damaged(reader: BatchReader): MillraceError {
  return new MillraceError('CORRUPT_BATCH', 'A control record is too short to say what it is', {
    at: { offset: reader.offset },
  })
}
