import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { damagedData, decompressesToTooMuch, undecodable } from './decompression-error.ts'

/**
 * LZ4 as Kafka has it: one frame of the LZ4 frame format 1.6.x (org.apache.kafka.common.compress.Lz4BlockOutputStream). A
 * frame is a descriptor, then blocks with their lengths before them, then a block length of zero; checksums where the
 * descriptor says so.
 *
 * The library decompresses a frame as far as it goes: it takes memory as the frame asks for it, and takes an end that is cut
 * off for the end. So a frame is walked first: it must be whole, and what its blocks can decompress to must be within the limit.
 */

const magic = 0x184d2204
const magicBytes = 4
/** The two bytes of flags and the checksum of the descriptor. */
const leastDescriptorBytes = 3
const contentSizeBytes = 8
const checksumBytes = 4
const lengthBytes = 4

const versionMask = 0b1100_0000
const version1 = 0b0100_0000
const blockChecksumFlag = 0b1_0000
const contentSizeFlag = 0b1000
const contentChecksumFlag = 0b100
const dictionaryFlag = 0b1

const uncompressedBit = 0x8000_0000
/** A length in a block is written as bytes of up to 255, each of which adds that much. */
const mostExpansion = 255
const leastMatchBytes = 4

/** Blocks are independent, which Kafka demands, and 64 KiB to 4 MiB large, by the size of the records. */
export function compressLz4(records: Buffer): Buffer {
  return compressFrameSync(records)
}

/** @throws MillraceError CORRUPT_BATCH, RECORD_TOO_LARGE */
export function decompressLz4(data: Buffer, maxBytes: number): Buffer {
  const frame = readDescriptor(data)
  // Blocks but the last are usually full, so this is nearly the size; only where it is too much is the size counted.
  if (sizeOfBlocks(data, frame, mostOfBlock) > maxBytes && sizeOfBlocks(data, frame, countBlock) > maxBytes) {
    throw decompressesToTooMuch('lz4', maxBytes)
  }
  let records: Buffer
  try {
    records = decompressFrameSync(data)
  } catch (error) {
    throw undecodable('lz4', error)
  }
  if (frame.contentBytes >= 0 && frame.contentBytes !== records.length) {
    throw damagedData('lz4', `${records.length} bytes came out where it says ${frame.contentBytes}`)
  }
  return records
}

interface Descriptor {
  readonly blocksAt: number
  readonly maxBlockBytes: number
  readonly hasBlockChecksums: boolean
  readonly hasContentChecksum: boolean
  /** -1 where the frame does not say. */
  readonly contentBytes: number
}

function readDescriptor(data: Buffer): Descriptor {
  if (data.length < magicBytes + leastDescriptorBytes || data.readUInt32LE(0) !== magic) {
    throw damagedData('lz4', 'it does not begin as a frame')
  }
  const flags = data[magicBytes]!
  const blockSizeCode = (data[magicBytes + 1]! >>> 4) & 0b111
  if ((flags & versionMask) !== version1) throw damagedData('lz4', 'the frame is of another version')
  if ((flags & dictionaryFlag) !== 0) throw damagedData('lz4', 'the frame needs a dictionary')
  if (blockSizeCode < 4) throw damagedData('lz4', `the frame's block size has the code ${blockSizeCode}`)
  const hasContentSize = (flags & contentSizeFlag) !== 0
  const blocksAt = magicBytes + leastDescriptorBytes + (hasContentSize ? contentSizeBytes : 0)
  if (blocksAt > data.length) throw damagedData('lz4', 'the descriptor is cut off')
  return {
    blocksAt,
    maxBlockBytes: 1 << (8 + 2 * blockSizeCode),
    hasBlockChecksums: (flags & blockChecksumFlag) !== 0,
    hasContentChecksum: (flags & contentChecksumFlag) !== 0,
    contentBytes: hasContentSize ? Number(data.readBigUInt64LE(magicBytes + 2)) : -1,
  }
}

type BlockSize = (data: Buffer, start: number, end: number, maxBlockBytes: number) => number

/** Walks the blocks to the end of the frame, which must be the end of the data, and adds up what each decompresses to. */
function sizeOfBlocks(data: Buffer, frame: Descriptor, sizeOf: BlockSize): number {
  let total = 0
  let position = frame.blocksAt
  for (;;) {
    if (position + lengthBytes > data.length) throw damagedData('lz4', 'the frame is cut off')
    const length = data.readUInt32LE(position)
    position += lengthBytes
    if (length === 0) break
    const size = length & ~uncompressedBit
    const end = position + size
    if (end > data.length) throw damagedData('lz4', `a block of ${size} bytes is cut off`)
    total += length >= uncompressedBit ? size : sizeOf(data, position, end, frame.maxBlockBytes)
    position = end + (frame.hasBlockChecksums ? checksumBytes : 0)
  }
  if (frame.hasContentChecksum) position += checksumBytes
  if (position !== data.length) throw damagedData('lz4', `the frame should have ${position} bytes, not ${data.length}`)
  return total
}

function mostOfBlock(_data: Buffer, start: number, end: number, maxBlockBytes: number): number {
  return Math.min(maxBlockBytes, (end - start) * mostExpansion)
}

/** Follows the sequences of a block, literals and matches, without making them. */
function countBlock(data: Buffer, start: number, end: number, maxBlockBytes: number): number {
  let size = 0
  let position = start
  while (position < end) {
    const token = data[position++]!
    let literals = token >>> 4
    for (let more = literals === 15 ? 255 : 0; more === 255 && position < end; literals += more)
      more = data[position++]!
    size += literals
    // The literals, and the offset of the match; the last sequence has none.
    position += literals + 2
    if (position > end) break
    let match = token & 0b1111
    for (let more = match === 15 ? 255 : 0; more === 255 && position < end; match += more) more = data[position++]!
    size += match + leastMatchBytes
  }
  return Math.min(size, maxBlockBytes)
}
