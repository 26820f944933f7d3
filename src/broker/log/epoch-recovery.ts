import type { Timers } from '../../env/environment.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { Segment } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'

/** The scan gives way to sockets and timers after this much. */
const sliceBytes = 8_388_608

export interface EpochRecovery {
  readonly segments: readonly Segment[]
  readonly logStartOffset: number
  /** From where on the file may lack something, because the last process was not closed in order. */
  readonly checkedFrom: number | undefined
  /** Where chunks of the files are read into. */
  readonly buffer: Buffer
  readonly timers: Timers
}

/** Brings the epochs of a log to its end, from their file and, where that may not be right, the batches. */
export async function openEpochs(epochs: LeaderEpochs, recovery: EpochRecovery): Promise<void> {
  const { segments, logStartOffset, checkedFrom } = recovery
  const isWhole = epochs.load() && epochs.reachesBackTo(logStartOffset)
  const from = isWhole ? checkedFrom : logStartOffset
  if (from !== undefined) await readEpochs(epochs, from, recovery)
  epochs.truncateEnd(segments.at(-1)?.nextOffset ?? 0)
  epochs.truncateStart(logStartOffset)
  // What was read of the batches must not be read again when the recovery point has passed them.
  epochs.save()
}

/** Reads the epochs of the batches from the offset on, whatever was known of them. */
async function readEpochs(epochs: LeaderEpochs, from: number, recovery: EpochRecovery): Promise<void> {
  const { segments, buffer, timers } = recovery
  epochs.truncateEnd(from)
  let bytes = 0
  for (const segment of segments) {
    if (segment.nextOffset <= from) continue
    const { damaged, allowsGaps } = segment
    const position = segment.positionOf(from)
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
