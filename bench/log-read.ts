import { BatchReader } from '../src/record/batch-reader.ts'
import type { Compression } from '../src/record/compression.ts'
import { type Events, jsonEvents, sizedEvents } from './events.ts'
import { compressionRatio, fillTopic, fillTopicCompressed } from './filled-topic.ts'
import { decodeBatches } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'
import { withScratchCluster } from './scratch-cluster.ts'

const recordCount = 500_000
const rounds = 9

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
        ? await fillTopic(connection, topic, events, batchRecords)
        : await fillTopicCompressed(connection, topic, events, compression)
    const reader = new BatchReader()
    let check = 0
    const ours = async () => {
      const log = cluster.reader()
      log.seek({ topic, partition: 0 }, 0)
      let count = 0
      check = 0
      while (count < events.count) {
        for (const fetched of await log.fetch({ maxWaitMs: 1_000 })) {
          reader.reset(fetched.bytes)
          while (reader.nextBatch()) {
            while (reader.next()) {
              check += reader.timestamp + reader.bytes[reader.keyStart] + (reader.valueEnd - reader.valueStart)
              count++
            }
          }
        }
      }
      log.close()
      return count
    }
    let handCheck = 0
    const hand = () => {
      handCheck = 0
      const count = decodeBatches(bytes, 0, bytes.length, (timestamp, keyStart, _keyEnd, valueStart, valueEnd) => {
        handCheck += timestamp + bytes[keyStart] + (valueEnd - valueStart)
      })
      if (check !== 0 && check !== handCheck) throw new Error('the two sides read different records')
      return count
    }
    return compare(name, hand, ours, { rounds, note })
  })
}
