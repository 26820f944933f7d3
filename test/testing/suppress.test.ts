import { describe, expect, it } from 'vitest'
import {
  type KTable,
  SessionWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const rows = topic('rows', { key: serde.string, value: serde.string })
const out = topic('out', { key: serde.string, value: serde.string })

/** Lists what is added to and subtracted from one group of all rows, as text. */
function sumOf(table: KTable<string, string>): void {
  table
    .groupBy((value) => ['all', value], { key: serde.string, value: serde.string })
    .aggregate(
      () => '',
      (sum, value) => `${sum}+${value}`,
      (sum, value) => `${sum}-${value}`,
      { value: serde.string },
    )
    .toStream()
    .to(out)
}

function outputsOf(builder: StreamsBuilder, steps: readonly [key: string, value: string | null, timestamp: number][]) {
  return [false, true].map((hasRestarts) => {
    using driver = new TopologyTestDriver(builder.build())
    return steps.map(([key, value, timestamp]) => {
      driver.input(rows).pipe({ key, value, timestamp })
      if (hasRestarts) driver.restart()
      const read = driver.output(out).readAll()
      return read.map((record) => `${record.key}: ${record.value} at ${record.timestamp}`).join(', ')
    })
  })
}

describe('suppress(untilTimeLimit())', () => {
  it('hands on the last update of each key when the first is old enough, also deletions', () => {
    const builder = new StreamsBuilder()
    builder.table(rows).suppress(untilTimeLimit(10, 'unbounded')).toStream().to(out)
    const steps = outputsOf(builder, [
      ['a', '1', 0],
      ['b', '1', 5],
      ['a', '2', 9],
      ['b', null, 10],
      ['c', '1', 15],
    ])
    expect(steps[0]).toEqual(['', '', '', 'a: 2 at 9', 'b: null at 10'])
    expect(steps[1]).toEqual(steps[0])
  })

  it('says what was handed on before, so that a group behind it takes out what it took in', () => {
    const builder = new StreamsBuilder()
    sumOf(builder.table(rows).suppress(untilTimeLimit(10, 'unbounded')))
    const steps = outputsOf(builder, [
      ['a', '1', 0],
      ['a', '2', 1],
      ['a', '3', 2],
      ['b', 'x', 10],
      ['a', '4', 11],
      ['a', '5', 12],
      ['b', 'y', 30],
    ])
    // Kafka Streams ends with +3-x+y-4+5: it takes out what was never handed on.
    expect(steps[0]).toEqual(['', '', '', 'all: +3 at 2', '', '', 'all: +3+y at 30, all: +3+y-3+5 at 30'])
    expect(steps[1]).toEqual(steps[0])
  })

  it('hands on early what waits longest where there is no room', () => {
    const builder = new StreamsBuilder()
    const bounded = untilTimeLimit('1h', { maxRecords: 2, whenFull: 'emit-early' })
    builder.table(rows).suppress(bounded).toStream().to(out)
    const steps = outputsOf(builder, [
      ['b', '1', 1],
      ['a', '1', 1],
      ['a', '2', 2],
      ['c', '1', 3],
      ['d', '1', 0],
    ])
    expect(steps[0]).toEqual(['', '', '', 'a: 2 at 2', 'd: 1 at 0'])
    expect(steps[1]).toEqual(steps[0])
  })

  it('counts bytes as Kafka Streams does', () => {
    const builder = new StreamsBuilder()
    // Each update takes 28 and the bytes of its key, its value and the name of the topic: 34 here.
    const bounded = untilTimeLimit('1h', { maxBytes: 68, whenFull: 'emit-early' })
    builder.table(rows).suppress(bounded).toStream().to(out)
    const steps = outputsOf(builder, [
      ['a', '1', 1],
      ['b', '1', 2],
      ['b', '22', 3],
      ['c', '333', 4],
    ])
    expect(steps[0]).toEqual(['', '', 'a: 1 at 1', 'b: 22 at 3'])
    expect(steps[1]).toEqual(steps[0])
  })

  it('stops the application where it is told to, with nothing of the record done', () => {
    const builder = new StreamsBuilder()
    const bounded = untilTimeLimit('1h', { maxRecords: 1, whenFull: 'shut-down' })
    builder.table(rows).suppress(bounded, { name: 'wait' }).toStream().to(out)
    using driver = new TopologyTestDriver(builder.build())
    const input = driver.input(rows)
    input.pipe({ key: 'a', value: '1', timestamp: 1 })
    const full = {
      code: 'BUFFER_FULL',
      at: expect.objectContaining({ operator: 'wait', store: 'wait-store' }),
      message: expect.stringContaining('The updates of 2 rows wait, where those of 1 may'),
    }
    expect(() => input.pipe({ key: 'b', value: '1', timestamp: 2 })).toThrow(expect.objectContaining(full))
    input.pipe({ key: 'a', value: '2', timestamp: 4_000_000 })
    expect(driver.output(out).readAll()).toEqual([{ key: 'a', value: '2', timestamp: 4_000_000 }])
  })

  it('carries the headers of the update that is handed on', () => {
    const builder = new StreamsBuilder()
    builder.table(rows).suppress(untilTimeLimit(5, 'unbounded')).toStream().to(out)
    using driver = new TopologyTestDriver(builder.build())
    const headers = (trace: string) => ({ headers: [{ key: 'trace', value: Buffer.from(trace) }] })
    driver.input(rows).pipe({ key: 'a', value: '1', timestamp: 1, ...headers('first') })
    driver.restart()
    driver.input(rows).pipe({ key: 'b', value: '1', timestamp: 9, ...headers('second') })
    expect(driver.output(out).read()).toMatchObject({ key: 'a', ...headers('first') })
  })

  it('keeps the rows of the table before it, as Kafka Streams does', () => {
    const builder = new StreamsBuilder()
    builder.table(rows).suppress(untilTimeLimit(5, 'unbounded')).toStream().to(out)
    const text = builder.build().describe()
    expect(text).toContain('KTABLE-SOURCE-0000000002 (stores: [rows-STATE-STORE-0000000000])')
    expect(text).toContain('KTABLE-SUPPRESS-0000000003 (stores: [KTABLE-SUPPRESS-STATE-STORE-0000000004])')
  })

  it('lets a join see what was handed on, not what waits', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(rows).suppress(untilTimeLimit(10, 'unbounded'))
    const questions = topic('questions', { key: serde.string, value: serde.string })
    builder
      .stream(questions)
      .leftJoin(table, (_, value) => value ?? 'none')
      .to(out)
    using driver = new TopologyTestDriver(builder.build())
    const ask = () => {
      driver.input(questions).pipe({ key: 'a', value: '?', timestamp: 0 })
      return driver.output(out).read()?.value
    }
    const put = (key: string, value: string, timestamp: number) => driver.input(rows).pipe({ key, value, timestamp })
    put('a', '1', 0)
    expect(ask()).toBe('none')
    put('b', '1', 10)
    expect(ask()).toBe('1')
    put('a', '2', 11)
    driver.restart()
    expect(ask()).toBe('1')
  })
})

