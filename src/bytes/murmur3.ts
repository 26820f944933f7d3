/**
 * MurmurHash3's 128 bits for 64-bit machines, as Kafka Streams has it (from Apache Hive, seed 104729). Numbers of 64 bits are
 * pairs of 32-bit integers here, because BigInt takes ten times as long.
 */

const seed = 104_729

/** The product of the last `multiply`, the sum of the last `add`, the number of the last `rotate`, `mix` and `read`. */
let high = 0
let low = 0

/** Writes the hash of `bytes[start..end)` into `out[0..16)`. */
export function murmur3(bytes: Buffer, start: number, end: number, out: Buffer): void {
  let high1 = 0
  let low1 = seed
  let high2 = 0
  let low2 = seed
  let at = start
  for (; at + 16 <= end; at += 16) {
    firstWord(bytes.readInt32LE(at + 4), bytes.readInt32LE(at))
    rotate(high1 ^ high, low1 ^ low, 27)
    add(high, low, high2, low2)
    timesFivePlus(high, low, 0x52dce729)
    high1 = high
    low1 = low
    secondWord(bytes.readInt32LE(at + 12), bytes.readInt32LE(at + 8))
    rotate(high2 ^ high, low2 ^ low, 31)
    add(high, low, high1, low1)
    timesFivePlus(high, low, 0x38495ab5)
    high2 = high
    low2 = low
  }
  if (end - at > 8) {
    secondWord(partOf(bytes, at + 12, end), partOf(bytes, at + 8, end))
    high2 ^= high
    low2 ^= low
  }
  if (end > at) {
    firstWord(partOf(bytes, at + 4, end), partOf(bytes, at, end))
    high1 ^= high
    low1 ^= low
  }
  finish(high1, low1 ^ (end - start), high2, low2 ^ (end - start), out)
}

function finish(high1: number, low1: number, high2: number, low2: number, out: Buffer): void {
  add(high1, low1, high2, low2)
  const [sumHigh, sumLow] = [high, low]
  add(high2, low2, sumHigh, sumLow)
  const [otherHigh, otherLow] = [high, low]
  mix(sumHigh, sumLow)
  const [mixedHigh, mixedLow] = [high, low]
  mix(otherHigh, otherLow)
  const [lastHigh, lastLow] = [high, low]
  add(mixedHigh, mixedLow, lastHigh, lastLow)
  out.writeInt32BE(high | 0, 0)
  out.writeInt32BE(low | 0, 4)
  add(lastHigh, lastLow, high, low)
  out.writeInt32BE(high | 0, 8)
  out.writeInt32BE(low | 0, 12)
}

function firstWord(wordHigh: number, wordLow: number): void {
  multiply(wordHigh, wordLow, 0x87c37b91, 0x114253d5)
  rotate(high, low, 31)
  multiply(high, low, 0x4cf5ad43, 0x2745937f)
}

function secondWord(wordHigh: number, wordLow: number): void {
  multiply(wordHigh, wordLow, 0x4cf5ad43, 0x2745937f)
  rotate(high, low, 33)
  multiply(high, low, 0x87c37b91, 0x114253d5)
}

/** The little-endian number of the up to four bytes from `at` that there are. */
function partOf(bytes: Buffer, at: number, end: number): number {
  let part = 0
  for (let i = 0; i < 4 && at + i < end; i++) part |= (bytes[at + i] as number) << (8 * i)
  return part
}

function mix(h: number, l: number): void {
  multiply(h, l ^ (h >>> 1), 0xff51afd7, 0xed558ccd)
  multiply(high, low ^ (high >>> 1), 0xc4ceb9fe, 0x1a85ec53)
  low ^= high >>> 1
}

function add(h: number, l: number, otherHigh: number, otherLow: number): void {
  const sum = (l >>> 0) + (otherLow >>> 0)
  low = sum | 0
  high = (h + otherHigh + (sum > 0xffffffff ? 1 : 0)) | 0
}

function timesFivePlus(h: number, l: number, constant: number): void {
  multiply(h, l, 0, 5)
  add(high, low, 0, constant)
}

function multiply(h: number, l: number, otherHigh: number, otherLow: number): void {
  const upper = Math.imul(h, otherLow) + Math.imul(l, otherHigh)
  const [a, b] = [l >>> 16, l & 0xffff]
  const [c, d] = [otherLow >>> 16, otherLow & 0xffff]
  const lowest = b * d
  const middle = a * d + (lowest >>> 16)
  const crossing = b * c + (middle & 0xffff)
  low = Math.imul(l, otherLow)
  high = (upper + a * c + Math.floor(middle / 0x10000) + Math.floor(crossing / 0x10000)) | 0
}

/** By 1 to 63 bits to the left. */
function rotate(h: number, l: number, bits: number): void {
  const [first, second] = bits < 32 ? [h, l] : [l, h]
  const by = bits & 31
  high = (first << by) | (second >>> (32 - by))
  low = (second << by) | (first >>> (32 - by))
}
