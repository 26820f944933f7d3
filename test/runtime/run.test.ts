import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import {
  connect,
  memoryEngine,
  run,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
  untilWindowCloses,
} from '../../src/index.ts'
import { all, type Entry, environmentOn, inMemory, put, table } from './readings.ts'

const words = topic('words', { key: serde.string, value: serde.string })

describe('run', () => {
  it('takes records through stateless operators to a topic', async () => {
    const out = topic('out', { key: serde.string, value: serde.string })
    await using connection = await inMemory()
    await put(connection, words, [
      ['a', 'one', 1],
      ['b', 'two', 2],
      [null, 'three', 3],
      ['c', null, 4],
    ])
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .filter((value) => value !== 'two')
      .mapValues((value, key) => `${key}:${value}`)
      .to(out)
    await using app = await run(builder.build(), { applicationId: 'chain', cluster: connection })
    await app.caughtUp()
    expect(await all(connection, out)).toEqual([
      ['a', 'a:one', 1],
      [null, 'null:three', 3],
      ['c', 'c:null', 4],
    ])
  })

  it('sends re-keyed records through a repartition topic, and counts each once', async () => {
    const wide = topic('lines', { key: serde.string, value: serde.string, partitions: 3 })
    await using connection = await inMemory()
    const lines: Entry<string, string>[] = Array.from({ length: 300 }, (_, i) => [
      `line-${i}`,
      `a b ${i % 2 ? 'c' : 'd'}`,
      i,
    ])
    await put(connection, wide, lines)
    const builder = new StreamsBuilder()
    builder
      .stream(wide)
      .flatMapValues((line) => line.split(' '))
      .groupBy((word) => word, { key: serde.string, value: serde.string })
      .count({ store: 'counts', value: serde.json<number>() })
      .toStream()
      .to(topic('word-counts', { key: serde.string, value: serde.json<number>() }))
    await using app = await run(builder.build(), { applicationId: 'wordcount', cluster: connection })
    await app.caughtUp()
    const result = await table(connection, topic('word-counts', { key: serde.string, value: serde.json<number>() }))
    expect(Object.fromEntries(result)).toEqual({ '"a"': 300, '"b"': 300, '"c"': 150, '"d"': 150 })
    const names = (await connection.describeTopics()).map((t) => [t.name, t.partitions])
    expect(names).toContainEqual(['wordcount-counts-repartition', 3])
    expect(names).toContainEqual(['wordcount-counts-changelog', 3])
  })

  it('goes on where the last run stopped, with its state', async () => {
    await using connection = await inMemory()
    const build = () => {
      const builder = new StreamsBuilder()
      builder.stream(words).groupByKey().count({ store: 'counts', value: serde.json<number>() }).toStream().to(results)
      return builder.build()
    }
    const results = topic('results', { key: serde.string, value: serde.json<number>() })
    for (const round of [1, 2, 3]) {
      await put(connection, words, [
        ['a', 'x', round],
        ['b', 'x', round],
        ['a', 'x', round],
      ])
      await using app = await run(build(), { applicationId: 'restarts', cluster: connection })
      await app.caughtUp()
      expect(app.metrics().recordsIn).toBe(3)
    }
    expect(await all(connection, results)).toEqual([
      ['a', 1, 1],
      ['b', 1, 1],
      ['a', 2, 1],
      ['a', 3, 2],
      ['b', 2, 2],
      ['a', 4, 2],
      ['a', 5, 3],
      ['b', 3, 3],
      ['a', 6, 3],
    ])
  })

  it('remembers after a restart what was late, and how many records were dropped', async () => {
    const late = topic('too-late', { key: serde.string, value: serde.string })
    const build = () => {
      const builder = new StreamsBuilder()
      builder
        .stream(words)
        .groupByKey()
        .windowedBy(TimeWindows.of(10), { late })
        .count({ value: serde.json<number>() })
        .toStream()
        .to(windows)
      return builder.build()
    }
    const windows = topic('windows', { key: serde.windowed(serde.string, { size: 10 }), value: serde.json<number>() })
    await using connection = await inMemory()
    await put(connection, words, [
      ['a', 'x', 5],
      ['a', 'x', 25],
      ['a', 'first late', 6],
    ])
    {
      await using app = await run(build(), { applicationId: 'late', cluster: connection })
      await app.caughtUp()
      expect(app.metrics().drops).toEqual([{ operator: 'KSTREAM-AGGREGATE-0000000003', reason: 'late', count: 1 }])
    }
    await put(connection, words, [['b', 'second late', 7]])
    await using app = await run(build(), { applicationId: 'late', cluster: connection })
    await app.caughtUp()
    expect(await all(connection, late)).toEqual([
      ['a', 'first late', 6],
      ['b', 'second late', 7],
    ])
    expect(app.metrics().drops).toEqual([{ operator: 'KSTREAM-AGGREGATE-0000000003', reason: 'late', count: 2 }])
  })

  it('emits one final result for each window through suppress, also across restarts', async () => {
    const finals = topic('finals', { key: serde.windowed(serde.string, { size: 10 }), value: serde.json<number>() })
    const build = () => {
      const builder = new StreamsBuilder()
      builder
        .stream(words)
        .groupByKey()
        .windowedBy(TimeWindows.of(10).grace(5))
        .count({ value: serde.json<number>() })
        .suppress(untilWindowCloses())
        .toStream()
        .to(finals)
      return builder.build()
    }
    await using connection = await inMemory()
    const batches: Entry<string, string>[][] = [
      [
        ['k', 'a', 3],
        ['k', 'a', 12],
      ],
      [
        ['k', 'a', 14],
        ['k', 'late but in time', 4],
      ],
      [['k', 'a', 15]],
      [['k', 'a', 40]],
    ]
    for (const batch of batches) {
      await put(connection, words, batch)
      await using app = await run(build(), { applicationId: 'suppressed', cluster: connection })
      await app.caughtUp()
    }
    expect(await all(connection, finals)).toEqual([
      [{ key: 'k', window: { start: 0, end: 10 } }, 2, 4],
      [{ key: 'k', window: { start: 10, end: 20 } }, 3, 15],
    ])
  })

  it('reads several topics in order of event time', async () => {
    const more = topic('more', { key: serde.string, value: serde.string })
    const out = topic('merged', { key: serde.string, value: serde.string })
    await using connection = await inMemory()
    await put(connection, words, [
      ['w', '1', 1],
      ['w', '4', 4],
      ['w', '5', 5],
    ])
    await put(connection, more, [
      ['m', '2', 2],
      ['m', '3', 3],
      ['m', '6', 6],
    ])
    const builder = new StreamsBuilder()
    builder.stream(words).merge(builder.stream(more)).to(out)
    await using app = await run(builder.build(), { applicationId: 'merge', cluster: connection })
    await app.caughtUp()
    expect((await all(connection, out)).map(([, value]) => value)).toEqual(['1', '2', '3', '4', '5', '6'])
  })
})