describe('suppress(untilWindowCloses())', () => {
  it('gives a group behind it one value for each window', () => {
    const builder = new StreamsBuilder()
    const counts = builder.stream(rows).groupByKey().windowedBy(TimeWindows.of(10)).count()
    counts
      .suppress(untilWindowCloses())
      .groupBy((count) => ['all', `${count}`], { key: serde.string, value: serde.string })
      .aggregate(
        () => '',
        (sum, value) => `${sum}+${value}`,
        (sum, value) => `${sum}-${value}`,
        { value: serde.string },
      )
      .toStream()
      .to(out)
    const steps = outputsOf(builder, [
      ['a', 'x', 0],
      ['b', 'x', 1],
      ['a', 'x', 2],
      ['a', 'x', 10],
    ])
    expect(steps[0]).toEqual(['', '', '', 'all: +2 at 2, all: +2+1 at 2'])
    expect(steps[1]).toEqual(steps[0])
  })

  it('stops the application where more windows are open than may wait', () => {
    const builder = new StreamsBuilder()
    const sessions = builder.stream(rows).groupByKey().windowedBy(SessionWindows.withGap(10)).count()
    sessions.suppress(untilWindowCloses({ maxRecords: 2 }))
    using driver = new TopologyTestDriver(builder.build())
    const put = (key: string, timestamp: number) => driver.input(rows).pipe({ key, value: 'x', timestamp })
    put('a', 0)
    put('a', 5)
    put('b', 5)
    expect(() => put('c', 5)).toThrow(expect.objectContaining({ code: 'BUFFER_FULL' }))
    put('c', 1_000)
  })

  it('says how many bytes wait where these are bounded', () => {
    const builder = new StreamsBuilder()
    builder.table(rows).suppress(untilTimeLimit('1h', { maxBytes: 1, whenFull: 'shut-down' }))
    using driver = new TopologyTestDriver(builder.build())
    expect(() => driver.input(rows).pipe({ key: 'a', value: 'x', timestamp: 1 })).toThrow(
      /The updates of 1 rows that wait take \d+ bytes, where 1 may/,
    )
  })

  it('refuses bounds that are none', () => {
    expect(() => untilWindowCloses({ maxRecords: 0 })).toThrow('0 is no bound')
    expect(() => untilTimeLimit(1, { maxBytes: 0.5, whenFull: 'emit-early' })).toThrow('0.5 is no bound')
  })
})
