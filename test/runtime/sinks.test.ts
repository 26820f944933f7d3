import { describe, expect, it } from 'vitest'
import { type Connection, run, StreamsBuilder, serde, type Topology, topic } from '../../src/index.ts'
import { inMemory, put } from './readings.ts'

const ofText = { key: serde.string, value: serde.string }
const words = topic('words', ofText)
const wide = topic('wide', { ...ofText, partitions: 3 })

function topologyOf(write: (builder: StreamsBuilder) => void): Topology {
  const builder = new StreamsBuilder()
  write(builder)
  return builder.build()
}

/** Values and the partitions they are in, by partition. */
async function placed(connection: Connection, name: string): Promise<string[]> {
  const found: string[] = []
  for await (const records of connection.consume(topic(name, ofText), { from: 'earliest', until: 'end' })) {
    for (const { value, partition } of records) found.push(`${value}@${partition}`)
  }
  return found.sort()
}

async function ran(connection: Connection, topology: Topology) {
  const app = await run(topology, { applicationId: 'spread', cluster: connection })
  await app.caughtUp()
  await app.close()
  return app.metrics()
}

describe('a partitioner', () => {
  const values = ['0', '1', '2', 'both', 'none', 'key']
  const partitioner = (_: string, value: string, partitions: number) => {
    if (value === 'both') return [0, partitions - 1]
    if (value === 'none') return []
    return value === 'key' ? undefined : Number(value)
  }

  it('chooses one partition, several, none or the default', async () => {
    await using connection = await inMemory()
    await put(
      connection,
      words,
      values.map((value) => ['k', value, 1] as const),
    )
    const metrics = await ran(
      connection,
      topologyOf((builder) => builder.stream(words).to(wide, { partitioner, name: 'sink' })),
    )
    const [ofKey] = (await placed(connection, 'wide')).filter((each) => each.startsWith('key'))
    expect(await placed(connection, 'wide')).toEqual(['0@0', '1@1', '2@2', 'both@0', 'both@2', ofKey].sort())
    expect(metrics.drops).toEqual([{ operator: 'sink', reason: 'no-partition', count: 1 }])
    expect(metrics.recordsOut).toBe(6)
  })

  it('is heard by repartition too', async () => {
    await using connection = await inMemory()
    await put(
      connection,
      words,
      values.map((value) => ['k', value, 1] as const),
    )
    await ran(
      connection,
      topologyOf((builder) =>
        builder
          .stream(words)
          .repartition({ name: 'by-value', partitions: 3, partitioner })
          .foreach(() => {}),
      ),
    )
    expect((await placed(connection, 'spread-by-value-repartition')).slice(0, 3)).toEqual(['0@0', '1@1', '2@2'])
  })

  it('ends the application where it chooses a partition that there is not', async () => {
    await using connection = await inMemory()
    await put(connection, words, [['k', 'v', 1]])
    const topology = topologyOf((builder) => builder.stream(words).to(wide, { partitioner: () => 3, name: 'sink' }))
    const app = await run(topology, { applicationId: 'spread', cluster: connection })
    await expect(app.closed).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('chose partition 3'),
      at: { operator: 'sink', topic: 'words', offset: 0 },
    })
  })
})

describe('a sink that chooses topics', () => {
  it('writes to all partitions of topics that are there, and to no others', async () => {
    await using connection = await inMemory()
    await connection.createTopics([wide])
    await put(
      connection,
      words,
      Array.from({ length: 30 }, (_, i) => [`${i}`, 'wide', 1] as const),
    )
    const topology = topologyOf((builder) => builder.stream(words).to((value) => value, { ...ofText, name: 'sink' }))
    await ran(connection, topology)
    expect(new Set(await placed(connection, 'wide'))).toEqual(new Set(['wide@0', 'wide@1', 'wide@2']))

    await put(connection, words, [['k', 'nowhere', 1]])
    const app = await run(topology, { applicationId: 'spread', cluster: connection })
    await expect(app.closed).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining("'nowhere'"),
      at: { operator: 'sink' },
    })
  })
})
