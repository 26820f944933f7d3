import { readInt64, writeInt64 } from '../bytes/int64.ts'
import { MillraceError } from '../errors.ts'
import { crc32c } from './crc32c.ts'

/**
 * Kafka's record batch format v2 (KIP-98; org.apache.kafka.common.record.DefaultRecordBatch): a header of 61 bytes, all
 * integers big-endian, then the records.
 *
 * The checksum covers everything from the attributes on, so a log may set the base offset and the leader epoch of a batch
 * without computing it again. The functions here take the position where a batch starts and trust that its header is there.
 */

export const baseOffsetAt = 0
export const batchLengthAt = 8
export const leaderEpochAt = 12
export const magicAt = 16
export const checksumAt = 17
export const attributesAt = 21
export const lastOffsetDeltaAt = 23
export const baseTimestampAt = 27
export const maxTimestampAt = 35
export const producerIdAt = 43
export const producerEpochAt = 51
export const baseSequenceAt = 53
export const recordCountAt = 57
export const batchHeaderBytes = 61

/** What the batch length does not count: the base offset and itself. */
export const uncountedBytes = 12
export const currentMagic = 2
/** A length byte and one byte for each of the six fields. */
export const smallestRecordBytes = 7

/** Bits of the attributes. The lowest three are the compression codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export const compressionMask = 0b111
export const logAppendTimeBit = 0b1000
export const transactionalBit = 0b1_0000
export const controlBit = 0b10_0000
/** The base timestamp is the time when compaction may drop the tombstones (KIP-534). */
export const deleteHorizonBit = 0b100_0000

/** Producer id, producer epoch, base sequence, leader epoch and timestamps that nobody set. */
export const unset = -1

export function baseOffsetOf(bytes: Buffer, start: number): number {
  return readInt64(bytes, start + baseOffsetAt)
}

/** @throws MillraceError NUMBER_OUT_OF_RANGE */
export function setBaseOffset(bytes: Buffer, start: number, offset: number): void {
  writeInt64(bytes, start + baseOffsetAt, offset)
}

/** The bytes that the whole batch takes, header included, as its length field says. */
export function batchSize(bytes: Buffer, start: number): number {
  return bytes.readInt32BE(start + batchLengthAt) + uncountedBytes
}

export function leaderEpochOf(bytes: Buffer, start: number): number {
  return bytes.readInt32BE(start + leaderEpochAt)
}

export function setLeaderEpoch(bytes: Buffer, start: number, epoch: number): void {
  bytes.writeInt32BE(epoch, start + leaderEpochAt)
}

export function magicOf(bytes: Buffer, start: number): number {
  return bytes.readInt8(start + magicAt)
}

export function checksumOf(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start + checksumAt)
}

export function attributesOf(bytes: Buffer, start: number): number {
  return bytes.readInt16BE(start + attributesAt)
}

/** The offset of the last record the batch was written with; compaction may have taken the record itself away. */
export function lastOffsetOf(bytes: Buffer, start: number): number {
  return baseOffsetOf(bytes, start) + bytes.readInt32BE(start + lastOffsetDeltaAt)
}

export function baseTimestampOf(bytes: Buffer, start: number): number {
  return readInt64(bytes, start + baseTimestampAt)
}

/**
 * Gives all records of a batch the time of their append: its largest timestamp becomes that time, its attributes say so, and
 * the checksum is computed again. The base timestamp stays, as in Kafka.
 */
export function setLogAppendTime(bytes: Buffer, start: number, timestamp: number): void {
  bytes.writeInt16BE(attributesOf(bytes, start) | logAppendTimeBit, start + attributesAt)
  writeInt64(bytes, start + maxTimestampAt, timestamp)
  bytes.writeUInt32BE(computeChecksum(bytes, start), start + checksumAt)
}

export function maxTimestampOf(bytes: Buffer, start: number): number {
  return readInt64(bytes, start + maxTimestampAt)
}

