import { readInt64 } from '../bytes/int64.ts'
import { assert, MillraceError, messageOf } from '../errors.ts'
import { settleShape } from '../object-shape.ts'
import * as format from './batch-format.ts'
import { codecById, maxDecompressedBytes } from './compression.ts'
import { headersEnd, type RecordHeader, readHeaders } from './headers.ts'
import { type KeysAhead, mostKeysAhead } from './keys-ahead.ts'
import { readVarint, readVarlong, varintEnd } from './varint.ts'

export interface BatchReaderOptions {
  /** Whether the checksum of each batch is computed and compared. Default: true. */
  readonly verifiesChecksum?: boolean
  /** The most that the records of a compressed batch may take when they are decompressed. Default: 64 MiB. */
  readonly maxDecompressedBytes?: number
}

/**
 * A cursor over whole record batches: `nextBatch` goes to a batch, `next` to its next record; the fields then describe
 * it, keys and values as ranges of `bytes`. Nothing is allocated per record; one reader is used again and again (`reset`).
 * A compressed batch is decompressed when the reader comes to it, into memory of its own.
 *
 * Bytes are not trusted. Within a record the position only grows and must at last be where the record ends, and the last
 * record must end where the batch does, so no range that is handed out lies outside its record.
 */
export class BatchReader {
  /** What holds the batch's records: the bytes given to `reset`, or others, anew for each batch, where it is compressed. */
  bytes: Buffer = noBytes

  /** Where the batch starts and ends in the bytes given to `reset`. */
  batchStart = 0
  batchEnd = 0
  baseOffset = 0
  /** The offset of the last record that the batch was written with. */
  lastOffset = 0
  leaderEpoch: number = format.unset
  attributes = 0
  baseTimestamp = 0
  maxTimestamp = 0
  producerId: number = format.unset
  producerEpoch: number = format.unset
  baseSequence: number = format.unset
  recordCount = 0
  /** Whether the batch's records are markers of the log's own (a transaction's end), not data. */
  isControl = false
  isTransactional = false

  offset = 0
  /** Milliseconds since 1970; the time of the append where the topic is configured so. */
  timestamp = 0
  /** The key is in `bytes[keyStart..keyEnd)`; both are -1 where there is none. */
  keyStart = -1
  keyEnd = -1
  /** The value is in `bytes[valueStart..valueEnd)`; both are -1 where there is none. */
  valueStart = -1
  valueEnd = -1
  headerCount = 0
  headersStart = 0
  headersEnd = 0

  readonly #verifiesChecksum: boolean
  readonly #maxDecompressedBytes: number
  /** What `reset` was given. */
  #source: Buffer = noBytes
  /** Where the next batch starts, and where the range ends. */
  #nextBatch = 0
  #end = 0
  /** In `bytes`: where the next record starts, and where the batch's last one must end. */
  #position = 0
  #recordsEnd = 0
  #recordsLeft = 0
  /** Of the current record, and the most that one may have. */
  #offsetDelta = -1
  #lastOffsetDelta = -1
  #isLogAppendTime = false

  constructor(options: BatchReaderOptions = {}) {
    this.#verifiesChecksum = options.verifiesChecksum ?? true
    this.#maxDecompressedBytes = options.maxDecompressedBytes ?? maxDecompressedBytes
  }

  /** Starts over with other bytes, which must stay as they are while they are read. */
  reset(bytes: Buffer, start = 0, end: number = bytes.length): void {
    assert(start >= 0 && start <= end && end <= bytes.length, 'a batch reader reads a range of the bytes it is given')
    this.bytes = bytes
    this.#source = bytes
    this.batchStart = start
    this.batchEnd = start
    this.#nextBatch = start
    this.#end = end
    this.#recordsLeft = 0
  }

