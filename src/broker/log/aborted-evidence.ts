import {
  attributesOf,
  baseOffsetOf,
  controlBit,
  lastOffsetOf,
  producerIdOf,
  transactionalBit,
} from '../../record/batch-format.ts'
import { readTransactionMarker } from '../../record/control-record.ts'
import { batchAt } from './batch-lookup.ts'
import type { Segment } from './segment.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/**
 * Whether a log holds what an index of aborted transactions says: the marker, and the batch that the transaction began with,
 * unless it was deleted or may have been compacted. The index has no checksum (Kafka's format); a wrong entry would show
 * readers of committed records what was aborted.
 */
export function isInLog(
  { producerId, firstOffset, lastOffset }: AbortedTransaction,
  segmentOf: (offset: number) => Segment,
): boolean {
  const marker = batchAt(lastOffset, segmentOf(lastOffset))
  if (marker === undefined || producerIdOf(marker, 0) !== producerId || lastOffsetOf(marker, 0) !== lastOffset)
    return false
  if ((attributesOf(marker, 0) & controlBit) === 0) return false
  if (readTransactionMarker(marker, 0, marker.length)?.outcome !== 'abort') return false
  const first = segmentOf(firstOffset)
  if (firstOffset < first.baseOffset || first.allowsGaps) return true
  const batch = batchAt(firstOffset, first)
  if (batch === undefined) return false
  const kind = attributesOf(batch, 0) & (transactionalBit | controlBit)
  return baseOffsetOf(batch, 0) === firstOffset && producerIdOf(batch, 0) === producerId && kind === transactionalBit
}
