import { copyBytes } from '../bytes/copy-bytes.ts'
import { writeInt64 } from '../bytes/int64.ts'
import { RangeCopier } from '../bytes/range-copier.ts'
import { assert, MillraceError } from '../errors.ts'
import * as format from './batch-format.ts'
import { type Codec, type Compression, codecNamed } from './compression.ts'
import { forgetFresh, noteFresh } from './fresh-checksums.ts'
import { type HeaderRange, type RecordHeader, sizeOfHeaders, writeHeaders } from './headers.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts'

/** What the header says beside the records; by default nothing (-1 or false) and base offset 0. */
export interface BatchHeader {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

export interface BatchBuilderOptions {
  /** The size of the buffer at first; it grows. Default: 16 KiB. */
  readonly capacityBytes?: number
  /** Default: none. A batch stays compressed where that makes it larger, as Kafka's does. */
  readonly compression?: Compression
  /** 1 to 9 for gzip, 1 to 22 for zstd; the others have none. Default: Kafka's, which is 6 for gzip and 3 for zstd. */
  readonly compressionLevel?: number
}

const defaultCapacityBytes = 16_384

/**
 * Writes records into one batch, byte for byte as Kafka's producer does: the first record's timestamp is the base, offsets
 * count from 0. The records are compressed as a whole when the batch is finished. Buffers are kept and used again for the
 * next batch.
 */
export class BatchBuilder {
  #bytes: Buffer
  /** The finished batch where it is compressed. */
  #compressed: Buffer = nothing
  /** What `finish` returned last. */
  #finished: Buffer = nothing
  readonly #codec: Codec | undefined
  readonly #level: number | undefined
  readonly #keys = new RangeCopier()
  readonly #values = new RangeCopier()
  #position: number = format.batchHeaderBytes
  #recordCount = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  /** @throws MillraceError INVALID_ARGUMENT where there is no such compression or level. */
  constructor(options: BatchBuilderOptions = {}) {
    const capacity = Math.max(options.capacityBytes ?? defaultCapacityBytes, format.batchHeaderBytes)
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
    this.#codec = codecNamed(options.compression ?? 'none', options.compressionLevel)
    this.#level = options.compressionLevel
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** The size of the batch if it were finished now, without compression. */
  get sizeBytes(): number {
    return this.#position
  }

  /**
   * Copies a record in. There is no key (value) where its buffer is null or its start below zero, as in a `BatchReader`.
   * @throws MillraceError NUMBER_OUT_OF_RANGE where the timestamp, or how far it is from the first record's, is no safe integer.
   * @throws MillraceError RECORD_TOO_LARGE where the batch would grow beyond what its length field can say.
   */
  append(
    timestamp: number,
    key: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: Buffer | null,
    valueStart: number,
    valueEnd: number,
    headers?: readonly RecordHeader[] | HeaderRange,
  ): void {
    const offsetDelta = this.#recordCount
    const timestampDelta = offsetDelta === 0 ? 0 : timestamp - this.#baseTimestamp
    if (!Number.isSafeInteger(timestamp) || !Number.isSafeInteger(timestampDelta)) throw badTimestamp(timestamp)
    const keyLength = key === null || keyStart < 0 ? -1 : keyEnd - keyStart
    const valueLength = value === null || valueStart < 0 ? -1 : valueEnd - valueStart
    const payload = Math.max(keyLength, 0) + Math.max(valueLength, 0)
    const lengthAt = this.#position
    const headerBytes = headers === undefined ? 0 : sizeOf(headers)
    const most = lengthAt + payload + mostOverheadBytes + headerBytes
    if (most > this.#bytes.length) this.#grow(most)
    if (this.#finished !== nothing) this.#reopen()

    const bytes = this.#bytes
    const lengthBytes = headers === undefined ? lengthBytesOf(payload) : 0
    const start =
      lengthBytes > 0
        ? lengthAt + lengthBytes
        : writeVarint(
            bytes,
            lengthAt,
            sizeOfRecord(timestampDelta, offsetDelta, keyLength, valueLength, payload, countOf(headers), headerBytes),
          )
    let position = start
    bytes[position++] = 0
    position = writeVarlong(bytes, position, timestampDelta)
    position = writeVarint(bytes, position, offsetDelta)
    position = writeVarint(bytes, position, keyLength)
    if (keyLength > 0) position = this.#keys.copy(key!, keyStart, keyEnd, bytes, position)
    position = writeVarint(bytes, position, valueLength)
    if (valueLength > 0) position = this.#values.copy(value!, valueStart, valueEnd, bytes, position)
    position = writeVarint(bytes, position, countOf(headers))
    if (headers !== undefined) position = write(headers, bytes, position)
    if (lengthBytes > 0) writeVarint(bytes, lengthAt, position - start)

    this.#position = position
    this.#recordCount = offsetDelta + 1
    if (offsetDelta === 0) this.#baseTimestamp = timestamp
    if (offsetDelta === 0 || timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
  }

  /** The batch, valid until the next `append` or `clear`. There is at least one record. */
  finish(header: BatchHeader = {}): Buffer {
    assert(this.#recordCount > 0, 'a batch that is finished has a record')
    this.#reopen()
    if (this.#codec === undefined) return this.#withHeader(header, this.#bytes, this.#position)
    const end = this.#compress(this.#codec)
    return this.#withHeader(header, this.#compressed, end)
  }

  /** Compresses the records to behind the room for a header; returns where they end. */
  #compress(codec: Codec): number {
    const data = codec.compress(this.#bytes.subarray(format.batchHeaderBytes, this.#position), this.#level)
    const end = format.batchHeaderBytes + data.length
    if (end > this.#compressed.length) this.#compressed = Buffer.allocUnsafeSlow(Math.ceil(end * 1.25))
    data.copy(this.#compressed, format.batchHeaderBytes)
    return end
  }

  #withHeader(header: BatchHeader, bytes: Buffer, end: number): Buffer {
    const attributes =
      (this.#codec === undefined ? 0 : this.#codec.id) |
      (header.isTransactional === true ? format.transactionalBit : 0) |
      (header.isControl === true ? format.controlBit : 0)
    writeInt64(bytes, format.baseOffsetAt, header.baseOffset ?? 0)
    bytes.writeInt32BE(end - format.uncountedBytes, format.batchLengthAt)
    bytes.writeInt32BE(header.leaderEpoch ?? format.unset, format.leaderEpochAt)
    bytes[format.magicAt] = format.currentMagic
    bytes.writeInt16BE(attributes, format.attributesAt)
    bytes.writeInt32BE(this.#recordCount - 1, format.lastOffsetDeltaAt)
    writeInt64(bytes, format.baseTimestampAt, this.#baseTimestamp)
    writeInt64(bytes, format.maxTimestampAt, this.#maxTimestamp)
    writeInt64(bytes, format.producerIdAt, header.producerId ?? format.unset)
    bytes.writeInt16BE(header.producerEpoch ?? format.unset, format.producerEpochAt)
    bytes.writeInt32BE(header.baseSequence ?? format.unset, format.baseSequenceAt)
    bytes.writeInt32BE(this.#recordCount, format.recordCountAt)
    bytes.writeUInt32BE(format.computeChecksum(bytes, 0), format.checksumAt)
    this.#finished = bytes.subarray(0, end)
    noteFresh(this.#finished)
    return this.#finished
  }

  /** The bytes of the last finished batch are about to be others. */
  #reopen(): void {
    forgetFresh(this.#finished)
    this.#finished = nothing
  }

  /** Starts the next batch in the same buffer. */
  clear(): void {
    this.#reopen()
    this.#position = format.batchHeaderBytes
    this.#recordCount = 0
  }

  #grow(needed: number): void {
    if (needed > largestBatchBytes) {
      throw new MillraceError(
        'RECORD_TOO_LARGE',
        `A record batch of ${needed} bytes would be larger than 2^31 - 1 bytes`,
      )
    }
    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, this.#bytes.length * 2), largestBatchBytes))
    this.#bytes.copy(larger, 0, 0, this.#position)
    this.#bytes = larger
  }
}

const nothing: Buffer = Buffer.alloc(0)
const largestBatchBytes = 0x7fff_ffff
/** What a record without headers takes beside key and value: from one byte for each of its parts to the most for each. */
const leastFramingBytes = 6
const mostFramingBytes = 27
const mostLengthBytes = 5
const mostOverheadBytes: number = mostFramingBytes + mostLengthBytes

/**
 * How many bytes the length of a record without headers takes, where that follows from the bytes of key and value alone;
 * 0 where it does not, and the record must be measured first. (A varint has room for 63 in one byte, 8,191 in two.)
 */
function lengthBytesOf(payload: number): number {
  if (payload + mostFramingBytes <= 63) return 1
  return payload + leastFramingBytes > 63 && payload + mostFramingBytes <= 8_191 ? 2 : 0
}

function sizeOfRecord(
  timestampDelta: number,
  offsetDelta: number,
  keyLength: number,
  valueLength: number,
  payload: number,
  headerCount: number,
  headerBytes: number,
): number {
  return (
    1 +
    sizeOfVarlong(timestampDelta) +
    sizeOfVarint(offsetDelta) +
    sizeOfVarint(keyLength) +
    sizeOfVarint(valueLength) +
    payload +
    sizeOfVarint(headerCount) +
    headerBytes
  )
}

function isRange(headers: readonly RecordHeader[] | HeaderRange): headers is HeaderRange {
  return 'bytes' in headers
}

function countOf(headers: readonly RecordHeader[] | HeaderRange | undefined): number {
  if (headers === undefined) return 0
  return isRange(headers) ? headers.count : headers.length
}

function sizeOf(headers: readonly RecordHeader[] | HeaderRange): number {
  return isRange(headers) ? headers.end - headers.start : sizeOfHeaders(headers)
}

function write(headers: readonly RecordHeader[] | HeaderRange, bytes: Buffer, position: number): number {
  if (!isRange(headers)) return writeHeaders(bytes, position, headers)
  return copyBytes(headers.bytes, headers.start, headers.end, bytes, position)
}

function badTimestamp(timestamp: number): MillraceError {
  return new MillraceError('NUMBER_OUT_OF_RANGE', `${timestamp} cannot be the timestamp of a record in this batch`, {
    remedy: 'Timestamps are whole milliseconds since 1970.',
  })
}
