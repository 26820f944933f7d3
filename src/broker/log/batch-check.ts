import { MillraceError, type Place } from '../../errors.ts'
import {
  attributesOf,
  baseOffsetOf,
  batchHeaderBytes,
  batchSize,
  checksumOf,
  compressionMask,
  computeChecksum,
  controlBit,
  currentMagic,
  lastOffsetDeltaAt,
  logAppendTimeBit,
  magicOf,
  maxTimestampAt,
  maxTimestampOf,
  recordCountOf,
} from '../../record/batch-format.ts'
import { BatchReader } from '../../record/batch-reader.ts'
import { takeFresh } from '../../record/fresh-checksums.ts'
import { isCompacted, type LogSettings } from './log-settings.ts'

/** High half of the largest offset or timestamp that a JavaScript number holds exactly. */
const maxHigh = 0x1fffff
/** zstd: none, gzip, snappy and lz4 are before it. */
const lastCodec = 4

/**
 * Why the bytes at `start` are not the header of a batch that begins with the given offset (undefined: with any; with gaps: or a later one);
 * undefined where they are. The offset and the length are not covered by the batch's checksum, so they are held against
 * what must be there. `end` is where the bytes end that the whole batch must fit in.
 */
export function headerFault(
  bytes: Buffer,
  start: number,
  end: number,
  baseOffset: number | undefined,
  allowsGaps = false,
): string | undefined {
  if (start + batchHeaderBytes > end) return 'its header is cut off'
  const size = batchSize(bytes, start)
  if (size < batchHeaderBytes) return `its length cannot be ${size} bytes`
  if (start + size > end) return `it should have ${size} bytes, but ${end - start} are left`
  if (magicOf(bytes, start) !== currentMagic) return `its magic number is ${magicOf(bytes, start)}, not ${currentMagic}`
  if (bytes.readInt32BE(start + lastOffsetDeltaAt) < 0) return 'its last offset is below its first'
  const offsetHigh = bytes.readInt32BE(start)
  if (offsetHigh < 0 || offsetHigh > maxHigh) return 'its first offset is out of range'
  const timestampHigh = bytes.readInt32BE(start + maxTimestampAt)
  if (timestampHigh < -maxHigh || timestampHigh > maxHigh) return 'its largest timestamp is out of range'
  const offset = baseOffsetOf(bytes, start)
  if (baseOffset === undefined || offset === baseOffset || (allowsGaps && offset > baseOffset)) return undefined
  return `its first offset is ${offset}, not ${baseOffset}`
}

/** Why the checksum of a whole batch does not match; undefined where it does. */
export function checksumFault(bytes: Buffer, start: number): string | undefined {
  const actual = computeChecksum(bytes, start)
  const stated = checksumOf(bytes, start)
  return actual === stated ? undefined : `its checksum is ${hex(actual)}, not ${hex(stated)}`
}

/** What an append needs. */
export interface AppendableBatches {
  /** How many offsets. */
  readonly offsets: number
  /** The largest timestamp of the records; -1 where they have none. */
  readonly maxTimestamp: number
}

/**
 * Requires that the bytes are whole, right batches that a log with the settings may take. The checksum of a batch that a
 * builder of this process has just made is taken for right.
 * @throws MillraceError CORRUPT_BATCH, INVALID_TIMESTAMP, INVALID_RECORD (no key in a compacted topic), RECORD_TOO_LARGE
 */
export function requireAppendable(bytes: Buffer, settings: LogSettings, nowMs: number, at: Place): AppendableBatches {
  let offsets = 0
  let maxTimestamp = -1
  let start = 0
  const isFresh = takeFresh(bytes)
  do {
    const fault =
      headerFault(bytes, start, bytes.length, undefined) ?? (isFresh ? undefined : checksumFault(bytes, start))
    if (fault !== undefined) throw rejected(fault, start, at)
    const size = batchSize(bytes, start)
    if (size > settings.maxMessageBytes) throw tooLarge(size, settings.maxMessageBytes, at)
    const count = recordCountOf(bytes, start)
    const span = bytes.readInt32BE(start + lastOffsetDeltaAt) + 1
    if (count !== span) throw rejected(`it has ${count} records for ${span} offsets`, start, at)
    const codec = attributesOf(bytes, start) & compressionMask
    if (codec > lastCodec) throw rejected(`there is no codec ${codec}`, start, at)
    if (settings.timestampType === 'CreateTime') requireTimestamps(bytes, start, settings, nowMs, at)
    if (isCompacted(settings)) requireKeys(bytes, start, at)
    maxTimestamp = Math.max(maxTimestamp, maxTimestampOf(bytes, start))
    offsets += span
    start += size
  } while (start < bytes.length)
  return { offsets, maxTimestamp }
}

const recordReader = new BatchReader({ verifiesChecksum: false })

/** The records are only looked at where a bound says that it matters, and the largest timestamp is what the header says. */
function requireTimestamps(bytes: Buffer, start: number, settings: LogSettings, nowMs: number, at: Place): void {
  if ((attributesOf(bytes, start) & logAppendTimeBit) !== 0) {
    throw badTimestamp('The batch says that it has the time of its append, which only the log can give it', at)
  }
  const latest = nowMs + settings.timestampAfterMaxMs
  const maxTimestamp = maxTimestampOf(bytes, start)
  if (maxTimestamp > latest) throw badTimestamp(`The timestamp ${maxTimestamp} is after ${latest}`, at)
  if (settings.timestampBeforeMaxMs === Number.POSITIVE_INFINITY) return
  const earliest = nowMs - settings.timestampBeforeMaxMs
  recordReader.reset(bytes, start, start + batchSize(bytes, start))
  recordReader.nextBatch()
  while (recordReader.next()) {
    const { timestamp } = recordReader
    if (timestamp !== -1 && timestamp < earliest)
      throw badTimestamp(`The timestamp ${timestamp} is before ${earliest}`, at)
  }
}

/** Compaction knows records by their keys. Control records have some of their own. */
function requireKeys(bytes: Buffer, start: number, at: Place): void {
  if ((attributesOf(bytes, start) & controlBit) !== 0) return
  recordReader.reset(bytes, start, start + batchSize(bytes, start))
  recordReader.nextBatch()
  while (recordReader.next()) {
    if (recordReader.keyStart >= 0) continue
    throw new MillraceError('INVALID_RECORD', 'Nothing was appended: a record of a compacted topic has no key', {
      at,
      remedy: "Give every record a key, or create the topic with 'cleanup.policy' delete.",
    })
  }
}

function badTimestamp(what: string, at: Place): MillraceError {
  return new MillraceError('INVALID_TIMESTAMP', `Nothing was appended: ${what}`, {
    at,
    remedy:
      "Correct the record, or create the topic with other 'message.timestamp.before.max.ms' and 'message.timestamp.after.max.ms'.",
  })
}

function rejected(fault: string, start: number, at: Place): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `Nothing was appended: the batch at byte ${start} is damaged: ${fault}`, {
    at,
  })
}

function tooLarge(size: number, maxMessageBytes: number, at: Place): MillraceError {
  return new MillraceError('RECORD_TOO_LARGE', `A record batch of ${size} bytes is above ${maxMessageBytes} bytes`, {
    at,
    remedy: "Write smaller records, or create the topic with a larger 'max.message.bytes'.",
  })
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
