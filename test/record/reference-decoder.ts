import type { PlainRecord } from './plain-record.ts'

/**
 * The format read the slow and obvious way, with bigints and a check before each step, to compare the cursor with.
 * Throws where anything is wrong; checksums are not looked at.
 */
export function decodeBatch(bytes: Buffer): PlainRecord[] {
  const size = bytes.readInt32BE(8) + 12
  require(size === bytes.length && bytes[16] === 2 && (bytes.readInt16BE(21) & 7) === 0)
  const baseOffset = toNumber(bytes.readBigInt64BE(0))
  const lastOffsetDelta = bytes.readInt32BE(23)
  const logAppendTime = (bytes.readInt16BE(21) & 8) !== 0
  const baseTimestamp = toNumber(bytes.readBigInt64BE(27))
  const maxTimestamp = toNumber(bytes.readBigInt64BE(35))
  toNumber(bytes.readBigInt64BE(43))
  const count = bytes.readInt32BE(57)
  require(baseOffset >= 0 && count >= 0 && count <= lastOffsetDelta + 1)
  toNumber(BigInt(baseOffset) + BigInt(lastOffsetDelta))

  let position = 61
  let lastDelta = -1
  const records: PlainRecord[] = []
  const varint = (end: number, bits: number): number => {
    let raw = 0n
    for (let shift = 0n; ; shift += 7n) {
      // Kafka takes no more bytes than the number can need, be they empty.
      require(position < end && shift < BigInt(bits))
      const byte = bytes[position++]!
      raw |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    require(raw < 1n << BigInt(bits))
    return toNumber((raw >> 1n) ^ -(raw & 1n))
  }
  const take = (length: number, end: number): Buffer => {
    require(length >= 0 && position + length <= end)
    position += length
    return Buffer.from(bytes.subarray(position - length, position))
  }
  const takeOrNull = (end: number): Buffer | null => {
    const length = varint(end, 32)
    return length === -1 ? null : take(length, end)
  }
  for (let index = 0; index < count; index++) {
    const length = varint(size, 32)
    const end = position + length
    require(length > 0 && end <= size)
    take(1, end)
    const timestampDelta = varint(end, 64)
    const timestamp = logAppendTime ? maxTimestamp : toNumber(BigInt(baseTimestamp) + BigInt(timestampDelta))
    const delta = varint(end, 32)
    require(delta > lastDelta && delta <= lastOffsetDelta)
    lastDelta = delta
    const key = takeOrNull(end)
    const value = takeOrNull(end)
    const headerCount = varint(end, 32)
    require(headerCount >= 0)
    const headers = []
    for (let header = 0; header < headerCount; header++) {
      headers.push({ key: take(varint(end, 32), end).toString(), value: takeOrNull(end) })
    }
    require(position === end)
    records.push({ offset: baseOffset + delta, timestamp, key, value, headers })
  }
  require(position === size)
  return records
}

function require(condition: boolean): void {
  if (!condition) throw new Error('damaged')
}

function toNumber(value: bigint): number {
  require(value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER))
  return Number(value)
}
