import { describe, expect, it } from 'vitest'
import { type OffsetReset, run, StreamsBuilder, serde, topic, topicPattern } from '../../src/index.ts'
import { all, inMemory, put } from './readings.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })

function copying(offsetReset: OffsetReset) {
  const builder = new StreamsBuilder()
  builder.stream(words, { offsetReset }).to(texts)
  return builder.build()
}

describe('where an application begins to read', () => {
  const values = async (offsetReset: OffsetReset, timestamps: readonly number[]) => {
    await using connection = await inMemory()
    await put(
      connection,
      words,
      timestamps.map((timestamp, i) => ['k', `before ${i}`, timestamp] as const),
    )
    await using app = await run(copying(offsetReset), { applicationId: 'copy', cluster: connection })
    await app.caughtUp()
    await put(connection, words, [['k', 'after', 1]])
    await app.caughtUp()
    return (await all(connection, texts)).map(([, value]) => value)
  }

  it('is at the first record, or behind the last', async () => {
    expect(await values('earliest', [1, 2])).toEqual(['before 0', 'before 1', 'after'])
    expect(await values('latest', [1, 2])).toEqual(['after'])
  })

  it('is at the first record that is not older than a duration, or behind the last', async () => {
    const now = Date.now()
    expect(await values({ by: '1h' }, [now - 7_200_000, now - 60_000, now])).toEqual(['before 1', 'before 2', 'after'])
    expect(await values({ by: '1h' }, [1, 2])).toEqual(['after'])
  })

  it('must have been committed, where the source says so', async () => {
    await using connection = await inMemory()
    await put(connection, words, [['k', 'v', 1]])
    const start = () => run(copying('none'), { applicationId: 'copy', cluster: connection })
    await expect(start()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', at: { topic: 'words', partition: 0 } })
    const first = await run(copying('earliest'), { applicationId: 'copy', cluster: connection })
    await first.caughtUp()
    await first.close()
    await using second = await start()
    await second.caughtUp()
    expect(second.metrics().recordsIn).toBe(0)
  })

  it('is where it stopped, whatever the source says', async () => {
    await using connection = await inMemory()
    for (const value of ['first', 'second']) {
      await put(connection, words, [['k', value, 1]])
      await using app = await run(copying('earliest'), { applicationId: 'copy', cluster: connection })
      await app.caughtUp()
    }
    expect((await all(connection, texts)).map(([, value]) => value)).toEqual(['first', 'second'])
  })
})

describe('a source of a pattern', () => {
  const sensors = topicPattern(/sensor-[ab]/, { key: serde.string, value: serde.string })
  const build = () => {
    const builder = new StreamsBuilder()
    builder
      .stream(sensors)
      .selectKey((value) => value)
      .repartition({ name: 'by-value', key: serde.string, value: serde.string })
      .to(texts)
    return builder.build()
  }

  it('reads all partitions of all topics that are there when the application starts', async () => {
    await using connection = await inMemory()
    for (const [name, partitions] of [
      ['sensor-a', 1],
      ['sensor-b', 3],
      ['sensor-c', 1],
    ] as const) {
      const each = topic(name, { key: serde.string, value: serde.string, partitions })
      await put(
        connection,
        each,
        Array.from({ length: 20 }, (_, i) => [`${i}`, `${name} ${i}`, 1] as const),
      )
    }
    await using app = await run(build(), { applicationId: 'all', cluster: connection })
    await app.caughtUp()
    const expected = ['sensor-a', 'sensor-b'].flatMap((name) => Array.from({ length: 20 }, (_, i) => `${name} ${i}`))
    expect((await all(connection, texts)).map(([, value]) => value).toSorted()).toEqual(expected.toSorted())
    const repartition = (await connection.describeTopics()).find(({ name }) => name === 'all-by-value-repartition')
    expect(repartition?.partitions).toBe(3)
  })

  it('needs one at least', async () => {
    await using connection = await inMemory()
    await expect(run(build(), { applicationId: 'all', cluster: connection })).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining('/sensor-[ab]/'),
    })
  })

  it('is not alone with a topic that another pattern matches', async () => {
    await using connection = await inMemory()
    await put(connection, topic('sensor-a', { key: serde.string, value: serde.string }), [['k', 'v', 1]])
    const builder = new StreamsBuilder()
    builder.stream(sensors).to(texts)
    builder.stream(topicPattern(/.*-a/, { key: serde.string, value: serde.string })).to(texts)
    await expect(run(builder.build(), { applicationId: 'all', cluster: connection })).rejects.toMatchObject({
      code: 'INVALID_TOPOLOGY',
      at: { topic: 'sensor-a' },
    })
  })
})
