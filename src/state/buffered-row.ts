import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import { type RecordHeader, readHeaders, sizeOfHeaders, writeHeaders } from '../record/headers.ts'
import { readVarint, sizeOfVarint, varintEnd, writeVarint } from '../record/varint.ts'
import type { Serde } from '../serde/serde.ts'
import { originEnd, type RecordOrigin, readOrigin, writeOrigin } from './record-origin.ts'

/** What waits for one key: an update of a table. */
export class BufferedRow {
  /** The row is handed on when event time is so far. */
  readonly time: number
  /** null where the update deletes. */
  value: unknown = null
  /** The value that was handed on last, as far as the table before knows; undefined where there is none. */
  readonly prior: unknown
  headers: readonly RecordHeader[] = []
  /** Where the update comes from. */
  topic = ''
  partition = -1
  offset = -1
  /** What the row takes by Kafka Streams' measure; 0 where nothing is measured. */
  bytes = 0

  constructor(time: number, prior: unknown) {
    this.time = time
    this.prior = prior
  }

  takeOrigin({ topic, partition, offset }: RecordOrigin): void {
    this.topic = topic
    this.partition = partition
    this.offset = offset
  }
}

const hasValue = 1
const hasPrior = 2

/** `time8 ‖ flags1 ‖ origin ‖ bytes ‖ header count ‖ headers ‖ [length4 ‖ prior value] ‖ [value]`, where bytes and count are varints. */
export function bufferedRowSerde(value: Serde<unknown>): Serde<BufferedRow> {
  return {
    name: `buffered(${value.name})`,
    write(row, out) {
      out.writeInt64(row.time)
      out.writeInt8((row.value === null ? 0 : hasValue) | (row.prior === undefined ? 0 : hasPrior))
      writeOrigin(row, out)
      writeCount(row.bytes, out)
      writeCount(row.headers.length, out)
      const headersAt = out.reserve(sizeOfHeaders(row.headers))
      writeHeaders(out.buffer, headersAt, row.headers)
      if (row.prior !== undefined) {
        const lengthAt = out.reserve(4)
        value.write(row.prior, out)
        out.buffer.writeInt32BE(out.length - lengthAt - 4, lengthAt)
      }
      if (row.value !== null) value.write(row.value, out)
    },
    read(bytes, start, end) {
      const flags = bytes[start + 8] as number
      const bytesAt = originEnd(bytes, start + 9)
      const countAt = varintEnd(bytes, bytesAt)
      const headerCount = readVarint(bytes, countAt, end)
      const headersAt = varintEnd(bytes, countAt)
      const headers = readHeaders(bytes, headersAt, end, headerCount)
      const priorAt = headersAt + sizeOfHeaders(headers)
      const priorEnd = (flags & hasPrior) === 0 ? priorAt : priorAt + 4 + bytes.readInt32BE(priorAt)
      const prior = priorEnd === priorAt ? undefined : value.read(bytes, priorAt + 4, priorEnd)
      const row = new BufferedRow(readInt64(bytes, start), prior)
      row.takeOrigin(readOrigin(bytes, start + 9))
      row.bytes = readVarint(bytes, bytesAt, end)
      row.headers = headers
      if ((flags & hasValue) !== 0) row.value = value.read(bytes, priorEnd, end)
      return row
    },
  }
}

/** A varint. */
function writeCount(count: number, out: ByteWriter): void {
  const at = out.reserve(sizeOfVarint(count))
  writeVarint(out.buffer, at, count)
}
