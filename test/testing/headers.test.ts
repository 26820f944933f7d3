import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type KStream, StreamsBuilder, serde, TimeWindows, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const rows = topic('rows', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })
const counts = topic('counts', { key: serde.string, value: serde.json<number>() })
const windows = topic('windows', { key: serde.windowed(serde.string, { size: 10 }), value: serde.json<number>() })

const header = (key: string, value: string) => ({ key, value: Buffer.from(value) })
const traced = [header('trace', 'a'), header('trace', 'b'), { key: 'empty', value: null }]

function driverOf(write: (words: KStream<string, string>, builder: StreamsBuilder) => void): TopologyTestDriver {
  const builder = new StreamsBuilder()
  write(builder.stream(words), builder)
  return new TopologyTestDriver(builder.build())
}

describe('headers', () => {
  it('are handed on as they came, in their order, with keys that repeat', () => {
    using driver = driverOf((stream) => stream.to(texts))
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1, headers: traced })
    expect(driver.output(texts).read()).toEqual({ key: 'k', value: 'v', timestamp: 1, headers: traced })
  })

  it('are those of each record alone', () => {
    using driver = driverOf((stream) => stream.to(texts))
    const input = driver.input(words)
    input.pipe({ key: 'k', value: 'v', timestamp: 1, headers: traced })
    input.pipe({ key: 'k', value: 'v', timestamp: 2 })
    const [first, second] = driver.output(texts).readAll()
    expect(first.headers).toEqual(traced)
    expect(second).not.toHaveProperty('headers')
  })

  it('go with every record that is made of one', () => {
    using driver = driverOf((stream) =>
      stream
        .flatMap((value, key) => [...value].map((letter) => [key + letter, letter] as const))
        .filter((letter) => letter !== 'b')
        .mapValues((letter) => letter.toUpperCase())
        .to(texts),
    )
    driver.input(words).pipe({ key: 'k', value: 'abc', timestamp: 1, headers: traced })
    expect(
      driver
        .output(texts)
        .readAll()
        .map(({ key, headers }) => [key, headers]),
    ).toEqual([
      ['ka', traced],
      ['kc', traced],
    ])
  })

  it('go through repartition topics, and a result has those of the record that made it', () => {
    using driver = driverOf((stream) =>
      stream
        .groupBy((value) => value, { key: serde.string })
        .count({ value: counts.value })
        .toStream()
        .to(counts),
    )
    const input = driver.input(words)
    input.pipe({ key: null, value: 'a', timestamp: 1, headers: [header('n', '1')] })
    input.pipe({ key: null, value: 'a', timestamp: 2, headers: [header('n', '2')] })
    input.pipe({ key: null, value: 'a', timestamp: 3 })
    expect(
      driver
        .output(counts)
        .readAll()
        .map(({ value, headers }) => [value, headers]),
    ).toEqual([
      [1, [header('n', '1')]],
      [2, [header('n', '2')]],
      [3, undefined],
    ])
  })

  it('of a result of windows are those of its last record', () => {
    using driver = driverOf((stream) =>
      stream.groupByKey().windowedBy(TimeWindows.of(10)).count({ value: counts.value }).toStream().to(windows),
    )
    const input = driver.input(words)
    input.pipe({ key: 'k', value: 'a', timestamp: 1, headers: [header('n', '1')] })
    input.pipe({ key: 'k', value: 'a', timestamp: 2, headers: [header('n', '2')] })
    expect(driver.output(windows).readAll().at(-1)?.headers).toEqual([header('n', '2')])
  })

  it('of a join with a table are those of the stream', () => {
    using driver = driverOf((stream, builder) =>
      stream.join(builder.table(rows), (value, row) => value + row).to(texts),
    )
    driver.input(rows).pipe({ key: 'k', value: 'row', timestamp: 1, headers: [header('of', 'table')] })
    driver.input(words).pipe({ key: 'k', value: 'word', timestamp: 2, headers: [header('of', 'stream')] })
    expect(driver.output(texts).read()?.headers).toEqual([header('of', 'stream')])
  })

  it('come through for any keys and values', () => {
    const anyHeader = fc.record({
      key: fc.string({ unit: 'grapheme', maxLength: 40 }),
      value: fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
    })
    fc.assert(
      fc.property(fc.array(fc.array(anyHeader, { maxLength: 5 }), { maxLength: 5 }), (lists) => {
        using driver = driverOf((stream) => stream.to(texts))
        for (const headers of lists) driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1, headers })
        const read = driver.output(texts).readAll()
        expect(read.map(({ headers = [] }) => headers)).toEqual(lists)
      }),
      { numRuns: 50 },
    )
  })
})
