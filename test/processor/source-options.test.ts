import { describe, expect, it } from 'vitest'
import { type SourceOptions, StreamsBuilder, serde, topic, topicPattern } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })

/** The event times of records, whose values are times, as a stream opened so has them. */
function times(options: SourceOptions<string, string>, values: readonly string[], startMs = 0) {
  const builder = new StreamsBuilder()
  builder.stream(words, options).to(texts)
  using driver = new TopologyTestDriver(builder.build(), { startMs })
  const input = driver.input(words)
  for (const value of values) input.pipe({ key: 'k', value, timestamp: 7 })
  return {
    times: driver
      .output(texts)
      .readAll()
      .map(({ timestamp }) => timestamp),
    drops: driver.drops(),
  }
}

describe('event times of a source', () => {
  const timestamp = (value: string) => Number(value)

  it('are what its function makes of the record', () => {
    expect(times({ timestamp }, ['5', '3.7']).times).toEqual([5, 3])
  })

  it('take the place of those that the topic reads', () => {
    const builder = new StreamsBuilder()
    const timed = topic('words', { ...words, timestamp: () => 1 })
    builder.stream(timed, { timestamp: () => 2 }).to(texts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(timed).pipe({ key: 'k', value: 'v', timestamp: 7 })
    expect(driver.output(texts).read()?.timestamp).toBe(2)
  })

  it('may follow from the times of the partition so far, and where the record is', () => {
    const seen: unknown[] = []
    const { times: made } = times(
      {
        timestamp(value, key, record) {
          seen.push([key, { ...record }])
          return Math.max(record.partitionTime + 1, Number(value))
        },
      },
      ['5', '3', '9'],
    )
    expect(made).toEqual([5, 6, 9])
    const at = { topic: 'words', partition: 0, timestamp: 7 }
    expect(seen).toEqual([
      ['k', { ...at, partitionTime: -1, offset: 0 }],
      ['k', { ...at, partitionTime: 5, offset: 1 }],
      ['k', { ...at, partitionTime: 6, offset: 2 }],
    ])
  })

  it('may be the time on the wall', () => {
    expect(times({ timestamp: 'wall-clock' }, ['5'], 1_234).times).toEqual([1_234])
  })

  it('that are none end the application, or are skipped, or replaced by the time of the partition', () => {
    const failed = expect.objectContaining({ code: 'INVALID_TIMESTAMP', at: expect.objectContaining({ offset: 1 }) })
    expect(() => times({ timestamp }, ['5', '-1'])).toThrow(failed)
    expect(() => times({ timestamp, invalidTimestamp: 'fail' }, ['5', 'x'])).toThrow(failed)
    expect(times({ timestamp, invalidTimestamp: 'skip' }, ['5', '-1', 'x', '6'])).toEqual({
      times: [5, 6],
      drops: [{ operator: 'KSTREAM-SOURCE-0000000000', reason: 'negative-timestamp', count: 2 }],
    })
    expect(times({ timestamp, invalidTimestamp: 'partition-time' }, ['5', '-1', '3', 'x']).times).toEqual([5, 5, 3, 5])
    expect(() => times({ timestamp, invalidTimestamp: 'partition-time' }, ['-1'])).toThrow(
      expect.objectContaining({ code: 'INVALID_TIMESTAMP' }),
    )
  })

  it('of the partition are kept over a restart', () => {
    const builder = new StreamsBuilder()
    builder.stream(words, { timestamp, invalidTimestamp: 'partition-time' }).to(texts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipe({ key: 'k', value: '5' })
    driver.restart()
    driver.input(words).pipe({ key: 'k', value: '-1' })
    expect(
      driver
        .output(texts)
        .readAll()
        .map((record) => record.timestamp),
    ).toEqual([5, 5])
  })

  it('are the same wherever a topic is opened', () => {
    const builder = new StreamsBuilder()
    builder.stream(words, { timestamp }).to(texts)
    builder.stream(words).to(texts)
    expect(() => builder.build()).toThrow("'KSTREAM-SOURCE-0000000000' reads the topic with other serdes or options")
  })
})

describe('a source of all topics with names of a pattern', () => {
  const sensors = topicPattern(/sensor-[a-z]+/, { key: serde.string, value: serde.string })
  const named = (name: string) => topic(name, { key: serde.string, value: serde.string })

  it('reads those whose whole name matches', () => {
    const builder = new StreamsBuilder()
    builder.stream(sensors).to(texts)
    using driver = new TopologyTestDriver(builder.build())
    for (const name of ['sensor-a', 'sensor-b', 'sensor-a']) {
      driver.input(named(name)).pipe({ key: 'k', value: name, timestamp: 1 })
    }
    expect(
      driver
        .output(texts)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['sensor-a', 'sensor-b', 'sensor-a'])
    expect(() => driver.input(named('my-sensor-a'))).toThrow("does not read the topic 'my-sensor-a'")
    expect(() => driver.input(named('sensor-1'))).toThrow("does not read the topic 'sensor-1'")
  })

  it('keeps its state when another topic comes', () => {
    const builder = new StreamsBuilder()
    const counts = topic('counts', { key: serde.string, value: serde.json<number>() })
    builder.stream(sensors).groupByKey().count({ value: counts.value }).toStream().to(counts)
    using driver = new TopologyTestDriver(builder.build())
    for (const name of ['sensor-a', 'sensor-b']) driver.input(named(name)).pipe({ key: 'k', value: name, timestamp: 1 })
    expect(
      driver
        .output(counts)
        .readAll()
        .map(({ value }) => value),
    ).toEqual([1, 2])
  })

  it('is described by the pattern, and opened once', () => {
    const builder = new StreamsBuilder()
    builder.stream(sensors).to(texts)
    builder.stream(sensors).foreach(() => {})
    expect(builder.build().describe()).toContain('Source: KSTREAM-SOURCE-0000000000 (topics: sensor-[a-z]+)\n')
  })

  it('does not match a topic that is named elsewhere', () => {
    for (const first of [sensors, named('sensor-a')]) {
      const builder = new StreamsBuilder()
      builder.stream(first)
      builder.stream(first === sensors ? named('sensor-a') : sensors)
      expect(() => builder.build()).toThrow("The topic 'sensor-a' is already read by")
    }
  })
})
