import { describe, expect, it } from 'vitest'
import { type Connection, run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { all, inMemory, put } from './readings.ts'

const words = topic('words', { key: serde.string, value: serde.string, config: { 'retention.bytes': 1_000_000 } })
const copies = topic('copies', { key: serde.string, value: serde.string, config: { 'retention.ms': '1d' } })

function copying(): Topology {
  const builder = new StreamsBuilder()
  builder.stream(words).to(copies)
  return builder.build()
}

async function startOf(connection: Connection, topic: string): Promise<number> {
  const [range] = await connection.offsets([{ topic, partition: 0 }])
  return range?.start as number
}

describe('an application and what is deleted', () => {
  it('makes topics with the settings that they are declared with', async () => {
    await using connection = await inMemory()
    await using _app = await run(copying(), { applicationId: 'settings', cluster: connection })
    expect(await connection.describeTopics(['copies', 'words'])).toMatchObject([
      { name: 'copies', config: { 'retention.ms': '86400000' } },
      { name: 'words', config: { 'retention.bytes': '1000000' } },
    ])
  })

  it('deletes from repartition topics what it has committed, and goes on', async () => {
    await using connection = await inMemory()
    const builder = new StreamsBuilder()
    const counts = topic('counts', { key: serde.string, value: serde.json<number>() })
    builder
      .stream(words)
      .groupBy((word) => word, { key: serde.string, value: serde.string })
      .count({ store: 'by-word', value: serde.json<number>() })
      .toStream()
      .to(counts)
    const options = {
      applicationId: 'purge',
      cluster: connection,
      commitInterval: 5,
      repartitionPurgeInterval: 10,
    } as const
    const app = await run(builder.build(), options)
    let written = 0
    while ((await startOf(connection, 'purge-by-word-repartition')) < 3) {
      await put(connection, words, [['k', 'a', written++]])
      await app.caughtUp()
    }
    await app.close()
    expect((await all(connection, counts)).at(-1)).toEqual(['a', written, written - 1])
    expect(await startOf(connection, 'words')).toBe(0)
  })

  it('goes on where a partition begins, and counts what was deleted before it was read', async () => {
    await using connection = await inMemory()
    const first = await run(copying(), { applicationId: 'behind', cluster: connection })
    await put(connection, words, [['k', 'read', 1]])
    await first.caughtUp()
    await first.close()
    await put(connection, words, [
      ['k', 'deleted', 2],
      ['k', 'deleted too', 3],
      ['k', 'kept', 4],
    ])
    await connection.deleteRecords([{ topic: 'words', partition: 0, offset: 3 }])
    const second = await run(copying(), { applicationId: 'behind', cluster: connection })
    await second.caughtUp()
    await second.close()
    expect((await all(connection, copies)).map(([, value]) => value)).toEqual(['read', 'kept'])
    expect(second.metrics().drops).toMatchObject([{ reason: 'deleted-before-read', count: 2 }])
  })

  it('does the same while it runs', async () => {
    await using connection = await inMemory()
    await put(connection, words, [['k', 'read', 1]])
    const app = await run(copying(), { applicationId: 'running', cluster: connection })
    await app.caughtUp()
    // In one turn, so that the application sees the records only when they are gone.
    const { cluster } = connection
    const bytes = await recordsOf(connection)
    void cluster.append({ topic: 'words', partition: 0 }, bytes)
    await cluster.deleteRecords([{ topic: 'words', partition: 0, offset: -1 }])
    await put(connection, words, [['k', 'kept', 4]])
    await app.caughtUp()
    await app.close()
    const values = (await all(connection, copies)).map(([, value]) => value)
    const skipped = app.metrics().drops.reduce((sum, drop) => sum + drop.count, 0)
    expect(values.filter((value) => value === 'read')).toHaveLength(2 - skipped)
    expect(values.at(-1)).toBe('kept')
  })
})

/** The bytes of the topic's first batch. */
async function recordsOf(connection: Connection): Promise<Buffer> {
  const reader = connection.cluster.reader()
  reader.seek({ topic: 'words', partition: 0 }, 0)
  const [fetched] = await reader.fetch({ maxWaitMs: 0 })
  const bytes = Buffer.from(fetched?.bytes as Buffer)
  reader.close()
  return bytes
}
