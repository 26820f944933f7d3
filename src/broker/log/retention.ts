import { deletesByAge } from './log-settings.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Segment } from './segment.ts'

/** Whether retention can ever delete something of the log. */
export function isRetentionLimited({ settings }: PartitionLog): boolean {
  return deletesByAge(settings) && (settings.retentionMs >= 0 || settings.retentionBytes >= 0)
}

/**
 * Where the log begins when the segments are gone that its retention lets go: those from the start on that the log is too
 * large by, or whose youngest record is too old. Only whole segments go, and nothing that readers have not seen. (Kafka:
 * UnifiedLog.deleteOldSegments.)
 *
 * Age counts to the clock, but in a log that is compacted too at most to the youngest record: it holds the state of
 * windows, which end by the time of records, and a replay of old records must find it.
 */
export function retainedFrom(log: PartitionLog, nowMs: number): number {
  if (!deletesByAge(log.settings)) return log.logStartOffset
  const { retentionMs, retentionBytes } = log.settings
  const end = log.settings.cleanupPolicy === 'delete' ? nowMs : Math.min(nowMs, log.largestTimestamp)
  let excessBytes = retentionBytes < 0 ? 0 : log.sizeBytes - retentionBytes
  let start = log.logStartOffset
  for (let i = 0; i < log.segments.length; i++) {
    const segment = log.segments[i] as Segment
    const next = log.segments[i + 1]
    const nextOffset = next?.baseOffset ?? log.logEndOffset
    if (nextOffset > log.highWatermark || (next === undefined && segment.size === 0)) break
    excessBytes -= segment.size
    const isExcess = retentionBytes >= 0 && excessBytes >= 0
    const isOld =
      segment.size === 0 ||
      (retentionMs >= 0 && segment.largestTimestamp >= 0 && end - segment.largestTimestamp > retentionMs)
    if (!isExcess && !isOld && nextOffset > log.logStartOffset) break
    start = Math.max(start, nextOffset)
  }
  return start
}
