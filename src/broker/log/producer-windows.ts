import { attributesOf, controlBit, producerEpochOf, producerIdOf } from '../../record/batch-format.ts'
import { type ProducerEntry, type SequencedBatch, sequencedBatch } from './producer-entry.ts'
import type { Segment } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'

/** What is looked through in front of a snapshot. */
const lookBackBytes = 1_048_576

/**
 * A snapshot has the last batch of each producer alone, and a producer may have five on their way: those before the last are
 * looked up in the log, so that they may be sent again after a restart too.
 */
export function completeWindows(
  entries: readonly ProducerEntry[],
  from: number,
  segments: readonly Segment[],
  buffer: Buffer,
): void {
  if (entries.length === 0) return
  const byId = new Map(entries.map((entry) => [entry.producerId, entry]))
  const found = new Map<ProducerEntry, SequencedBatch[]>()
  for (const { segment, position } of placesBefore(from, segments)) {
    const { file, damaged, allowsGaps } = segment
    const scanner = new SegmentScanner(file, {
      position,
      baseOffset: undefined,
      checksums: false,
      damaged,
      allowsGaps,
      buffer,
    })
    while (scanner.next() && scanner.lastOffset < from) {
      const bytes = scanner.batch()
      const entry = byId.get(producerIdOf(bytes, 0))
      if (entry === undefined || entry.producerEpoch !== producerEpochOf(bytes, 0)) continue
      if ((attributesOf(bytes, 0) & controlBit) !== 0) continue
      const batches = found.get(entry)
      if (batches === undefined) found.set(entry, [sequencedBatch(bytes, 0)])
      else batches.push(sequencedBatch(bytes, 0))
    }
  }
  for (const [entry, batches] of found) entry.precede(batches)
}

/** Where to begin in each of the last segments in front of an offset, oldest first. */
function placesBefore(from: number, segments: readonly Segment[]): { segment: Segment; position: number }[] {
  const places: { segment: Segment; position: number }[] = []
  let left = lookBackBytes
  for (let i = segments.length - 1; i >= 0 && left > 0; i--) {
    const segment = segments[i] as Segment
    if (segment.baseOffset >= from) continue
    const end = segment.nextOffset <= from ? segment.size : segment.positionOf(from)
    const position = end <= left ? 0 : (segment.index.positionsAbove(end - left).next().value ?? 0)
    places.unshift({ segment, position })
    left -= end - position
  }
  return places
}
