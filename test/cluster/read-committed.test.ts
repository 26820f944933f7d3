import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBroker } from '../../src/broker/broker.ts'
import type { PartitionLog } from '../../src/broker/log/partition-log.ts'
import type { LogReader } from '../../src/cluster/cluster.ts'
import { consume } from '../../src/cluster/consumer.ts'
import { EmbeddedCluster } from '../../src/cluster/embedded-cluster.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { serde } from '../../src/serde/serdes.ts'
import { topic } from '../../src/topic.ts'
import { marked, produced } from '../broker/log/producing.ts'
import { batchOf, worldOn } from '../broker/records.ts'

const t = { topic: 't', partition: 0 }

async function setUp(readBufferBytes = 4_096) {
  const environment = worldOn()
  const settings = { readBufferBytes, segmentBytes: 900 }
  const options = { address: 'embedded:data', directory: 'data', environment, flush: 'page-cache' as const, settings }
  const broker = await openBroker(options)
  await broker.createTopics([{ name: 't', partitions: 1 }])
  return { cluster: new EmbeddedCluster(broker, options), log: broker.log('t', 0) }
}

type Step = { readonly producer: number; readonly do: 'send' | 'abort' | 'commit' | 'plain'; readonly records: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    producer: fc.nat({ max: 3 }),
    do: fc.constantFrom('send', 'send', 'send', 'abort', 'commit', 'plain'),
    records: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 80, size: 'max' },
)

/** Carries the steps out; returns what readers of committed records are to see, in the order of the log. */
function carryOut(log: PartitionLog, steps: readonly Step[]): number[] {
  const written: { offset: number; transaction: { outcome: string } }[] = []
  const open = new Map<number, { outcome: string }>()
  const sequences = [0, 0, 0, 0]
  for (const { producer, do: what, records } of steps) {
    const transaction = open.get(producer) ?? { outcome: what === 'plain' ? 'commit' : 'open' }
    if (what === 'send' || (what === 'plain' && !open.has(producer))) {
      const batch = { producerId: producer, sequence: sequences[producer] as number, records }
      const offset = log.append(produced({ ...batch, isTransactional: what === 'send' }))
      sequences[producer] = (sequences[producer] as number) + records
      for (let i = 0; i < records; i++) written.push({ offset: offset + i, transaction })
      if (what === 'send') open.set(producer, transaction)
    } else if (what !== 'plain') {
      log.append(marked(what, producer), 'coordinator')
      transaction.outcome = what
      open.delete(producer)
    }
  }
  const undecided = written.findIndex(({ transaction }) => transaction.outcome === 'open')
  const decided = undecided < 0 ? written : written.slice(0, undecided)
  return decided.filter(({ transaction }) => transaction.outcome === 'commit').map(({ offset }) => offset)
}

async function offsetsSeen(reader: LogReader, from: number, end: number): Promise<number[]> {
  const offsets: number[] = []
  const batches = new BatchReader()
  reader.seek(t, from)
  for (let position = from; position < end; ) {
    const [fetched] = await reader.fetch({ maxWaitMs: 0 })
    expect(fetched?.nextOffset).toBeGreaterThan(position)
    if (fetched === undefined) break
    batches.reset(fetched.bytes)
    while (batches.nextBatch()) {
      while (batches.next()) if (!batches.isControl && batches.offset >= from) offsets.push(batches.offset)
    }
    position = fetched.nextOffset
  }
  return offsets
}

describe('a reader of committed records', () => {
  it('sees all of committed transactions up to the first that is open, and nothing of others, wherever it begins', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(61, 300, 4_096), fc.nat(), async (steps, readBufferBytes, anywhere) => {
        const { cluster, log } = await setUp(readBufferBytes)
        const expected = carryOut(log, steps)
        const [range] = await cluster.offsets([t], 'read-committed')
        const end = range?.end ?? -1
        expect(end).toBe(log.lastStableOffset)
        const from = anywhere % (end + 1)
        const reader = cluster.reader({ isolation: 'read-committed' })
        expect(await offsetsSeen(reader, from, end)).toEqual(expected.filter((offset) => offset >= from))
        expect(await reader.fetch({ maxWaitMs: 0 })).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  it('waits for the end of a transaction, which wakes it', async () => {
    const { cluster, log } = await setUp()
    const reader = cluster.reader({ isolation: 'read-committed' })
    reader.seek(t, 0)
    log.append(produced({ producerId: 1, sequence: 0, isTransactional: true }))
    const fetching = reader.fetch({ maxWaitMs: 60_000 })
    log.append(batchOf('behind'))
    log.append(marked('commit', 1), 'coordinator')
    const [fetched] = await fetching
    expect(fetched).toMatchObject({ fromOffset: 0, nextOffset: 3, highWatermark: 3 })
  })

  it('comes to the end of a partition whose last records are markers or aborted', async () => {
    const { cluster, log } = await setUp()
    const values = topic('t', { key: serde.string, value: serde.string })
    log.append(batchOf('a'))
    log.append(produced({ producerId: 1, sequence: 0, isTransactional: true }))
    log.append(marked('abort', 1), 'coordinator')
    const seen: (string | null)[] = []
    for await (const records of consume(cluster, values, { from: 'earliest', until: 'end' })) {
      seen.push(...records.map((record) => record.value))
    }
    expect(seen).toEqual(['a'])
    const all: unknown[] = []
    const uncommitted = { from: 'earliest', until: 'end', isolation: 'read-uncommitted' } as const
    for await (const records of consume(cluster, values, uncommitted)) all.push(...records)
    expect(all).toHaveLength(2)
  })
})
