import type { Disk, DiskFile } from '../../env/environment.ts'
import { baseOffsetOf, batchHeaderBytes, batchSize, lastOffsetOf } from '../../record/batch-format.ts'
import { checksumFault, headerFault } from './batch-check.ts'
import type { DamagedRange } from './damaged-range.ts'
import { OffsetIndex } from './offset-index.ts'
import type { Segment } from './segment.ts'

/** A batch that is not right, where it is and which offset was due there. */
export interface Damage {
  readonly position: number
  readonly offset: number
  readonly fault: string
}

/** What tells where a log goes on behind a damaged batch. */
export interface DamageSurroundings {
  readonly disk: Disk
  /** The base offset of the next segment; undefined for the last one. */
  readonly followedBy: number | undefined
  /** The log was on the device up to it. */
  readonly recoveryPoint: number
  /** Whether the log ended at the recovery point. */
  readonly endsAtRecoveryPoint: boolean
}

/**
 * Finds where a log goes on behind a batch that is damaged: where its length says, where the segment's index has a batch, or
 * with the next segment; a batch counts only where its checksum is right. The bytes between are not searched: records may
 * hold whole batches as values.
 */
export function rangeOf(damage: Damage, segment: Segment, surroundings: DamageSurroundings): DamagedRange {
  const { disk, followedBy, recoveryPoint, endsAtRecoveryPoint } = surroundings
  const { position, offset, fault } = damage
  const { path, file } = segment
  const fileSize = file.size()
  for (const endPosition of candidatesBehind(position, segment, disk, fileSize)) {
    const nextOffset = offsetOfBatchAt(file, endPosition, fileSize)
    if (nextOffset !== undefined && nextOffset > offset) {
      return { path, position, endPosition, offset, nextOffset, fault, isEndKnown: true }
    }
  }
  const rest = { path, position, endPosition: fileSize, offset, fault }
  if (followedBy !== undefined) return { ...rest, nextOffset: followedBy, isEndKnown: true }
  // The last batch of the log: its offsets are known where the log ended in order, or where its header agrees.
  const isEndKnown = recoveryPoint > offset && (endsAtRecoveryPoint || statedEnd(file, position) === recoveryPoint)
  return { ...rest, nextOffset: Math.max(recoveryPoint, offset), isEndKnown }
}

/** Where a batch may begin behind the position: as the damaged one's length says, and as the index on the disk does. */
function* candidatesBehind(position: number, segment: Segment, disk: Disk, fileSize: number): Generator<number> {
  const size = sizeAsStated(segment.file, position, fileSize)
  if (size !== undefined) yield position + size
  const index = new OffsetIndex(disk, segment.index.file.path, segment.baseOffset)
  index.load(fileSize)
  yield* index.positionsAbove(position)
}

function sizeAsStated(file: DiskFile, position: number, fileSize: number): number | undefined {
  const header = Buffer.alloc(batchHeaderBytes)
  if (file.read(header, position) < batchHeaderBytes) return undefined
  const size = batchSize(header, 0)
  return size >= batchHeaderBytes && position + size < fileSize ? size : undefined
}

/** The offset behind the last batch of a file, as its header says that ends with the file. */
function statedEnd(file: DiskFile, position: number): number | undefined {
  const header = Buffer.alloc(batchHeaderBytes)
  if (file.read(header, position) < batchHeaderBytes) return undefined
  const size = batchSize(header, 0)
  if (position + size !== file.size() || headerFault(header, 0, size, undefined) !== undefined) return undefined
  return lastOffsetOf(header, 0) + 1
}

/** The first offset of the batch at a position, where there is one that is whole and right. */
function offsetOfBatchAt(file: DiskFile, position: number, fileSize: number): number | undefined {
  const header = Buffer.alloc(batchHeaderBytes)
  if (file.read(header, position) < batchHeaderBytes) return undefined
  // The bytes are only taken when the header says that they are in the file.
  const size = batchSize(header, 0)
  if (size < batchHeaderBytes || position + size > fileSize) return undefined
  const batch = Buffer.allocUnsafeSlow(size)
  file.read(batch, position)
  if ((headerFault(batch, 0, size, undefined) ?? checksumFault(batch, 0)) !== undefined) return undefined
  return lastOffsetOf(batch, 0) < baseOffsetOf(batch, 0) ? undefined : baseOffsetOf(batch, 0)
}
