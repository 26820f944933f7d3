import { MillraceError, type Place } from '../../errors.ts'
import {
  attributesOf,
  baseTimestampAt,
  baseTimestampOf,
  batchHeaderBytes,
  batchSize,
  compressionMask,
  controlBit,
  lastOffsetDeltaAt,
  logAppendTimeBit,
  maxTimestampOf,
  recordCountOf,
  setMaxTimestamp,
} from '../../record/batch-format.ts'
import { codecById, maxDecompressedBytes } from '../../record/compression.ts'
import { takeFresh } from '../../record/fresh-checksums.ts'
import { type RecordFault, RecordWalk } from '../../record/record-walk.ts'
import { checksumFault, headerFault, maxHigh } from './batch-check.ts'
import { isCompacted, type LogSettings } from './log-settings.ts'

/** What an append needs. */
export interface AppendableBatches {
  /** How many offsets. */
  readonly offsets: number
  /** The largest timestamp of the records; -1 where they have none. */
  readonly maxTimestamp: number
}

/** The settings, the time and the place of an append. */
interface Append {
  readonly settings: LogSettings
  readonly nowMs: number
  readonly at: Place
}

/**
 * Requires that the bytes are right batches of whole records, which a log with the settings may take (Kafka: LogValidator).
 * A right checksum only says that they came as they were sent. Nothing is verified again of a batch that a builder of this
 * process has made just now: its records are only looked at where the settings are about them.
 *
 * Where a batch says another largest timestamp than its records have, it is put right in the bytes, as Kafka does.
 *
 * @throws MillraceError CORRUPT_BATCH (the bytes are not as they were sent), INVALID_RECORD (they were, but make no records; or
 * a record of a compacted topic has no key), INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION, RECORD_TOO_LARGE
 */
export function requireAppendable(bytes: Buffer, settings: LogSettings, nowMs: number, at: Place): AppendableBatches {
  const append = { settings, nowMs, at }
  const isFresh = takeFresh(bytes)
  const looksAtRecords = !isFresh || isCompacted(settings) || hasEarliest(settings)
  let offsets = 0
  let maxTimestamp = -1
  let start = 0
  do {
    const fault =
      headerFault(bytes, start, bytes.length, undefined) ?? (isFresh ? undefined : checksumFault(bytes, start))
    if (fault !== undefined) throw damaged(fault, start, at)
    const size = batchSize(bytes, start)
    requireSize(size, settings, at)
    const count = recordCountOf(bytes, start)
    const span = bytes.readInt32BE(start + lastOffsetDeltaAt) + 1
    if (count !== span) throw invalid(`the batch at byte ${start} has ${count} records for ${span} offsets`, at)
    requireCreateTime(bytes, start, append)
    if (looksAtRecords) requireRecords(bytes, start, count, append)
    else requireNotAfter(maxTimestampOf(bytes, start), -1, append)
    maxTimestamp = Math.max(maxTimestamp, maxTimestampOf(bytes, start))
    offsets += span
    start += size
  } while (start < bytes.length)
  return { offsets, maxTimestamp }
}

/** Requires of batches that were appendable, and were then compressed anew, that this has not made one too large. */
export function requireSizes(bytes: Buffer, settings: LogSettings, at: Place): void {
  for (let start = 0; start < bytes.length; start += batchSize(bytes, start)) {
    requireSize(batchSize(bytes, start), settings, at)
  }
}

const recordWalk = new RecordWalk()

function requireRecords(bytes: Buffer, start: number, count: number, append: Append): void {
  const { settings, at } = append
  const fault = recordFault(bytes, start, count, at)
  if (fault !== undefined) throw notWhole(fault, start, at)
  const { keylessRecord, latestTimestamp } = recordWalk
  // Compaction knows records by their keys. Control records have some of their own.
  const isControl = (attributesOf(bytes, start) & controlBit) !== 0
  if (keylessRecord >= 0 && !isControl && isCompacted(settings)) throw keyless(keylessRecord, at)
  if (settings.timestampType !== 'CreateTime') return
  requireNotAfter(latestTimestamp, recordWalk.latestRecord, append)
  requireNotBefore(recordWalk.earliestTimestamp, recordWalk.earliestRecord, append)
  if (maxTimestampOf(bytes, start) !== latestTimestamp) setMaxTimestamp(bytes, start, latestTimestamp)
}

