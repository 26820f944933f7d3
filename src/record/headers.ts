import { copyBytes } from '../bytes/copy-bytes.ts'
import { MillraceError } from '../errors.ts'
import { readVarint, sizeOfVarint, varintEnd, writeVarint } from './varint.ts'

/** What travels beside a record's value, such as a trace id. Keys may repeat; their order is kept. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** Headers as they are in a batch: `count` of them, whole, in `bytes[start..end)`. */
export interface HeaderRange {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
}

/** The headers in `bytes[start..)`, which `headersEnd` went through before. Their values are copies, the caller's own. */
export function readHeaders(bytes: Buffer, start: number, end: number, count: number): RecordHeader[] {
  const headers: RecordHeader[] = []
  let position = start
  for (let index = 0; index < count; index++) {
    const keyLength = readVarint(bytes, position, end)
    position = varintEnd(bytes, position)
    const key = bytes.toString('utf8', position, position + keyLength)
    position += keyLength
    const valueLength = readVarint(bytes, position, end)
    position = varintEnd(bytes, position)
    const value = valueLength < 0 ? null : Buffer.from(bytes.subarray(position, position + valueLength))
    position += Math.max(valueLength, 0)
    headers.push({ key, value })
  }
  return headers
}

/**
 * The position after `count` headers that start at `start`.
 * @throws MillraceError CORRUPT_BATCH where one of them does not end before `end`.
 */
export function headersEnd(bytes: Buffer, start: number, end: number, count: number): number {
  let position = start
  for (let index = 0; index < count; index++) {
    const keyLength = readVarint(bytes, position, end)
    position = varintEnd(bytes, position)
    if (keyLength < 0 || keyLength > end - position) throw badLength('key', keyLength, index, position)
    position += keyLength
    const valueLength = readVarint(bytes, position, end)
    position = varintEnd(bytes, position)
    if (valueLength < -1 || valueLength > end - position) throw badLength('value', valueLength, index, position)
    if (valueLength > 0) position += valueLength
  }
  return position
}

/** The number of bytes that `writeHeaders` writes. */
export function sizeOfHeaders(headers: readonly RecordHeader[]): number {
  let size = 0
  for (let index = 0; index < headers.length; index++) {
    const { key, value } = headers[index]!
    const keyLength = Buffer.byteLength(key)
    size += sizeOfVarint(keyLength) + keyLength
    size += value === null ? 1 : sizeOfVarint(value.length) + value.length
  }
  return size
}

/** Writes the headers, without their count, and returns the position after them; there is room for them. */
export function writeHeaders(bytes: Buffer, at: number, headers: readonly RecordHeader[]): number {
  let position = at
  for (let index = 0; index < headers.length; index++) {
    const { key, value } = headers[index]!
    position = writeVarint(bytes, position, Buffer.byteLength(key))
    position += bytes.write(key, position, 'utf8')
    position = writeVarint(bytes, position, value === null ? -1 : value.length)
    if (value !== null) position = copyBytes(value, 0, value.length, bytes, position)
  }
  return position
}

function badLength(part: string, length: number, index: number, position: number): MillraceError {
  const what = `Header ${index} says at byte ${position} that its ${part} takes ${length} bytes`
  return new MillraceError('CORRUPT_BATCH', what)
}