/** Says another largest timestamp, and computes the checksum again. */
export function setMaxTimestamp(bytes: Buffer, start: number, timestamp: number): void {
  writeInt64(bytes, start + maxTimestampAt, timestamp)
  bytes.writeUInt32BE(computeChecksum(bytes, start), start + checksumAt)
}

export function producerIdOf(bytes: Buffer, start: number): number {
  return readInt64(bytes, start + producerIdAt)
}

export function producerEpochOf(bytes: Buffer, start: number): number {
  return bytes.readInt16BE(start + producerEpochAt)
}

export function baseSequenceOf(bytes: Buffer, start: number): number {
  return bytes.readInt32BE(start + baseSequenceAt)
}

/** Whose batch it is, and which of theirs. */
export interface BatchProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
}

/** Says in a finished batch who its producer is, and computes its checksum again. */
export function stampProducer(bytes: Buffer, start: number, producer: BatchProducer): void {
  const attributes = attributesOf(bytes, start) & ~transactionalBit
  bytes.writeInt16BE(attributes | (producer.isTransactional ? transactionalBit : 0), start + attributesAt)
  writeInt64(bytes, start + producerIdAt, producer.producerId)
  bytes.writeInt16BE(producer.producerEpoch, start + producerEpochAt)
  bytes.writeInt32BE(producer.baseSequence, start + baseSequenceAt)
  bytes.writeUInt32BE(computeChecksum(bytes, start), start + checksumAt)
}

export function recordCountOf(bytes: Buffer, start: number): number {
  return bytes.readInt32BE(start + recordCountAt)
}

/** The checksum as it should be; the whole batch is there. */
export function computeChecksum(bytes: Buffer, start: number): number {
  return crc32c(bytes, start + attributesAt, start + batchSize(bytes, start))
}

/** Whether the bytes that the checksum covers are those it was made of; the whole batch is there. */
export function isChecksumValid(bytes: Buffer, start: number): boolean {
  return checksumOf(bytes, start) === computeChecksum(bytes, start)
}

export interface WholeBatches {
  /** The position after the last whole batch: the start of the range where there is none. */
  readonly end: number
  /** The offset after the last whole batch's: -1 where there is none. */
  readonly nextOffset: number
}

/**
 * Finds where the whole batches of a range end: a read that stops anywhere may end with a part of one.
 * Lengths and magic numbers are checked, checksums are not.
 * @throws MillraceError CORRUPT_BATCH where a batch says a length or magic number that none can have.
 */
export function wholeBatches(bytes: Buffer, start: number, end: number): WholeBatches {
  let position = start
  let last = -1
  while (end - position >= batchHeaderBytes) {
    const size = batchSize(bytes, position)
    requireBatchShape(bytes, position, size)
    if (size > end - position) break
    last = position
    position += size
  }
  return { end: position, nextOffset: last < 0 ? -1 : lastOffsetOf(bytes, last) + 1 }
}

/** Requires the magic number 2 and a length that holds at least the header. */
export function requireBatchShape(bytes: Buffer, start: number, size: number): void {
  const magic = magicOf(bytes, start)
  if (magic !== currentMagic) {
    throw corruptBatch(bytes, start, start + magicAt, `its magic number is ${magic}, not ${currentMagic}`)
  }
  if (size < batchHeaderBytes) {
    throw corruptBatch(bytes, start, start + batchLengthAt, `it says that it takes ${size} bytes, less than its header`)
  }
}

/** A batch that cannot be read: `start` is where it starts in the bytes, `position` where they are wrong. */
export function corruptBatch(bytes: Buffer, start: number, position: number, reason: string): MillraceError {
  const offset = start + baseOffsetAt + 8 <= bytes.length ? Number(bytes.readBigInt64BE(start + baseOffsetAt)) : -1
  const what = `The record batch at byte ${start} is damaged at byte ${position}: ${reason}`
  return new MillraceError('CORRUPT_BATCH', what, offset < 0 ? {} : { at: { offset } })
}
