import { writeInt64 } from '../../bytes/int64.ts'
import * as format from '../../record/batch-format.ts'
import type { BatchReader } from '../../record/batch-reader.ts'
import { codecById } from '../../record/compression.ts'
import { sizeOfVarint, sizeOfVarlong, varintEnd, writeVarint, writeVarlong } from '../../record/varint.ts'

/** What becomes of a batch of which no record is kept: it goes, or its header stays, to hold an offset or a sequence number. */
export type EmptyBatches = 'remove' | 'keep'

export interface BatchFilter {
  /** Whether the record that the reader stands at is kept. */
  readonly keeps: (reader: BatchReader) => boolean
  readonly empty: EmptyBatches
  /** From when on a tombstone that stays may be removed; set where the batch has one and says nothing of that yet. */
  readonly deleteHorizonMs: number
  /** Whether the batch gets the horizon although it has no tombstone: a marker whose transaction is gone. */
  readonly needsHorizon: boolean
}

const nothing: Buffer = Buffer.alloc(0)

/**
 * The batch that the reader has just come to, without the records that are not kept; empty where nothing of it stays. Its
 * offsets, first and last, its producer and its sequence numbers stay what they were. (Kafka: MemoryRecords.filterTo.)
 * `bytes` is what the reader was given.
 */
export function filterBatch(bytes: Buffer, reader: BatchReader, filter: BatchFilter): Buffer {
  const { batchStart, batchEnd, attributes } = reader
  const kept: Buffer[] = []
  let hasTombstone = false
  let maxTimestamp = format.unset
  let recordStart = (attributes & format.compressionMask) === 0 ? batchStart + format.batchHeaderBytes : 0
  const hadHorizon = (attributes & format.deleteHorizonBit) !== 0
  const timestamps: number[] = []
  while (reader.next()) {
    const start = recordStart
    recordStart = reader.headersEnd
    if (!filter.keeps(reader)) continue
    kept.push(reader.bytes.subarray(start, recordStart))
    timestamps.push(reader.timestamp)
    maxTimestamp = Math.max(maxTimestamp, reader.timestamp)
    if (reader.valueStart < 0) hasTombstone = true
  }
  if (kept.length === 0) return filter.empty === 'keep' ? emptied(bytes, batchStart) : nothing
  const setsHorizon = !hadHorizon && (hasTombstone || filter.needsHorizon)
  if (kept.length === reader.recordCount && !setsHorizon) return bytes.subarray(batchStart, batchEnd)
  const records = setsHorizon
    ? kept.map((record, i) => rebased(record, (timestamps[i] as number) - filter.deleteHorizonMs))
    : kept
  const isStamped = (attributes & format.logAppendTimeBit) !== 0
  const batch = withRecords(bytes, batchStart, Buffer.concat(records), attributes & format.compressionMask)
  batch.writeInt32BE(kept.length, format.recordCountAt)
  if (!isStamped) writeInt64(batch, format.maxTimestampAt, maxTimestamp)
  if (setsHorizon) {
    batch.writeInt16BE(attributes | format.deleteHorizonBit, format.attributesAt)
    writeInt64(batch, format.baseTimestampAt, filter.deleteHorizonMs)
  }
  return sealed(batch)
}

/** The header alone, without compression: it holds the offsets, the producer and its sequence numbers. */
function emptied(bytes: Buffer, start: number): Buffer {
  const batch = Buffer.from(bytes.subarray(start, start + format.batchHeaderBytes))
  batch.writeInt32BE(format.batchHeaderBytes - format.uncountedBytes, format.batchLengthAt)
  const kept = ~(format.compressionMask | format.deleteHorizonBit)
  batch.writeInt16BE(format.attributesOf(batch, 0) & kept, format.attributesAt)
  writeInt64(batch, format.baseTimestampAt, format.unset)
  batch.writeInt32BE(0, format.recordCountAt)
  return sealed(batch)
}

function withRecords(bytes: Buffer, start: number, records: Buffer, codecId: number): Buffer {
  const data = codecById(codecId)?.compress(records, undefined) ?? records
  const batch = Buffer.allocUnsafe(format.batchHeaderBytes + data.length)
  bytes.copy(batch, 0, start, start + format.batchHeaderBytes)
  data.copy(batch, format.batchHeaderBytes)
  batch.writeInt32BE(batch.length - format.uncountedBytes, format.batchLengthAt)
  return batch
}

function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(format.computeChecksum(batch, 0), format.checksumAt)
  return batch
}

/** The record with another timestamp delta. */
function rebased(record: Buffer, timestampDelta: number): Buffer {
  const bodyStart = varintEnd(record, 0)
  const attributesEnd = bodyStart + 1
  const restStart = varintEnd(record, attributesEnd)
  const length = 1 + sizeOfVarlong(timestampDelta) + (record.length - restStart)
  const out = Buffer.allocUnsafe(sizeOfVarint(length) + length)
  let position = writeVarint(out, 0, length)
  out[position++] = record[bodyStart] as number
  position = writeVarlong(out, position, timestampDelta)
  record.copy(out, position, restStart)
  return out
}
