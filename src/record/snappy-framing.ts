import { compressSync, uncompressSync } from 'snappy'
import { damagedData, decompressesToTooMuch, undecodable } from './decompression-error.ts'

/**
 * Snappy as Kafka has it: the framing of the Java library snappy-java (org.xerial.snappy.SnappyOutputStream), which is a
 * header of 16 bytes and then blocks, each with its length before it (int32). Data without the header is one raw block,
 * as some producers write it and Kafka reads it.
 *
 * A block begins with the size it decompresses to, for which the library takes the memory at once: so the sizes are added
 * up and held against the limit before anything is decompressed.
 */

const magic: Buffer = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
/** The magic, then the version of the format and the oldest version that can read it, both 1. */
const header: Buffer = Buffer.concat([magic, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])])
const lengthBytes = 4
/** Three bytes say at most 64 (a copy with an offset of two bytes), and no element says more per byte. */
const mostExpansion = 22
const longestSize = 5

/** Without this option the library hands out memory of its own, which costs several times as much as copying from it. */
const copied = { copyOutputData: true }

/** One block, whatever the size: readers take blocks of any. */
export function compressSnappy(records: Buffer): Buffer {
  const block = compressSync(records, copied)
  const data = Buffer.allocUnsafe(header.length + lengthBytes + block.length)
  header.copy(data, 0)
  data.writeInt32BE(block.length, header.length)
  block.copy(data, header.length + lengthBytes)
  return data
}

/** @throws MillraceError CORRUPT_BATCH, RECORD_TOO_LARGE */
export function decompressSnappy(data: Buffer, maxBytes: number): Buffer {
  if (!data.subarray(0, magic.length).equals(magic)) {
    const size = sizeOfBlock(data, 0, data.length)
    if (size > maxBytes) throw decompressesToTooMuch('snappy', maxBytes)
    return decompressBlock(data, 0, data.length, size)
  }
  const total = sizeOfBlocks(data, maxBytes)
  const records = Buffer.allocUnsafeSlow(total)
  let at = 0
  for (let start = header.length; start < data.length; ) {
    const end = endOfBlock(data, start)
    const size = sizeOfBlock(data, start + lengthBytes, end)
    const block = decompressBlock(data, start + lengthBytes, end, size)
    if (size === total) return block
    at += block.copy(records, at)
    start = end
  }
  return records
}

function sizeOfBlocks(data: Buffer, maxBytes: number): number {
  if (data.length < header.length) throw damagedData('snappy', 'its header is cut off')
  let total = 0
  for (let start = header.length; start < data.length; ) {
    const end = endOfBlock(data, start)
    total += sizeOfBlock(data, start + lengthBytes, end)
    if (total > maxBytes) throw decompressesToTooMuch('snappy', maxBytes)
    start = end
  }
  return total
}

function endOfBlock(data: Buffer, start: number): number {
  const left = data.length - start - lengthBytes
  const length = left < 0 ? -1 : data.readInt32BE(start)
  if (length < 1 || length > left) throw damagedData('snappy', `a block at byte ${start} does not fit it`)
  return start + lengthBytes + length
}

/** The size that a block says it decompresses to. */
function sizeOfBlock(data: Buffer, start: number, end: number): number {
  let size = 0
  for (let i = 0, unit = 1; i < longestSize && start + i < end; i++, unit *= 128) {
    const byte = data[start + i]!
    size += (byte & 0x7f) * unit
    if (byte >= 0x80) continue
    if (size <= (end - start) * mostExpansion) return size
    throw damagedData('snappy', `a block of ${end - start} bytes cannot hold the ${size} it says it does`)
  }
  throw damagedData('snappy', `a block at byte ${start} does not say its size`)
}

function decompressBlock(data: Buffer, start: number, end: number, size: number): Buffer {
  let records: Buffer
  try {
    records = uncompressSync(data.subarray(start, end), copied) as Buffer
  } catch (error) {
    throw undecodable('snappy', error)
  }
  if (records.length !== size) throw damagedData('snappy', `${records.length} bytes came out where it says ${size}`)
  return records
}
