import type { Broker } from '../../src/broker/broker.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import type { Compression } from '../../src/record/compression.ts'
import type { RecordHeader } from '../../src/record/headers.ts'

const firstTimestamp = 1_700_000_000_000
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Fills a topic for each kind of batch that our broker writes; returns their names. Texts are of one line, to be printed. */
export async function fillEveryKind(broker: Broker): Promise<string[]> {
  const topics = compressions.map((compression) => `codec-${compression}`)
  await broker.createTopics([...topics, 'many-batches'].map((name) => ({ name, partitions: 1 })))
  for (const compression of compressions) {
    const log = broker.log(`codec-${compression}`, 0)
    for (const batch of everyShape(compression)) log.append(batch)
  }
  const log = broker.log('many-batches', 0)
  for (let i = 0; i < 3_000; i++)
    log.append(batchOf('none', [{ time: i * 3, key: `key ${i % 50}`, value: `value ${i}` }]))
  return [...topics, 'many-batches']
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

function batchOf(compression: Compression, records: readonly TextRecord[]): Buffer {
  const builder = new BatchBuilder({ compression })
  for (const { time, key, value, headers } of records) {
    const keyBytes = key === null ? null : Buffer.from(key)
    const valueBytes = value === null ? null : Buffer.from(value)
    const keyEnd = keyBytes?.length ?? 0
    builder.append(firstTimestamp + time, keyBytes, 0, keyEnd, valueBytes, 0, valueBytes?.length ?? 0, headers)
  }
  return Buffer.from(builder.finish())
}
