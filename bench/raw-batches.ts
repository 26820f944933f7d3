import { crc32c } from '@node-rs/crc32'

/**
 * Hand-written loops over record batches: what somebody would write who needs just this one thing, with everything inlined and
 * nothing checked but the checksum. They are the yardstick of the benchmarks, and share no code with the library.
 */

export interface RawRecords {
  readonly count: number
  /** Keys and values back to back, `keyBytes` and `valueBytes` long each. */
  readonly bytes: Buffer
  readonly keyBytes: number
  readonly valueBytes: number
  readonly firstTimestamp: number
  readonly timestampStep: number
}

const headerBytes = 61

/** Encodes records `[from, to)` as one batch at `at`; returns where it ends. */
export function encodeBatch(records: RawRecords, from: number, to: number, out: Buffer, at: number): number {
  const { bytes, keyBytes, valueBytes } = records
  const size = keyBytes + valueBytes
  let position = at + headerBytes
  for (let i = from; i < to; i++) {
    const source = i * size
    const offsetDelta = i - from
    const timestampDelta = (i - from) * records.timestampStep
    // attributes, timestamp delta, offset delta, key length, key, value length, value, header count
    const body =
      1 +
      varintBytes(timestampDelta) +
      varintBytes(offsetDelta) +
      varintBytes(keyBytes) +
      keyBytes +
      varintBytes(valueBytes) +
      valueBytes +
      1
    position = putVarint(out, position, body)
    out[position++] = 0
    position = putVarint(out, position, timestampDelta)
    position = putVarint(out, position, offsetDelta)
    position = putVarint(out, position, keyBytes)
    for (let b = 0; b < keyBytes; b++) out[position + b] = bytes[source + b]
    position += keyBytes
    position = putVarint(out, position, valueBytes)
    bytes.copy(out, position, source + keyBytes, source + size)
    position += valueBytes
    out[position++] = 0
  }
  const count = to - from
  const first = records.firstTimestamp + from * records.timestampStep
  finishBatch(out, at, position, count, first, first + (count - 1) * records.timestampStep)
  return position
}

/** Writes the header and the checksum of a batch whose records are in place. */
export function finishBatch(
  out: Buffer,
  at: number,
  end: number,
  count: number,
  firstTimestamp: number,
  maxTimestamp: number,
): void {
  out.writeBigInt64BE(0n, at)
  out.writeInt32BE(end - at - 12, at + 8)
  out.writeInt32BE(-1, at + 12)
  out[at + 16] = 2
  out.writeInt16BE(0, at + 21)
  out.writeInt32BE(count - 1, at + 23)
  out.writeBigInt64BE(BigInt(firstTimestamp), at + 27)
  out.writeBigInt64BE(BigInt(maxTimestamp), at + 35)
  out.writeBigInt64BE(-1n, at + 43)
  out.writeInt16BE(-1, at + 51)
  out.writeInt32BE(-1, at + 53)
  out.writeInt32BE(count, at + 57)
  out.writeUInt32BE(crc32c(out.subarray(at + 21, end)), at + 17)
}

/** Appends one record to a batch that is being built; returns where it ends. */
export function putRecord(
  out: Buffer,
  at: number,
  timestampDelta: number,
  offsetDelta: number,
  key: Buffer,
  keyStart: number,
  keyEnd: number,
  keySuffix: Buffer | undefined,
  value: Buffer,
  valueEnd: number,
): number {
  const keyLength = keyEnd - keyStart + (keySuffix?.length ?? 0)
  const body =
    1 +
    varintBytes(timestampDelta) +
    varintBytes(offsetDelta) +
    varintBytes(keyLength) +
    keyLength +
    varintBytes(valueEnd) +
    valueEnd +
    1
  let position = putVarint(out, at, body)
  out[position++] = 0
  position = putVarint(out, position, timestampDelta)
  position = putVarint(out, position, offsetDelta)
  position = putVarint(out, position, keyLength)
  for (let b = keyStart; b < keyEnd; b++) out[position++] = key[b]
  if (keySuffix !== undefined) for (let b = 0; b < keySuffix.length; b++) out[position++] = keySuffix[b]
  position = putVarint(out, position, valueEnd)
  for (let b = 0; b < valueEnd; b++) out[position++] = value[b]
  out[position++] = 0
  return position
}

/** Calls `visit` once per record with where its parts are; every checksum is verified. */
export function decodeBatches(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (timestamp: number, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => void,
): number {
  let count = 0
  for (let at = start; at < end; ) {
    const batchEnd = at + 12 + bytes.readInt32BE(at + 8)
    if (crc32c(bytes.subarray(at + 21, batchEnd)) !== bytes.readUInt32BE(at + 17)) throw new Error('checksum')
    const firstTimestamp = bytes.readInt32BE(at + 27) * 4_294_967_296 + bytes.readUInt32BE(at + 31)
    let position = at + headerBytes
    for (let left = bytes.readInt32BE(at + 57); left > 0; left--) {
      let byte = bytes[position++]
      let raw = byte & 127
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[position++]
        raw |= (byte & 127) << shift
      }
      const recordEnd = position + (raw >>> 1)
      position++
      byte = bytes[position++]
      raw = byte & 127
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[position++]
        raw |= (byte & 127) << shift
      }
      const timestamp = firstTimestamp + ((raw >>> 1) ^ -(raw & 1))
      while (bytes[position++] > 127);
      byte = bytes[position++]
      raw = byte & 127
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[position++]
        raw |= (byte & 127) << shift
      }
      const keyStart = position
      const keyEnd = position + (raw >>> 1)
      position = keyEnd
      byte = bytes[position++]
      raw = byte & 127
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[position++]
        raw |= (byte & 127) << shift
      }
      visit(timestamp, keyStart, keyEnd, position, position + (raw >>> 1))
      position = recordEnd
      count++
    }
    at = batchEnd
  }
  return count
}

function varintBytes(value: number): number {
  let left = value * 2
  let bytes = 1
  while (left > 127) {
    left = Math.floor(left / 128)
    bytes++
  }
  return bytes
}

/** Zigzag, for values that are not negative. */
function putVarint(out: Buffer, at: number, value: number): number {
  let left = value * 2
  let position = at
  while (left > 127) {
    out[position++] = (left & 127) | 128
    left = Math.floor(left / 128)
  }
  out[position++] = left
  return position
}
