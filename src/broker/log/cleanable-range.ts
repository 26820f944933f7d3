import type { PartitionLog } from './partition-log.ts'
import type { Segment } from './segment.ts'

/** What of a log can be compacted now. */
export interface CleanableRange {
  /** Below it keys are there once already. */
  readonly firstDirtyOffset: number
  /** Where the first segment begins that must be left alone. */
  readonly endOffset: number
  /** How much of what is below the end is dirty: 0 to 1. */
  readonly dirtyRatio: number
  /** Whether it is time, by the dirty ratio or because something waits too long. */
  readonly isDue: boolean
}

/**
 * Not compacted are the last segment, what is not decided yet (from the last stable offset on) or not on
 * the device, and segments with records
 * that are younger than `min.compaction.lag.ms`. (Kafka: LogCleanerManager.)
 *
 * @param cleanedTo up to where it was compacted before; undefined where never
 */
export function cleanableRange(log: PartitionLog, cleanedTo: number | undefined, nowMs: number): CleanableRange {
  const { settings, logStartOffset } = log
  const isValid = cleanedTo !== undefined && cleanedTo >= logStartOffset && cleanedTo <= log.logEndOffset
  const firstDirtyOffset = isValid ? cleanedTo : logStartOffset
  const closed = log.segments.slice(0, -1)
  const dirty = closed.filter((segment) => endOf(log, segment) > firstDirtyOffset)
  const young = dirty.find(({ largestTimestamp }) => largestTimestamp > nowMs - settings.minCompactionLagMs)
  const active = log.segments.at(-1) as Segment
  const limits = [active.baseOffset, log.lastStableOffset, log.recoveryPoint]
  if (settings.minCompactionLagMs > 0 && young !== undefined) limits.push(young.baseOffset)
  const limit = Math.min(...limits)
  const endOffset = limit === active.baseOffset ? limit : log.segmentOf(limit).baseOffset
  const cleanBytes = bytesOf(closed.filter((segment) => endOf(log, segment) <= firstDirtyOffset))
  const dirtyBytes = bytesOf(dirty.filter((segment) => segment.baseOffset < endOffset))
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes)
  const waitedTooLong = dirty.some((segment) => {
    const { firstTimestamp } = segment
    return segment.size > 0 && firstTimestamp > 0 && firstTimestamp < nowMs - settings.maxCompactionLagMs
  })
  const isDue = dirtyBytes > 0 && (dirtyRatio > settings.minCleanableDirtyRatio || waitedTooLong)
  return { firstDirtyOffset, endOffset, dirtyRatio, isDue }
}

function endOf(log: PartitionLog, segment: Segment): number {
  return log.segmentAfter(segment)?.baseOffset ?? log.logEndOffset
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.size, 0)
}
