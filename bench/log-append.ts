import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BatchBuilder } from '../src/record/batch-builder.ts'
import type { Compression } from '../src/record/compression.ts'
import { jsonEvents } from './events.ts'
import { compressionRatio, fillBatch } from './filled-topic.ts'
import { encodeBatch } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'
import { withScratchCluster } from './scratch-cluster.ts'

const recordCount = 500_000
const recordsPerBatch = 1_000
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

function append(
  name: string,
  flush: 'fsync' | 'page-cache',
  note: string,
  compression: Compression = 'none',
): Promise<Comparison> {
  const events = jsonEvents(recordCount, 1_000)
  const memory = Buffer.alloc(recordsPerBatch * 160)
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
