import type { Cluster } from '../src/cluster/cluster.ts'
import { BatchReader } from '../src/record/batch-reader.ts'
import type { Compression } from '../src/record/compression.ts'
import { type Events, jsonEvents, sizedEvents } from './events.ts'
import { compressionRatio, fillTopic, fillTopicCompressed } from './filled-topic.ts'
import { decodeBatches } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'
import { withScratchCluster } from './scratch-cluster.ts'

const recordCount = 200_000
const rounds = 31

/** Reading records of 100 bytes from the log's files through the cluster port, against decoding the same bytes from memory. */
export function logRead(): Promise<Comparison> {
  return read('log read', 'none', 'both verify checksums; ours also reads the files (page cache)')
}

/** The same with compressed batches, against decoding the same records uncompressed. */
export function logReadCompressed(compression: Compression): Promise<Comparison> {
  const ratio = compressionRatio(jsonEvents(100_000, 1_000), compression).toFixed(1)
  return read(`log read, ${compression}`, compression, `${ratio} times smaller; hand: as above, uncompressed`)
}

/** Records of another size, or in batches of another length. */
export function logReadShaped(valueBytes: number, batchRecords: number): Promise<Comparison> {
  const count = Math.min(recordCount, Math.floor(50_000_000 / (valueBytes + 16)), batchRecords * 50_000)
  const events = sizedEvents(count, 1_000, valueBytes)
  return read('log read', 'none', `${valueBytes} bytes a value, batches of ${batchRecords}`, events, batchRecords)
}

/** Small batches spread over many partitions, read by one reader, against the same in one partition. */
export function logReadOver(partitions: number): Promise<Comparison> {
  const events = jsonEvents(recordCount, 1_000)
  const batchRecords = 10
  return withScratchCluster('page-cache', async (connection) => {
    await fillTopic(connection, 'one', events, { batchRecords })
    await fillTopic(connection, 'many', events, { batchRecords, partitions })
    const reading = new Reading()
    const over = (topic: string, count: number) => () => reading.readAll(connection.cluster, topic, count, events.count)
    const note = `batches of ${batchRecords}; hand: the same in one partition`
    return compare('log read', over('one', 1), over('many', partitions), { rounds: 11, note })
  })
}

/** Reads topics through the cluster port. */
class Reading {
  /** Something of each record that was read last, added up. */
  check = 0
  readonly #reader = new BatchReader()

  /** Reads a topic from the beginning until there were so many records. */
  async readAll(cluster: Cluster, topic: string, partitions: number, records: number): Promise<number> {
    const log = cluster.reader()
    for (let partition = 0; partition < partitions; partition++) log.seek({ topic, partition }, 0)
    this.check = 0
    let count = 0
    while (count < records) {
      for (const { bytes } of await log.fetch({ maxWaitMs: 1_000 })) count += this.#take(bytes)
    }
    log.close()
    return count
  }

  /** In a function of its own: the compiler keeps leaving a loop within one that waits. */
  #take(bytes: Buffer): number {
    const reader = this.#reader
    let count = 0
    let check = 0
    reader.reset(bytes)
    while (reader.nextBatch()) {
      while (reader.next()) {
        check += (reader.timestamp % 1_024) + reader.bytes[reader.keyStart] + (reader.valueEnd - reader.valueStart)
        count++
      }
    }
    this.check += check
    return count
  }
}

function read(
  name: string,
  compression: Compression,
  note: string,
  events: Events = jsonEvents(recordCount, 1_000),
  batchRecords = 1_000,
): Promise<Comparison> {
  return withScratchCluster('page-cache', async (connection) => {
    const { cluster } = connection
    const topic = 'read'
    const bytes =
      compression === 'none'
        ? await fillTopic(connection, topic, events, { batchRecords })
        : await fillTopicCompressed(connection, topic, events, compression)
    const ours = new Reading()
    let handCheck = 0
    const hand = () => {
      handCheck = 0
      const count = decodeBatches(bytes, 0, bytes.length, (timestamp, keyStart, _keyEnd, valueStart, valueEnd) => {
        handCheck += (timestamp % 1_024) + bytes[keyStart] + (valueEnd - valueStart)
      })
      if (ours.check !== 0 && ours.check !== handCheck) throw new Error('the two sides read different records')
      return count
    }
    return compare(name, hand, () => ours.readAll(cluster, topic, 1, events.count), { rounds, note })
  })
}
