import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { BatchBuilder } from '../src/record/batch-builder.ts'
import type { Compression } from '../src/record/compression.ts'
import { type Events, jsonEvents, sizedEvents } from './events.ts'
import { compressionRatio, encodeAll, fillBatch } from './filled-topic.ts'
import { encodeBatch } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'
import { withScratchCluster } from './scratch-cluster.ts'

const recordCount = 500_000
const rounds = 7

/** Encoding records of 100 bytes into batches of 1,000 and appending them to a partition, against encoding them only. */
export function logAppend(): Promise<Comparison> {
  return append(
    'log append',
    'page-cache',
    'hand: encode + checksum into memory; ours also checks, numbers and writes to the page cache',
  )
}

export function logAppendSynced(): Promise<Comparison> {
  return append('log append, fsync', 'fsync', 'as above, every acknowledgement after a group fsync of the device')
}

/** The same with batches compressed, against the same loop without compression. */
export function logAppendCompressed(compression: Compression): Promise<Comparison> {
  const ratio = compressionRatio(jsonEvents(100_000, 1_000), compression).toFixed(1)
  return append(
    `log append, ${compression}`,
    'page-cache',
    `${ratio} times smaller; hand: as above, uncompressed`,
    compression,
  )
}

/** Records of another size, or in batches of another length: about as many bytes, but not more records, as above. */
export function logAppendShaped(valueBytes: number, batchRecords: number): Promise<Comparison> {
  const count = Math.min(recordCount, Math.floor(50_000_000 / (valueBytes + 16)), batchRecords * 50_000)
  return append(
    'log append',
    'page-cache',
    `${valueBytes} bytes a value, batches of ${batchRecords}`,
    'none',
    sizedEvents(count, 1_000, valueBytes),
    batchRecords,
  )
}

/** The bytes of finished batches, appended to a log, against the same bytes written to a file of the same disk one after the other. */
export function logAppendAgainstFile(): Promise<Comparison> {
  const events = jsonEvents(recordCount, 1_000)
  const bytes = encodeAll(events)
  return withScratchCluster('page-cache', async ({ cluster }, directory) => {
    let number = 0
    const eachBatch = (use: (batch: Buffer) => void): void => {
      for (let start = 0; start < bytes.length; ) {
        const end = start + 12 + bytes.readInt32BE(start + 8)
        use(bytes.subarray(start, end))
        start = end
      }
    }
    const ours = async () => {
      const topic = `append-${number++}`
      await cluster.createTopics([{ name: topic, partitions: 1 }])
      const acknowledged: Promise<unknown>[] = []
      eachBatch((batch) => acknowledged.push(cluster.append({ topic, partition: 0 }, batch)))
      await Promise.all(acknowledged)
      return events.count
    }
    const hand = () => {
      const file = openSync(join(directory, `file-${number++}`), 'w')
      eachBatch((batch) => writeSync(file, batch))
      closeSync(file)
      return events.count
    }
    const note = 'hand: the finished batches written to a plain file, page cache'
    return compare('log append', hand, ours, { rounds, note, before: () => touchPages(directory, bytes.length) })
  })
}

/** The same appends spread over many partitions, against all of them in one. */
export function logAppendOver(partitions: number): Promise<Comparison> {
  const events = jsonEvents(100_000, 1_000)
  const batchRecords = 10
  return withScratchCluster('page-cache', async ({ cluster }) => {
    let number = 0
    const builder = new BatchBuilder()
    const over = (count: number) => async () => {
      const topic = `append-${number++}`
      await cluster.createTopics([{ name: topic, partitions: count }])
      const start = process.hrtime.bigint()
      const acknowledged: Promise<unknown>[] = []
      for (let from = 0; from < events.count; from += batchRecords) {
        fillBatch(builder, events, from, from + batchRecords)
        acknowledged.push(cluster.append({ topic, partition: (from / batchRecords) % count }, builder.finish()))
        builder.clear()
      }
      await Promise.all(acknowledged)
      spentNs = Number(process.hrtime.bigint() - start)
      return events.count
    }
    let spentNs = 0
    const result = await compare('log append', over(1), over(partitions), {
      rounds: 3,
      note: `batches of ${batchRecords}; hand: the same into one partition; making the topic is counted`,
    })
    return { ...result, note: `${result.note}; without it ${Math.round(spentNs / events.count)} ns` }
  })
}

function append(
  name: string,
  flush: 'fsync' | 'page-cache',
  note: string,
  compression: Compression = 'none',
  events: Events = jsonEvents(recordCount, 1_000),
  recordsPerBatch = 1_000,
): Promise<Comparison> {
  const memory = Buffer.alloc(recordsPerBatch * (events.keyBytes + events.valueBytes + 60) + 100)
  return withScratchCluster(flush, async ({ cluster }, directory) => {
    let topicNumber = 0
    const builder = new BatchBuilder({ compression })
    const ours = async () => {
      // A topic for each round, removed with the directory: appends always go to new files, as a log's do.
      const topic = `append-${topicNumber++}`
      await cluster.createTopics([{ name: topic, partitions: 1 }])
      const partition = { topic, partition: 0 }
      const acknowledged: Promise<unknown>[] = []
      for (let from = 0; from < events.count; from += recordsPerBatch) {
        fillBatch(builder, events, from, Math.min(from + recordsPerBatch, events.count))
        acknowledged.push(cluster.append(partition, builder.finish()))
        builder.clear()
      }
      await Promise.all(acknowledged)
      return events.count
    }
    const hand = () => {
      for (let from = 0; from < events.count; from += recordsPerBatch) {
        encodeBatch(events, from, Math.min(from + recordsPerBatch, events.count), memory, 0)
      }
      return events.count
    }
    return compare(name, hand, ours, { rounds, note, before: () => touchPages(directory, events.count * 128) })
  })
}

/**
 * Writes and removes a file of the size that is about to be appended. On virtual machines the first touch of a page of memory
 * costs up to ten times a later one, which would make the runs differ by chance.
 */
function touchPages(directory: string, bytes: number): void {
  const path = join(directory, 'touched')
  writeFileSync(path, Buffer.alloc(bytes, 1))
  rmSync(path)
}