describe('what a user can get wrong', () => {
  it('stops at a function that throws, saying where, and commits nothing of the record', async () => {
    await using connection = await inMemory()
    await put(connection, words, [
      ['a', 'fine', 1],
      ['a', 'bad', 2],
    ])
    const build = (isMended: boolean) => {
      const builder = new StreamsBuilder()
      builder
        .stream(words)
        .mapValues(
          (value) => {
            if (value === 'bad' && !isMended) throw new Error('cannot do this')
            return value
          },
          { name: 'shout' },
        )
        .to(topic('shouted', { key: serde.string, value: serde.string }))
      return builder.build()
    }
    const app = await run(build(false), { applicationId: 'throws', cluster: connection })
    await expect(app.closed).rejects.toMatchObject({
      code: 'OPERATOR_FAILED',
      at: { topic: 'words', partition: 0, offset: 1, operator: 'shout' },
      message: expect.stringContaining('cannot do this'),
    })
    expect(app.state).toBe('failed')
    await using mended = await run(build(true), { applicationId: 'throws', cluster: connection })
    await mended.caughtUp()
    const values = (await all(connection, topic('shouted', { key: serde.string, value: serde.string }))).map(
      ([, v]) => v,
    )
    expect(values.at(-1)).toBe('bad')
  })

  it('stops at a record that cannot be decoded, or counts and skips it where asked', async () => {
    const asText = topic('numbers', { key: serde.string, value: serde.string })
    const asJson = topic('numbers', { key: serde.string, value: serde.json<number>() })
    const out = topic('doubled', { key: serde.string, value: serde.json<number>() })
    await using connection = await inMemory()
    await put(connection, asText, [
      ['a', '1', 1],
      ['b', '{oops', 2],
      ['c', '3', 3],
    ])
    const build = () => {
      const builder = new StreamsBuilder()
      builder
        .stream(asJson)
        .mapValues((n) => n * 2)
        .to(out)
      return builder.build()
    }
    const strict = await run(build(), { applicationId: 'strict', cluster: connection })
    await expect(strict.closed).rejects.toMatchObject({
      code: 'SERDE_FAILED',
      at: { topic: 'numbers', partition: 0, offset: 1 },
    })
    await using lenient = await run(build(), { applicationId: 'lenient', cluster: connection, badRecords: 'skip' })
    await lenient.caughtUp()
    expect(lenient.metrics().drops).toEqual([
      { operator: 'KSTREAM-SOURCE-0000000000', reason: 'undecodable', count: 1 },
    ])
    const values = (await all(connection, out)).map(([, value]) => value)
    expect(values.slice(-2)).toEqual([2, 6])
  })

  it('refuses an event time that is none', async () => {
    const timed = topic('timed', { key: serde.string, value: serde.json<number>(), timestamp: (value) => value })
    await using connection = await inMemory()
    await put(connection, topic('timed', { key: serde.string, value: serde.json<number>() }), [
      ['a', 5, 1],
      ['a', -5, 1],
    ])
    const builder = new StreamsBuilder()
    builder.stream(timed).foreach(() => {})
    const app = await run(builder.build(), { applicationId: 'timed', cluster: connection })
    await expect(app.closed).rejects.toMatchObject({ code: 'INVALID_TIMESTAMP', at: { offset: 1 } })
  })

  it('says where a timestamp function threw', async () => {
    const plain = { key: serde.string, value: serde.json<{ at?: { ms: number } }>() }
    const timed = topic('throwing', { ...plain, timestamp: (value) => value.at!.ms })
    await using connection = await inMemory()
    await put(connection, topic('throwing', plain), [['a', {}, 1]])
    const builder = new StreamsBuilder()
    builder.stream(timed).foreach(() => {})
    const app = await run(builder.build(), { applicationId: 'throwing', cluster: connection })
    await expect(app.closed).rejects.toMatchObject({
      code: 'OPERATOR_FAILED',
      at: { topic: 'throwing', partition: 0, offset: 0, operator: 'KSTREAM-SOURCE-0000000000' },
    })
  })

  it('stops when the disk is full, and goes on from its last commit when there is room', async () => {
    const disk = new MemoryDisk({ capacityBytes: 400_000 })
    const out = topic('copies', { key: serde.string, value: serde.string })
    const build = () => {
      const builder = new StreamsBuilder()
      builder
        .stream(words)
        .mapValues((value) => `${value} ${'x'.repeat(200)}`)
        .to(out)
      return builder.build()
    }
    const records = Array.from({ length: 2_000 }, (_, i): Entry<string, string> => [`k${i}`, 'word', i])
    const environment = environmentOn(disk)
    {
      await using connection = await connect('embedded:/data', { environment })
      await put(connection, words, records)
      const app = await run(build(), { applicationId: 'full', cluster: connection, environment, engine: memoryEngine })
      await expect(app.closed).rejects.toMatchObject({
        code: 'DISK_FULL',
        at: { path: expect.stringContaining('copies-0') },
      })
    }
    disk.capacityBytes = 4_000_000
    await using connection = await connect('embedded:/data', { environment })
    await using app = await run(build(), {
      applicationId: 'full',
      cluster: connection,
      environment,
      engine: memoryEngine,
    })
    await app.caughtUp()
    expect(new Set((await all(connection, out)).map(([key]) => key)).size).toBe(2_000)
  })

  it.each([
    [{ applicationId: 'has spaces' }, "'has spaces' is not an application id"],
    [{ commitInterval: '1week' as never }, "'1week' is not a commit interval"],
    [{ cluster: 'redis://x' }, "'redis://x' is not the address of a cluster"],
    [{ cluster: 'kafka://x' }, 'Kafka is not possible yet'],
  ])('refuses %j', async (wrong, message) => {
    const builder = new StreamsBuilder()
    builder.stream(words).foreach(() => {})
    const running = run(builder.build(), { applicationId: 'a', cluster: 'memory:', ...wrong })
    await expect(running).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) })
  })
})