/** Walks the records of a batch, in memory of their own where they are compressed. */
function recordFault(bytes: Buffer, start: number, count: number, at: Place): RecordFault | undefined {
  const baseHigh = bytes.readInt32BE(start + baseTimestampAt)
  if (baseHigh < -maxHigh || baseHigh > maxHigh) {
    return { record: 0, isOfTimestamp: true, reason: 'its timestamp is beyond 2^53 - 1' }
  }
  const base = baseTimestampOf(bytes, start)
  const dataStart = start + batchHeaderBytes
  const dataEnd = start + batchSize(bytes, start)
  const codecId = attributesOf(bytes, start) & compressionMask
  if (codecId === 0) return recordWalk.walk(bytes, dataStart, dataEnd, count, base)
  const records = decompress(codecId, bytes.subarray(dataStart, dataEnd), at)
  return recordWalk.walk(records, 0, records.length, count, base)
}

/** The records until the next call. No more is taken than readers take. */
function decompress(codecId: number, data: Buffer, at: Place): Buffer {
  const codec = codecById(codecId)
  if (codec === undefined) {
    throw new MillraceError('UNSUPPORTED_COMPRESSION', `Nothing was appended: there is no codec ${codecId}`, {
      at,
      remedy: 'Let the producer write gzip, snappy, lz4, zstd or none.',
    })
  }
  try {
    return codec.decompressBriefly(data, maxDecompressedBytes)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'CORRUPT_BATCH') throw invalid(error.message, at)
    throw error instanceof MillraceError ? error.placedAt(at) : error
  }
}

/** Only the log can give a batch the time of its append. */
function requireCreateTime(bytes: Buffer, start: number, { settings, at }: Append): void {
  if (settings.timestampType !== 'CreateTime' || (attributesOf(bytes, start) & logAppendTimeBit) === 0) return
  throw badTimestamp('The batch says that it has the time of its append, which only the log can give it', at)
}

function requireNotAfter(timestamp: number, record: number, { settings, nowMs, at }: Append): void {
  if (settings.timestampType !== 'CreateTime') return
  const latest = nowMs + settings.timestampAfterMaxMs
  if (timestamp > latest) throw badTimestamp(`The timestamp ${timestamp} is after ${latest}`, placeOf(record, at))
}

/** The timestamp is infinite where no record has one. */
function requireNotBefore(timestamp: number, record: number, { settings, nowMs, at }: Append): void {
  const earliest = nowMs - settings.timestampBeforeMaxMs
  if (timestamp < earliest) throw badTimestamp(`The timestamp ${timestamp} is before ${earliest}`, placeOf(record, at))
}

function hasEarliest({ timestampType, timestampBeforeMaxMs }: LogSettings): boolean {
  return timestampType === 'CreateTime' && timestampBeforeMaxMs !== Number.POSITIVE_INFINITY
}

function requireSize(size: number, { maxMessageBytes }: LogSettings, at: Place): void {
  if (size <= maxMessageBytes) return
  throw new MillraceError('RECORD_TOO_LARGE', `A record batch of ${size} bytes is above ${maxMessageBytes} bytes`, {
    at,
    remedy: "Write smaller records, or create the topic with a larger 'max.message.bytes'.",
  })
}

function placeOf(record: number, at: Place): Place {
  return record < 0 ? at : { ...at, record }
}

function badTimestamp(what: string, at: Place): MillraceError {
  return new MillraceError('INVALID_TIMESTAMP', `Nothing was appended: ${what}`, {
    at,
    remedy:
      "Correct the record, or create the topic with other 'message.timestamp.before.max.ms' and 'message.timestamp.after.max.ms'.",
  })
}

function notWhole({ record, isOfTimestamp, reason }: RecordFault, start: number, at: Place): MillraceError {
  const what = `Nothing was appended: a record of the batch at byte ${start} is damaged: ${reason}`
  return new MillraceError(isOfTimestamp ? 'INVALID_TIMESTAMP' : 'INVALID_RECORD', what, { at: placeOf(record, at) })
}

function keyless(record: number, at: Place): MillraceError {
  return new MillraceError('INVALID_RECORD', 'Nothing was appended: a record of a compacted topic has no key', {
    at: placeOf(record, at),
    remedy: "Give every record a key, or create the topic with 'cleanup.policy' delete.",
  })
}

function invalid(what: string, at: Place): MillraceError {
  return new MillraceError('INVALID_RECORD', `Nothing was appended: ${what}`, { at })
}

function damaged(fault: string, start: number, at: Place): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `Nothing was appended: the batch at byte ${start} is damaged: ${fault}`, {
    at,
  })
}