  /**
   * Goes to the next batch, past what is left of this one; false where there is none.
   * @throws MillraceError CORRUPT_BATCH, UNSUPPORTED_COMPRESSION, NUMBER_OUT_OF_RANGE, RECORD_TOO_LARGE (the batch
   * decompresses to more than is allowed); the same again when it is called again.
   */
  nextBatch(): boolean {
    this.#recordsLeft = 0
    const start = this.#nextBatch
    if (start === this.#end) return false
    const end = this.#requireWholeBatch(start)
    this.#readHeader(start)
    this.#findRecords(start + format.batchHeaderBytes, start, end)
    this.batchStart = start
    this.batchEnd = end
    this.#nextBatch = end
    this.#offsetDelta = -1
    this.#recordsLeft = this.recordCount
    return true
  }

  /**
   * Goes to the batch's next record; false where there is none.
   * @throws MillraceError CORRUPT_BATCH, NUMBER_OUT_OF_RANGE; what is left of the batch is then given up.
   *
   * Reads records as nearly all are: lengths of up to two bytes, deltas of up to three or four, no headers. Nothing is
   * checked before the end, where one condition finds whatever is longer, wrong or too far; `#readRecord` then reads the
   * record again, slower, and says what is wrong. Until then bytes after the record may have been looked at, to no effect.
   */
  next(): boolean {
    if (this.#recordsLeft === 0) return false
    const bytes = this.bytes
    let position = this.#position
    let length = bytes[position++]!
    if (length >= 0x80) length = (length & 0x7f) | (bytes[position++]! << 7)
    const end = position + (length >>> 1)

    let timestamp = bytes[++position]!
    position++
    if (timestamp >= 0x80) timestamp = (timestamp & 0x7f) | (bytes[position++]! << 7)
    if (timestamp >= 0x4000) timestamp = (timestamp & 0x3fff) | (bytes[position++]! << 14)
    if (timestamp >= 0x200000) timestamp = (timestamp & 0x1fffff) | (bytes[position++]! << 21)

    let offset = bytes[position++]!
    if (offset >= 0x80) offset = (offset & 0x7f) | (bytes[position++]! << 7)
    if (offset >= 0x4000) offset = (offset & 0x3fff) | (bytes[position++]! << 14)

    let key = bytes[position++]!
    if (key >= 0x80) key = (key & 0x7f) | (bytes[position++]! << 7)
    const keyStart = position
    if (key !== zigzagNull) position += key >>> 1
    const keyEnd = position

    let value = bytes[position++]!
    if (value >= 0x80) value = (value & 0x7f) | (bytes[position++]! << 7)
    const valueStart = position
    if (value !== zigzagNull) position += value >>> 1
    const valueEnd = position

    const isUsual =
      bytes[position++] === 0 &&
      position === end &&
      (this.#recordsLeft === 1 ? end === this.#recordsEnd : end < this.#recordsEnd) &&
      (length | key | value) < 0x4000 &&
      timestamp < 0x10000000 &&
      offset < 0x200000 &&
      ((length | offset) & 1) === 0 &&
      ((key & 1) === 0 || key === zigzagNull) &&
      ((value & 1) === 0 || value === zigzagNull) &&
      this.#setTimeAndOffset((timestamp >>> 1) ^ -(timestamp & 1), offset >>> 1)
    if (!isUsual) return this.#readRecord()
    this.keyStart = key === zigzagNull ? -1 : keyStart
    this.keyEnd = key === zigzagNull ? -1 : keyEnd
    this.valueStart = value === zigzagNull ? -1 : valueStart
    this.valueEnd = value === zigzagNull ? -1 : valueEnd
    this.headerCount = 0
    this.headersStart = end
    this.headersEnd = end
    this.#position = end
    this.#recordsLeft--
    return true
  }

  /** False where one of the deltas is none that the record may have. */
  #setTimeAndOffset(timestampDelta: number, offsetDelta: number): boolean {
    const timestamp = this.#isLogAppendTime ? this.maxTimestamp : this.baseTimestamp + timestampDelta
    if (timestamp > Number.MAX_SAFE_INTEGER || timestamp < Number.MIN_SAFE_INTEGER) return false
    if (offsetDelta <= this.#offsetDelta || offsetDelta > this.#lastOffsetDelta) return false
    this.timestamp = timestamp
    this.offset = this.baseOffset + offsetDelta
    this.#offsetDelta = offsetDelta
    return true
  }

  #readRecord(): boolean {
    const length = this.#varint(this.#recordsEnd)
    const end = this.#position + length
    if (length < format.smallestRecordBytes - 1 || end > this.#recordsEnd)
      throw this.#damaged(`a record has ${length} bytes`)

    // The first byte holds attributes of the record, of which the format defines none.
    this.#position++
    const timestampDelta = this.#varlong(end)
    const offsetDelta = this.#varint(end)
    if (offsetDelta <= this.#offsetDelta || offsetDelta > this.#lastOffsetDelta) {
      throw this.#damaged(
        `offset delta ${offsetDelta} follows ${this.#offsetDelta}; the last is ${this.#lastOffsetDelta}`,
      )
    }
    this.#offsetDelta = offsetDelta
    this.offset = this.baseOffset + offsetDelta
    const timestamp = this.#isLogAppendTime ? this.maxTimestamp : this.baseTimestamp + timestampDelta
    if (timestamp > Number.MAX_SAFE_INTEGER || timestamp < Number.MIN_SAFE_INTEGER)
      throw this.#outOfRange('a timestamp')
    this.timestamp = timestamp

    const keyLength = this.#varint(end)
    if (keyLength < -1 || keyLength > end - this.#position) throw this.#damaged(`a key has ${keyLength} bytes`)
    this.keyStart = keyLength < 0 ? -1 : this.#position
    if (keyLength > 0) this.#position += keyLength
    this.keyEnd = keyLength < 0 ? -1 : this.#position

    const valueLength = this.#varint(end)
    if (valueLength < -1 || valueLength > end - this.#position) throw this.#damaged(`a value has ${valueLength} bytes`)
    this.valueStart = valueLength < 0 ? -1 : this.#position
    if (valueLength > 0) this.#position += valueLength
    this.valueEnd = valueLength < 0 ? -1 : this.#position

    this.#readRecordEnd(end)
    return true
  }

  /**
   * Looks where the keys of the next records of the batch are, without going to these: as far as records are as nearly all
   * are, and have keys. Nothing is verified but that the keys lie in the batch.
   */
  findKeysAhead(keys: KeysAhead): void {
    const { bytes } = this
    const { starts, ends } = keys
    const recordsEnd = this.#recordsEnd
    const most = Math.min(this.#recordsLeft, mostKeysAhead)
    let next = this.#position
    let count = 0
    while (count < most) {
      let position = next
      let length = bytes[position++]!
      if (length >= 0x80) length = (length & 0x7f) | (bytes[position++]! << 7)
      next = position + (length >>> 1)
      position++
      // The deltas of timestamp and offset, however long they are.
      while (bytes[position]! >= 0x80) position++
      position++
      while (bytes[position]! >= 0x80) position++
      position++
      let key = bytes[position++]!
      if (key >= 0x80) key = (key & 0x7f) | (bytes[position++]! << 7)
      const end = position + (key >>> 1)
      if ((length | key) >= 0x4000 || (key & 1) !== 0 || end > recordsEnd || next > recordsEnd) break
      starts[count] = position
      ends[count] = end
      count++
    }
    keys.bytes = bytes
    keys.count = count
  }

  /** The current record's headers, decoded now; their values are copies. */
  headers(): RecordHeader[] {
    return readHeaders(this.bytes, this.headersStart, this.headersEnd, this.headerCount)
  }

  #readRecordEnd(end: number): void {
    const count = this.#varint(end)
    this.headerCount = count
    this.headersStart = this.#position
    if (count !== 0) this.#skipHeaders(count, end)
    this.headersEnd = this.#position
    if (this.#position !== end) throw this.#damaged(`a record should end at byte ${end}`)
    this.#recordsLeft--
    if (this.#recordsLeft === 0 && end !== this.#recordsEnd) throw this.#damaged(`bytes follow the last record`)
  }

  #skipHeaders(count: number, end: number): void {
    // A header takes two bytes at least.
    if (count < 0 || count > (end - this.#position) / 2) throw this.#damaged(`a record has ${count} headers`)
    try {
      this.#position = headersEnd(this.bytes, this.#position, end, count)
    } catch (error) {
      throw this.#damaged(messageOf(error))
    }
  }

  /** May read a byte past `end`, harmlessly: the position is then beyond where the record must end. */
  #varint(end: number): number {
    const position = this.#position
    const byte = this.bytes[position]!
    if (byte >= 0x80) return this.#longVarint(position, end)
    this.#position = position + 1
    return (byte >>> 1) ^ -(byte & 1)
  }

  #varlong(end: number): number {
    const position = this.#position
    const byte = this.bytes[position]!
    if (byte >= 0x80) return this.#longVarlong(position, end)
    this.#position = position + 1
    return (byte >>> 1) ^ -(byte & 1)
  }

  #longVarint(start: number, end: number): number {
    try {
      const value = readVarint(this.bytes, start, end)
      this.#position = varintEnd(this.bytes, start)
      return value
    } catch (error) {
      throw this.#damaged(messageOf(error))
    }
  }

  #longVarlong(start: number, end: number): number {
    try {
      const value = readVarlong(this.bytes, start, end)
      this.#position = varintEnd(this.bytes, start)
      return value
    } catch (error) {
      const isCorrupt = error instanceof MillraceError && error.code === 'CORRUPT_BATCH'
      throw isCorrupt ? this.#damaged(error.message) : this.#outOfRange('a timestamp delta')
    }
  }

  #damaged(reason: string): MillraceError {
    this.#recordsLeft = 0
    if (this.bytes === this.#source) return format.corruptBatch(this.bytes, this.batchStart, this.#position, reason)
    const where = `${reason} (at byte ${this.#position} of what it decompresses to)`
    return format.corruptBatch(this.#source, this.batchStart, this.batchStart + format.batchHeaderBytes, where)
  }

  #outOfRange(what: string): MillraceError {
    this.#recordsLeft = 0
    return outOfRange(what, this.baseOffset)
  }

  /** The position after the batch that starts at `start`, once its length, magic number and checksum are found right. */
  #requireWholeBatch(start: number): number {
    const bytes = this.#source
    const rest = this.#end - start
    if (rest < format.batchHeaderBytes) {
      throw format.corruptBatch(
        bytes,
        start,
        start,
        `its header takes ${format.batchHeaderBytes} bytes, and ${rest} are left`,
      )
    }
    const size = format.batchSize(bytes, start)
    format.requireBatchShape(bytes, start, size)
    if (size > rest) {
      const at = start + format.batchLengthAt
      throw format.corruptBatch(bytes, start, at, `it says that it takes ${size} bytes, and ${rest} are left`)
    }
    if (this.#verifiesChecksum && !format.isChecksumValid(bytes, start)) {
      const computed = format.computeChecksum(bytes, start)
      const reason = `its checksum is ${computed}, not ${format.checksumOf(bytes, start)} as it says`
      throw format.corruptBatch(bytes, start, start + format.checksumAt, reason)
    }
    return start + size
  }

  #readHeader(start: number): void {
    const bytes = this.#source
    const attributes = format.attributesOf(bytes, start)
    const baseOffset = format.baseOffsetOf(bytes, start)
    const lastOffsetDelta = bytes.readInt32BE(start + format.lastOffsetDeltaAt)
    const recordCount = format.recordCountOf(bytes, start)
    if (baseOffset < 0) throw format.corruptBatch(bytes, start, start, `its base offset is ${baseOffset}`)
    if (baseOffset + lastOffsetDelta > Number.MAX_SAFE_INTEGER) throw outOfRange('the last offset', baseOffset)
    if (recordCount < 0 || recordCount > lastOffsetDelta + 1) throw this.#badRecordCount(start)
    this.baseOffset = baseOffset
    this.lastOffset = baseOffset + lastOffsetDelta
    this.#lastOffsetDelta = lastOffsetDelta
    this.leaderEpoch = format.leaderEpochOf(bytes, start)
    this.attributes = attributes
    this.baseTimestamp = readInt64(bytes, start + format.baseTimestampAt)
    this.maxTimestamp = format.maxTimestampOf(bytes, start)
    this.producerId = format.producerIdOf(bytes, start)
    this.producerEpoch = format.producerEpochOf(bytes, start)
    this.baseSequence = format.baseSequenceOf(bytes, start)
    this.recordCount = recordCount
    this.isControl = (attributes & format.controlBit) !== 0
    this.isTransactional = (attributes & format.transactionalBit) !== 0
    this.#isLogAppendTime = (attributes & format.logAppendTimeBit) !== 0
  }

  /** Takes the batch's records from where they are, or decompresses them, once its header is read. */
  #findRecords(dataStart: number, start: number, end: number): void {
    const codecId = this.attributes & format.compressionMask
    if (codecId === 0 || dataStart === end) {
      this.bytes = this.#source
      this.#position = dataStart
      this.#recordsEnd = end
    } else {
      this.bytes = this.#decompress(codecId, start, end)
      this.#position = 0
      this.#recordsEnd = this.bytes.length
    }
    const room = (this.#recordsEnd - this.#position) / format.smallestRecordBytes
    const isCountPossible = this.recordCount === 0 ? room === 0 : this.recordCount <= room
    if (!isCountPossible) throw this.#badRecordCount(start)
  }

  #decompress(codecId: number, start: number, end: number): Buffer {
    const codec = codecById(codecId)
    if (codec === undefined) throw unknownCodec(codecId, this.baseOffset)
    const dataStart = start + format.batchHeaderBytes
    try {
      return codec.decompress(this.#source.subarray(dataStart, end), this.#maxDecompressedBytes)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'RECORD_TOO_LARGE') {
        throw format.corruptBatch(this.#source, start, dataStart, messageOf(error))
      }
      throw error.placedAt({ offset: this.baseOffset })
    }
  }

  #badRecordCount(start: number): MillraceError {
    const bytes = this.#source
    const lastOffsetDelta = bytes.readInt32BE(start + format.lastOffsetDeltaAt)
    const reason = `it says that it has ${format.recordCountOf(bytes, start)} records up to delta ${lastOffsetDelta}`
    return format.corruptBatch(bytes, start, start + format.recordCountAt, reason)
  }
}

const noBytes: Buffer = Buffer.alloc(0)

/** The length -1, which stands for an absent key or value, as a varint. */
const zigzagNull = 1

function unknownCodec(id: number, baseOffset: number): MillraceError {
  const what = `The record batch is compressed with codec ${id}, which is none that Kafka knows`
  return new MillraceError('UNSUPPORTED_COMPRESSION', what, {
    at: { offset: baseOffset },
    remedy: 'Let its producer write gzip, snappy, lz4, zstd or none.',
  })
}

function outOfRange(what: string, baseOffset: number): MillraceError {
  const text = `The record batch has ${what} beyond 2^53 - 1`
  return new MillraceError('NUMBER_OUT_OF_RANGE', text, { at: { offset: baseOffset } })
}

settleShape(() => new BatchReader())