describe('signals', () => {
  it('drains, commits and closes at the first, so that a second run reads nothing again', async () => {
    const environment = environmentOn(new MemoryDisk())
    await using connection = await inMemory(environment)
    await put(
      connection,
      words,
      Array.from({ length: 5_000 }, (_, i): Entry<string, string> => [`k${i % 7}`, 'x', i]),
    )
    const build = () => {
      const builder = new StreamsBuilder()
      builder.stream(words).groupByKey().count({ value: serde.json<number>() }).toStream().to(out)
      return builder.build()
    }
    const out = topic('drained', { key: serde.string, value: serde.json<number>() })
    const options = { applicationId: 'signals', cluster: connection, environment, commitInterval: '1h' } as const
    const app = await run(build(), options)
    environment.host.raise('SIGTERM')
    await app.closed
    expect(app.state).toBe('closed')
    expect(environment.host.exitCode).toBeUndefined()
    const first = app.metrics().recordsIn

    await using rest = await run(build(), options)
    await rest.caughtUp()
    expect(await all(connection, out)).toHaveLength(5_000)
    expect(first + rest.metrics().recordsIn).toBeGreaterThanOrEqual(5_000)
  })

  it('exits at once at the second', async () => {
    const environment = environmentOn(new MemoryDisk())
    await using connection = await inMemory(environment)
    const builder = new StreamsBuilder()
    builder.stream(words).foreach(() => {})
    const app = await run(builder.build(), { applicationId: 'signals', cluster: connection, environment })
    environment.host.raise('SIGINT')
    environment.host.raise('SIGTERM')
    expect(environment.host.exitCode).toBe(143)
    await app.closed
  })
})
