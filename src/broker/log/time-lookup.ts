import { MillraceError } from '../../errors.ts'
import { BatchReader } from '../../record/batch-reader.ts'
import { damagedBatch } from './log-cursor.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Segment } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'

export interface TimestampedOffset {
  readonly offset: number
  readonly timestamp: number
}

const bufferBytes = 65_536

/**
 * The first record whose timestamp is at or after the given one, exact also inside of a batch; undefined where there is none
 * below the high watermark. (Kafka: UnifiedLog.fetchOffsetByTimestamp, and Partition's bound.)
 * @throws MillraceError CORRUPT_BATCH, STORAGE_FAILED
 */
export function firstOffsetSince(log: PartitionLog, timestamp: number): TimestampedOffset | undefined {
  log.context.status.requireOnline()
  for (const segment of log.segments) {
    if (segment.largestTimestamp < timestamp) continue
    const from = Math.max(segment.offsetOfTime(timestamp), log.logStartOffset)
    const found = firstRecord(log, segment, from, (recordTimestamp) => recordTimestamp >= timestamp)
    // The segment's largest timestamp may be that of a record below the log's start.
    if (found === undefined && segment.nextOffset < log.highWatermark) continue
    return found === undefined || found.offset >= log.highWatermark ? undefined : found
  }
  return undefined
}

/**
 * The first record with the largest timestamp of the log; undefined where no record has one, or where it is not below the
 * high watermark.
 * @throws MillraceError CORRUPT_BATCH, STORAGE_FAILED
 */
export function offsetOfLargestTimestamp(log: PartitionLog): TimestampedOffset | undefined {
  log.context.status.requireOnline()
  let holder = log.segments[0] as Segment
  for (const segment of log.segments) if (segment.largestTimestamp > holder.largestTimestamp) holder = segment
  const largest = holder.largestTimestamp
  if (largest < 0) return undefined
  const from = Math.max(holder.offsetOfTime(largest), log.logStartOffset)
  const found = firstRecord(log, holder, from, (timestamp) => timestamp >= largest)
  return found === undefined || found.offset >= log.highWatermark ? undefined : found
}

/** The first record of a segment, from the offset on, whose timestamp is accepted. Batches are skipped by their largest one. */
function firstRecord(
  log: PartitionLog,
  segment: Segment,
  from: number,
  accepts: (timestamp: number) => boolean,
): TimestampedOffset | undefined {
  const buffer = Buffer.allocUnsafeSlow(Math.min(bufferBytes, Math.max(segment.size, 1)))
  const position = segment.positionOf(from)
  const scanner = new SegmentScanner(segment.file, {
    position,
    baseOffset: undefined,
    checksums: false,
    damaged: segment.damaged,
    allowsGaps: segment.allowsGaps,
    buffer,
  })
  const reader = new BatchReader()
  try {
    while (scanner.position < segment.size && scanner.next()) {
      if (scanner.lastOffset < from || !accepts(scanner.maxTimestamp)) continue
      reader.reset(scanner.batch())
      reader.nextBatch()
      while (reader.next()) {
        if (reader.offset >= from && accepts(reader.timestamp)) {
          return { offset: reader.offset, timestamp: reader.timestamp }
        }
      }
    }
  } catch (error) {
    if (error instanceof MillraceError) throw error.placedAt({ topic: log.topic, partition: log.partition })
    throw log.context.status.goOffline('reading the log', segment.path, error)
  }
  if (scanner.fault === undefined) return undefined
  throw damagedBatch(scanner.fault, scanner.position, {
    topic: log.topic,
    partition: log.partition,
    path: segment.path,
  })
}
