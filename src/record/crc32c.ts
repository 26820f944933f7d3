import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/**
 * Below this many bytes the call into native code costs more than it saves: measured 190 ns plus 0.1 ns a byte against
 * 0.75 ns a byte for the loop, which takes eight bytes a turn through eight tables ("slicing by 8").
 */
const shortestNative = 320

const reversedPolynomial = 0x82f63b78
const tables: Int32Array = makeTables()

/** The CRC-32C (Castagnoli) of `bytes[start..end)` as an unsigned 32-bit integer. */
export function crc32c(bytes: Buffer, start: number, end: number): number {
  if (end - start < shortestNative) return crc32cInScript(bytes, start, end)
  return nativeCrc32c(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
}

function crc32cInScript(bytes: Buffer, start: number, end: number): number {
  let crc = -1
  let position = start
  for (const lastTurn = end - 8; position <= lastTurn; position += 8) {
    crc ^= bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24)
    crc =
      tables[1792 + (crc & 0xff)]! ^
      tables[1536 + ((crc >>> 8) & 0xff)]! ^
      tables[1280 + ((crc >>> 16) & 0xff)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[position + 4]!]! ^
      tables[512 + bytes[position + 5]!]! ^
      tables[256 + bytes[position + 6]!]! ^
      tables[bytes[position + 7]!]!
  }
  for (; position < end; position++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[position]!) & 0xff]!
  return ~crc >>> 0
}

/** Table 0 is the CRC of each byte; table n is that of the byte followed by n zeros. */
function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ reversedPolynomial : crc >>> 1
    made[byte] = crc
  }
  for (let index = 256; index < made.length; index++) {
    const previous = made[index - 256]!
    made[index] = (previous >>> 8) ^ made[previous & 0xff]!
  }
  return made
}
