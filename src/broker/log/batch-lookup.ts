import type { Segment } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'

const bufferBytes = 16_384

/** The batch of a segment that holds the offset, or the first one behind it; undefined where there is none. */
export function batchAt(offset: number, segment: Segment): Buffer | undefined {
  const scanner = scannerFrom(segment.index.lookup(offset), segment)
  while (scanner.next()) if (scanner.lastOffset >= offset) return scanner.batch()
  return undefined
}

/** The offset after the last batch of a segment in front of the one that holds the offset. */
export function endBefore(offset: number, segment: Segment): number {
  let end = segment.baseOffset
  const scanner = scannerFrom(segment.index.lookup(offset - 1), segment)
  while (scanner.next() && scanner.lastOffset < offset) end = scanner.lastOffset + 1
  return end
}

function scannerFrom(position: number, { file, damaged, allowsGaps }: Segment): SegmentScanner {
  const buffer = Buffer.allocUnsafe(bufferBytes)
  return new SegmentScanner(file, { position, baseOffset: undefined, checksums: false, damaged, allowsGaps, buffer })
}
