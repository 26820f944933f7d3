import type { Connection } from 'millrace'
import { BatchBuilder } from '../src/record/batch-builder.ts'
import type { Compression } from '../src/record/compression.ts'
import type { Events } from './events.ts'
import { encodeBatch } from './raw-batches.ts'

const recordsPerBatch = 1_000

export interface TopicFilling {
  /** Default: 1,000. */
  readonly batchRecords?: number
  /** A batch to one after the other. Default: 1. */
  readonly partitions?: number
}

/** Puts the events into a new topic, and returns the bytes of its batches. */
export async function fillTopic(
  { cluster }: Connection,
  topic: string,
  events: Events,
  { batchRecords = recordsPerBatch, partitions = 1 }: TopicFilling = {},
): Promise<Buffer> {
  const bytes = encodeAll(events, batchRecords)
  await cluster.createTopics([{ name: topic, partitions }])
  let start = 0
  for (let batch = 0; start < bytes.length; batch++) {
    const end = start + 12 + bytes.readInt32BE(start + 8)
    await cluster.append({ topic, partition: batch % partitions }, bytes.subarray(start, end))
    start = end
  }
  return bytes
}

/** The same with compressed batches; returns what they would be uncompressed. */
export async function fillTopicCompressed(
  { cluster }: Connection,
  topic: string,
  events: Events,
  compression: Compression,
): Promise<Buffer> {
  await cluster.createTopics([{ name: topic, partitions: 1 }])
  const builder = new BatchBuilder({ compression })
  for (let from = 0; from < events.count; from += recordsPerBatch) {
    fillBatch(builder, events, from, Math.min(from + recordsPerBatch, events.count))
    await cluster.append({ topic, partition: 0 }, builder.finish())
    builder.clear()
  }
  return encodeAll(events)
}

/** How many times smaller the events' batches are when they are compressed. */
export function compressionRatio(events: Events, compression: Compression): number {
  const builder = new BatchBuilder({ compression })
  let before = 0
  let after = 0
  for (let from = 0; from < events.count; from += recordsPerBatch) {
    fillBatch(builder, events, from, Math.min(from + recordsPerBatch, events.count))
    before += builder.sizeBytes
    after += builder.finish().length
    builder.clear()
  }
  return before / after
}

export function fillBatch(builder: BatchBuilder, events: Events, from: number, to: number): void {
  const { bytes, keyBytes, valueBytes, firstTimestamp, timestampStep } = events
  const size = keyBytes + valueBytes
  for (let i = from; i < to; i++) {
    const at = i * size
    builder.append(firstTimestamp + i * timestampStep, bytes, at, at + keyBytes, bytes, at + keyBytes, at + size)
  }
}

/** The events as batches of 1,000 or so many, back to back. */
export function encodeAll(events: Events, batchRecords: number = recordsPerBatch): Buffer {
  const batches = Math.ceil(events.count / batchRecords)
  const bytes = Buffer.alloc(events.count * (events.keyBytes + events.valueBytes + 24) + batches * 64 + 4_096)
  let end = 0
  for (let from = 0; from < events.count; from += batchRecords) {
    end = encodeBatch(events, from, Math.min(from + batchRecords, events.count), bytes, end)
  }
  return bytes.subarray(0, end)
}
