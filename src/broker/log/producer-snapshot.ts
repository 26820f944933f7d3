import { ByteWriter } from '../../bytes/byte-writer.ts'
import { readInt64 } from '../../bytes/int64.ts'
import { unset } from '../../record/batch-format.ts'
import { crc32c } from '../../record/crc32c.ts'
import { ProducerEntry } from './producer-entry.ts'

/**
 * What a partition knows of its producers, in the bytes of Kafka's `.snapshot` files (ProducerSnapshot version 1): the
 * version as int16, a CRC-32C of all behind it, the number of producers, then 46 bytes for each. Of a producer's batches
 * only the last one is in it.
 */
const version = 1
const checksumAt = 2
const entriesAt = 6
const headerBytes = 10
const entryBytes = 46

export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const out = new ByteWriter()
  out.writeInt16(version)
  out.writeInt32(0)
  const countAt = out.reserve(4)
  let count = 0
  for (const entry of entries) {
    writeEntry(entry, out)
    count++
  }
  const bytes = out.toBuffer()
  bytes.writeInt32BE(count, countAt)
  bytes.writeUInt32BE(crc32c(bytes, entriesAt, bytes.length), checksumAt)
  return bytes
}

/** Undefined where the bytes are not a whole and right snapshot: then an older one and the log are used. */
export function decodeProducerSnapshot(bytes: Buffer): ProducerEntry[] | undefined {
  if (bytes.length < headerBytes || bytes.readInt16BE(0) !== version) return undefined
  const count = bytes.readInt32BE(entriesAt)
  if (count < 0 || bytes.length !== headerBytes + count * entryBytes) return undefined
  if (bytes.readUInt32BE(checksumAt) !== crc32c(bytes, entriesAt, bytes.length)) return undefined
  return Array.from({ length: count }, (_, i) => readEntry(bytes, headerBytes + i * entryBytes))
}

function writeEntry(entry: ProducerEntry, out: ByteWriter): void {
  out.writeInt64(entry.producerId)
  out.writeInt16(entry.producerEpoch)
  out.writeInt32(entry.lastSequence)
  out.writeInt64(entry.lastDataOffset)
  out.writeInt32(entry.lastOffsetDelta)
  out.writeInt64(entry.lastTimestamp)
  out.writeInt32(entry.coordinatorEpoch)
  out.writeInt64(entry.transactionStart)
}

function readEntry(bytes: Buffer, start: number): ProducerEntry {
  const entry = new ProducerEntry(readInt64(bytes, start))
  const lastSequence = bytes.readInt32BE(start + 10)
  const lastOffset = readInt64(bytes, start + 14)
  entry.producerEpoch = bytes.readInt16BE(start + 8)
  if (lastOffset !== unset) {
    entry.batches.push({ lastSequence, lastOffset, offsetDelta: bytes.readInt32BE(start + 22) })
  }
  entry.lastTimestamp = readInt64(bytes, start + 26)
  entry.coordinatorEpoch = bytes.readInt32BE(start + 34)
  entry.transactionStart = readInt64(bytes, start + 38)
  return entry
}
