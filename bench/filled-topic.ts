import type { Connection } from 'millrace'
import type { Events } from './events.ts'
import { encodeBatch } from './raw-batches.ts'

/** Puts the events into a new topic of one partition, in batches of 1,000, and returns the bytes that the log then holds. */
export async function fillTopic({ cluster }: Connection, topic: string, events: Events): Promise<Buffer> {
  const bytes = encodeAll(events)
  await cluster.createTopics([{ name: topic, partitions: 1 }])
  let start = 0
  while (start < bytes.length) {
    const end = start + 12 + bytes.readInt32BE(start + 8)
    await cluster.append({ topic, partition: 0 }, bytes.subarray(start, end))
    start = end
  }
  return bytes
}

/** The events as batches of 1,000, back to back. */
export function encodeAll(events: Events): Buffer {
  const recordsPerBatch = 1_000
  const bytes = Buffer.alloc(events.count * (events.keyBytes + events.valueBytes + 24) + 4_096)
  let end = 0
  for (let from = 0; from < events.count; from += recordsPerBatch) {
    end = encodeBatch(events, from, Math.min(from + recordsPerBatch, events.count), bytes, end)
  }
  return bytes.subarray(0, end)
}
