import {
  attributesOf,
  batchSize,
  controlBit,
  lastOffsetOf,
  producerIdOf,
  transactionalBit,
} from '../../record/batch-format.ts'
import { readTransactionMarker } from '../../record/control-record.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/**
 * Leaves out of whole batches, all of them decided, those of aborted transactions: what is kept is moved together within the
 * bytes. `aborted` are the aborted transactions of the range; control batches stay, as every reader passes over them.
 */
export function committedBatches(bytes: Buffer, aborted: readonly AbortedTransaction[]): Buffer {
  if (aborted.length === 0) return bytes
  const begun = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<number>()
  let next = 0
  let kept = 0
  for (let start = 0, size = 0; start < bytes.length; start += size) {
    size = batchSize(bytes, start)
    const lastOffset = lastOffsetOf(bytes, start)
    for (; next < begun.length && (begun[next] as AbortedTransaction).firstOffset <= lastOffset; next++) {
      aborting.add((begun[next] as AbortedTransaction).producerId)
    }
    if (isAborted(bytes, start, aborting)) continue
    if (kept !== start) bytes.copyWithin(kept, start, start + size)
    kept += size
  }
  return bytes.subarray(0, kept)
}

/** Whether the batch is of a transaction that was aborted; the marker that ends one takes its producer out of the set. */
function isAborted(bytes: Buffer, start: number, aborting: Set<number>): boolean {
  if (aborting.size === 0) return false
  const attributes = attributesOf(bytes, start)
  const producerId = producerIdOf(bytes, start)
  if ((attributes & controlBit) !== 0) {
    const marker = readTransactionMarker(bytes, start, start + batchSize(bytes, start))
    if (marker?.outcome === 'abort') aborting.delete(producerId)
    return false
  }
  return (attributes & transactionalBit) !== 0 && aborting.has(producerId)
}
