import type { Timers } from '../../env/environment.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { Segment } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'

/** The scan gives way to sockets and timers after this much. */
const sliceBytes = 8_388_608

/** Reads the epochs of the batches from the offset on, whatever was known of them. */
export async function recoverEpochs(
  epochs: LeaderEpochs,
  segments: readonly Segment[],
  from: number,
  buffer: Buffer,
  timers: Timers,
): Promise<void> {
  epochs.truncateEnd(from)
  let bytes = 0
  for (const segment of segments) {
    if (segment.nextOffset <= from) continue
    const { damaged, allowsGaps } = segment
    const position = segment.index.lookup(from)
    const options = { position, baseOffset: undefined, checksums: false, damaged, allowsGaps, buffer }
    const scanner = new SegmentScanner(segment.file, options)
    while (scanner.next()) {
      if (scanner.lastOffset >= from) epochs.note(scanner.leaderEpoch, scanner.baseOffset)
      bytes += scanner.size
      if (bytes < sliceBytes) continue
      bytes = 0
      await timers.nextTurn()
    }
  }
}
