import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../src/cluster/cluster.ts'
import { BatchBuilder } from '../src/record/batch-builder.ts'
import type { Compression } from '../src/record/compression.ts'
import { type Events, jsonEvents, sizedEvents } from './events.ts'
import { compressionRatio, encodeAll, fillBatch } from './filled-topic.ts'
import { encodeBatch } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'
import { withScratchCluster } from './scratch-cluster.ts'

/** Rounds are short and many, so that some of them are left alone by the rest of the machine. */
const recordCount = 50_000
const rounds = 31

/** Encoding records of 100 bytes into batches of 1,000 and appending them to a partition, against encoding them only. */
export function logAppend(): Promise<Comparison> {
  return append(
    'log append',
    'page-cache',
    'hand: encode + checksum into memory; ours also checks, numbers and writes to the page cache',
  )
}

export function logAppendSynced(): Promise<Comparison> {
  return append(
    'log append, fsync',
    'fsync',
    'as above, every acknowledgement after a group fsync of the device',
    'none',
    jsonEvents(500_000, 1_000),
  )
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
    const nextTopic = topicMaker(cluster)
    let topic = ''
    let number = 0
    const eachBatch = (use: (batch: Buffer) => void): void => {
      for (let start = 0; start < bytes.length; ) {
        const end = start + 12 + bytes.readInt32BE(start + 8)
        use(bytes.subarray(start, end))
        start = end
      }
    }
    const before = async () => {
      topic = await nextTopic(1)
      touchPages(directory, bytes.length)
    }
    const ours = async () => {
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
    return compare('log append', hand, ours, { rounds, note, before })
  })
}

/** Appends in small batches spread over many partitions, against all of them in one. */
export function logAppendOver(partitions: number): Promise<Comparison> {
  const events = jsonEvents(recordCount, 1_000)
  const batchRecords = 10
  return withScratchCluster('page-cache', async ({ cluster }, directory) => {
    const nextTopic = topicMaker(cluster)
    const builder = new BatchBuilder()
    const topics = { one: await nextTopic(1), many: await nextTopic(partitions) }
    const over = (which: 'one' | 'many', count: number) => async () => {
      const topic = topics[which]
      const acknowledged: Promise<unknown>[] = []
      for (let from = 0; from < events.count; from += batchRecords) {
        fillBatch(builder, events, from, from + batchRecords)
        acknowledged.push(cluster.append({ topic, partition: (from / batchRecords) % count }, builder.finish()))
        builder.clear()
      }
      await Promise.all(acknowledged)
      return events.count
    }
    const note = `batches of ${batchRecords}; hand: the same into one partition`
    const before = () => touchPages(directory, events.count * 128)
    return compare('log append', over('one', 1), over('many', partitions), { rounds, note, before })
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
    const nextTopic = topicMaker(cluster)
    let topic = ''
    // A topic for each round, removed with the directory: appends always go to new files, as a log's do.
    const before = async () => {
      topic = await nextTopic(1)
      touchPages(directory, events.count * 128)
    }
    const builder = new BatchBuilder({ compression })
    const ours = async () => {
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
    return compare(name, hand, ours, { rounds, note, before })
  })
}

/** Makes one topic after the other, with so many partitions; returns its name. */
function topicMaker(cluster: Cluster): (partitions: number) => Promise<string> {
  let number = 0
  return async (partitions) => {
    const name = `append-${number++}`
    await cluster.createTopics([{ name, partitions }])
    return name
  }
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
