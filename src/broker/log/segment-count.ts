import type { Segment } from './segment.ts'
import { SegmentScanner, scanChunkBytes } from './segment-scanner.ts'

/** Cuts a segment in front of the batch that holds the offset. */
export function truncateSegment(segment: Segment, offset: number): void {
  segment.truncateIndexes(offset)
  segment.cutIndexFiles()
  recount(segment, offset)
  segment.truncateToSize()
}

/** Counts the batches below the offset that are in the file, from the last one that the index knows. */
export function recount(segment: Segment, below: number): void {
  segment.restart()
  const scanner = new SegmentScanner(segment.file, {
    position: segment.size,
    baseOffset: undefined,
    checksums: false,
    damaged: segment.damaged,
    allowsGaps: segment.allowsGaps,
    buffer: Buffer.allocUnsafeSlow(Math.min(scanChunkBytes, Math.max(segment.file.size(), 1))),
  })
  while (scanner.next() && scanner.lastOffset < below) {
    segment.addBatch(scanner.lastOffset, scanner.size, scanner.maxTimestamp)
  }
}
