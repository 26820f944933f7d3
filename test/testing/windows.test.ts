import { describe, expect, it } from 'vitest'
import {
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  type TimeWindowedKStream,
  TimeWindows,
  topic,
  UnlimitedWindows,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

interface Sum {
  sum: number
}

const texts = topic('texts', { key: serde.string, value: serde.string })
const sums = topic('sums', { key: serde.string, value: serde.json<Sum>() })
const windowSums = topic('window-sums', { key: serde.windowed(serde.string, { size: 10 }), value: serde.json<Sum>() })

const windowCounts = topic('window-counts', { key: windowSums.key, value: serde.json<number>() })

/** Changes the sum in place, as aggregators may. */
const adding = (total: Sum, { sum }: Sum): Sum => {
  total.sum += sum
  return total
}

const firstText = (text: string): string => text

function finalSums(windows: TimeWindows | SlidingWindows): Record<string, number> {
  const builder = new StreamsBuilder()
  builder.stream(sums).groupByKey().windowedBy(windows).reduce(adding).toStream().to(windowSums)
  using driver = new TopologyTestDriver(builder.build())
  driver.input(sums).pipeAll([11, 14, 17].map((timestamp) => ({ key: 'a', value: { sum: 1 }, timestamp })))
  const results = driver.output(windowSums).readAll()
  return Object.fromEntries(results.map(({ key, value }) => [key?.window.start, value?.sum as number]))
}

describe('after a restart', () => {
  const results: Readonly<
    Record<string, (builder: StreamsBuilder, driver: () => TopologyTestDriver) => () => unknown>
  > = {
    'of time windows': (builder, driver) => {
      builder.stream(texts).groupByKey().windowedBy(TimeWindows.of(10)).reduce(firstText, { store: 'results' })
      return () => driver().store('results').get('a', 0)
    },
    'of sessions': (builder, driver) => {
      builder.stream(texts).groupByKey().windowedBy(SessionWindows.withGap(9)).reduce(firstText, { store: 'results' })
      return () => driver().store('results').find('a')[0]
    },
  }
  it.each(Object.keys(results))('results %s are expired as before, also where the last result is gone', (which) => {
    const builder = new StreamsBuilder()
    const find = results[which]?.(builder, () => driver)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(texts).pipe({ key: 'a', value: 'x', timestamp: 0 })
    expect(find?.()).toBeDefined()
    // The first result of another key is none, which deletes what is not there.
    driver.input(texts).pipe({ key: 'b', value: null, timestamp: 10 })
    expect(find?.()).toBeUndefined()
    driver.restart()
    expect(find?.()).toBeUndefined()
  })
})

describe('windows that overlap', () => {
  it('each have a first value of their own, which a reducer may change', () => {
    expect(finalSums(TimeWindows.of(10).advanceBy(5))).toEqual({ 5: 2, 10: 3, 15: 1 })
    expect(finalSums(SlidingWindows.of(10).grace(50))).toEqual({ 1: 1, 4: 2, 7: 3, 12: 2, 15: 1 })
  })
})

describe('sliding windows', () => {
  it('are read from their store by their starts, also after a restart', () => {
    const builder = new StreamsBuilder()
    builder.stream(texts).groupByKey().windowedBy(SlidingWindows.of(10)).count({ store: 'counts' })
    using driver = new TopologyTestDriver(builder.build())
    driver.input(texts).pipeAll([15, 18].map((timestamp) => ({ key: 'a', value: 'x', timestamp })))
    driver.restart()
    const store = driver.store('counts')
    expect([5, 8, 9, 16].map((start) => store.get('a', start))).toEqual([
      { value: 1, timestamp: 15 },
      { value: 2, timestamp: 18 },
      undefined,
      { value: 1, timestamp: 18 },
    ])
    expect(() => store.find('a')).toThrow('get(key, windowStart)')
  })

  it('are found by joins of their tables', () => {
    const builder = new StreamsBuilder()
    const windows = builder.stream(texts).groupByKey().windowedBy(SlidingWindows.of(10))
    const [counts, all] = [windows.count(), windows.reduce((before, value) => before + value)]
    const joined = counts.join(all, (count, text) => ({ sum: count * 10 + text.length }))
    joined.toStream().to(windowSums)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(texts).pipeAll([15, 18].map((timestamp) => ({ key: 'a', value: 'x', timestamp })))
    const results = driver.output(windowSums).readAll()
    const last = new Map(results.map(({ key, value, timestamp }) => [key?.window.start, [value?.sum, timestamp]]))
    expect(last).toEqual(
      new Map([
        [5, [11, 15]],
        [16, [11, 18]],
        [8, [22, 18]],
      ]),
    )
  })

  it('hand records that come too late to a topic', () => {
    const late = topic('late', { key: serde.string, value: serde.string })
    const builder = new StreamsBuilder()
    builder.stream(texts).groupByKey().windowedBy(SlidingWindows.of(10), { late }).count()
    using driver = new TopologyTestDriver(builder.build())
    const at = (timestamp: number, key = 'a') => ({ key, value: `${timestamp}`, timestamp })
    driver.input(texts).pipeAll([at(50), at(39), at(45, 'b'), at(50, 'b'), at(48, 'b')])
    // [35,45] is closed and no other window holds 45; [38,48] is closed too, but [40,50] holds 48.
    expect(
      driver
        .output(late)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['39', '45'])
    expect(driver.drops()).toMatchObject([
      { reason: 'late', count: 2 },
      { reason: 'late-for-some', count: 1 },
    ])
  })
})

describe('unlimited windows', () => {
  it('count records from before they begin', () => {
    const builder = new StreamsBuilder()
    builder.stream(texts).groupByKey().windowedBy(UnlimitedWindows.of().startOn(5)).count({ store: 'counts' })
    using driver = new TopologyTestDriver(builder.build())
    driver.input(texts).pipeAll([4, 5, 9_000, 3, 6].map((timestamp) => ({ key: 'a', value: 'x', timestamp })))
    driver.restart()
    expect(driver.store('counts').get('a', 5)).toEqual({ value: 3, timestamp: 9_000 })
    expect(driver.drops()).toMatchObject([{ reason: 'before-window', count: 2 }])
  })
})

describe("emit('window-close')", () => {
  it('loses nothing when time jumps further than windows are kept, and hands nothing on twice after a restart', () => {
    const builder = new StreamsBuilder()
    const windows = builder.stream(texts).groupByKey().windowedBy(TimeWindows.of(10).grace(5)).emit('window-close')
    windows.count({ value: windowCounts.value }).toStream().to(windowCounts)
    using driver = new TopologyTestDriver(builder.build())
    const output = driver.output(windowCounts)
    const finals = () => output.readAll().map(({ key, value }) => `${key?.key}@${key?.window.start}: ${value}`)
    driver.input(texts).pipeAll([3, 14, 12].map((timestamp) => ({ key: 'b', value: 'x', timestamp })))
    driver.input(texts).pipe({ key: 'a', value: 'x', timestamp: 13 })
    expect(finals()).toEqual([])
    driver.restart()
    driver.input(texts).pipe({ key: 'a', value: 'x', timestamp: 1_000_000 })
    expect(finals()).toEqual(['b@0: 1', 'a@10: 1', 'b@10: 2'])
    driver.restart()
    driver.input(texts).pipe({ key: 'a', value: 'x', timestamp: 1_000_014 })
    expect(finals()).toEqual([])
    driver.input(texts).pipe({ key: 'a', value: 'x', timestamp: 1_000_015 })
    expect(finals()).toEqual(['a@1000000: 1'])
  })

  it('gives the results of sliding windows that ended, by their starts', () => {
    const builder = new StreamsBuilder()
    builder
      .stream(texts)
      .groupByKey()
      .windowedBy(SlidingWindows.of(10))
      .emit('window-close')
      .count({ value: windowCounts.value })
      .toStream()
      .to(windowCounts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(texts).pipeAll([15, 18, 1_000].map((timestamp) => ({ key: 'a', value: 'x', timestamp })))
    const results = driver.output(windowCounts).readAll()
    expect(results.map(({ key, value }) => [key?.window.start, value])).toEqual([
      [5, 1],
      [8, 2],
      [16, 1],
    ])
  })

  it('hands on at most so often as it is told, by the clock on the wall, and loses nothing in between', () => {
    const finalsOf = (write: (builder: StreamsBuilder) => void, ...timestamps: number[]) => {
      const builder = new StreamsBuilder()
      write(builder)
      using driver = new TopologyTestDriver(builder.build(), { startMs: 5_000 })
      return timestamps.map((timestamp) => {
        if (timestamp === 1_000) driver.advanceWallClockTime(1_000)
        driver.input(texts).pipe({ key: 'a', value: 'x', timestamp })
        return driver
          .output(windowCounts)
          .readAll()
          .map(({ key }) => key?.window.start)
      })
    }
    const often = { every: '1s' } as const
    const count = { value: windowCounts.value }
    const grouped = (builder: StreamsBuilder) => builder.stream(texts).groupByKey()
    const times = finalsOf(
      (b) =>
        grouped(b).windowedBy(TimeWindows.of(10)).emit('window-close', often).count(count).toStream().to(windowCounts),
      0,
      20,
      500,
      1_000,
    )
    expect(times).toEqual([[], [], [], [0, 20, 500]])
    const sliding = finalsOf(
      (b) =>
        grouped(b)
          .windowedBy(SlidingWindows.of(10))
          .emit('window-close', often)
          .count(count)
          .toStream()
          .to(windowCounts),
      15,
      100,
      1_000,
    )
    expect(sliding).toEqual([[], [], [5, 90]])
    const sessions = finalsOf(
      (b) =>
        grouped(b)
          .windowedBy(SessionWindows.withGap(10))
          .emit('window-close', often)
          .count(count)
          .toStream()
          .to(windowCounts),
      15,
      100,
      1_000,
    )
    expect(sessions).toEqual([[], [], [15, 100]])
  })

  it('is refused for windows that never close', () => {
    const windows = new StreamsBuilder().stream(texts).groupByKey().windowedBy(UnlimitedWindows.of())
    const untyped = windows as unknown as TimeWindowedKStream<string, string>
    expect(() => untyped.emit('window-close')).toThrow('Unlimited windows never close')
  })
})
