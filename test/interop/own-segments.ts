import type { Broker } from '../../src/broker/broker.ts'
import type { PartitionLog } from '../../src/broker/log/partition-log.ts'
import { BatchBuilder, type BatchHeader } from '../../src/record/batch-builder.ts'
import type { Compression } from '../../src/record/compression.ts'
import { transactionMarkerBatch } from '../../src/record/control-record.ts'
import type { RecordHeader } from '../../src/record/headers.ts'

const firstTimestamp = 1_700_000_000_000
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Fills a topic for each kind of batch that our broker writes; returns their names. Texts are of one line, to be printed. */
export async function fillEveryKind(broker: Broker): Promise<string[]> {
  const topics = compressions.map((compression) => `codec-${compression}`)
  const plain = [...topics, 'many-batches', 'transactions'].map((name) => ({ name, partitions: 1 }))
  const config = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }
  await broker.createTopics([...plain, { name: 'compacted', partitions: 1, config }])
  for (const compression of compressions) {
    const log = broker.log(`codec-${compression}`, 0)
    for (const batch of everyShape(compression)) log.append(batch)
  }
  const log = broker.log('many-batches', 0)
  for (let i = 0; i < 3_000; i++)
    log.append(batchOf('none', [{ time: i * 3, key: `key ${i % 50}`, value: `value ${i}` }]))
  fillTransactions(broker.log('transactions', 0))
  const compacted = broker.log('compacted', 0)
  for (let i = 0; i < 3_000; i++) {
    compacted.append(
      batchOf('none', [{ time: i * 3, key: `key ${i % 900}`, value: i % 50 === 0 ? null : `value ${i}` }]),
    )
  }
  await broker.compact()
  return [...topics, 'many-batches', 'transactions', 'compacted']
}

/** Two producers, of which one aborts every transaction, until there are several segments with their indexes and snapshots. */
function fillTransactions(log: PartitionLog): void {
  for (let round = 0; round < 300; round++) {
    for (const producerId of [1, 2]) {
      const header = { producerId, producerEpoch: 0, baseSequence: round * 2, isTransactional: true }
      const records = [0, 1].map((i) => ({
        time: round,
        key: `producer ${producerId}`,
        value: `${round}.${i} ${'x'.repeat(100)}`,
      }))
      log.append(batchOf('none', records, header))
    }
    for (const producerId of [2, 1]) {
      const outcome = producerId === 1 ? 'commit' : 'abort'
      const marker = { producerId, producerEpoch: 0, outcome, coordinatorEpoch: 3, timestamp: firstTimestamp } as const
      log.append(transactionMarkerBatch(marker), 'coordinator')
    }
  }
}

interface TextRecord {
  readonly time: number
  readonly key: string | null
  readonly value: string | null
  readonly headers?: readonly RecordHeader[]
}

/** Null, empty and large; headers, also with null values; timestamps forth and back; batches of one and of many. */
function everyShape(compression: Compression): Buffer[] {
  const headers = [
    { key: 'trace', value: Buffer.from('abc') },
    { key: 'nothing', value: null },
    { key: '', value: Buffer.from('') },
  ]
  const many = Array.from({ length: 2_000 }, (_, i) => ({
    time: i * 40,
    key: i % 9 === 0 ? null : `k${i % 100}`,
    value: `some words, again and again ${i}`,
  }))
  const some = [
    { time: 0, key: null, value: null },
    { time: -20, key: '', value: '' },
    { time: 90_000, key: 'only a key', value: null },
    { time: 90_001, key: null, value: 'only a value' },
    { time: 3_000_000_000, key: 'later than 32 bits say', value: 'x'.repeat(70_000) },
    { time: 5, key: 'with', value: 'headers', headers },
  ]
  const alone = some.map((record) => batchOf(compression, [record]))
  return [...alone, batchOf(compression, some), batchOf(compression, many), ...alone]
}

function batchOf(compression: Compression, records: readonly TextRecord[], header: BatchHeader = {}): Buffer {
  const builder = new BatchBuilder({ compression })
  for (const { time, key, value, headers } of records) {
    const keyBytes = key === null ? null : Buffer.from(key)
    const valueBytes = value === null ? null : Buffer.from(value)
    const keyEnd = keyBytes?.length ?? 0
    builder.append(firstTimestamp + time, keyBytes, 0, keyEnd, valueBytes, 0, valueBytes?.length ?? 0, headers)
  }
  return Buffer.from(builder.finish(header))
}
