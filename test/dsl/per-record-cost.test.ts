import { createHook } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import {
  JoinWindows,
  type KStream,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const records = 300
const distinctKeys = 7

/** Operators whose functions look at values only. */
const families: Readonly<Record<string, (input: KStream<string, number>) => KStream<unknown, unknown>>> = {
  'stateless operators': (input) =>
    input
      .filter((value) => value > 2)
      .mapValues((value) => value * 2)
      .peek(() => {})
      .flatMapValues((value) => [value, value + 1]),
  branches: (input) => {
    const { small, others } = input
      .split()
      .branch((value) => value < 50, { name: 'small' })
      .defaultBranch({ name: 'others' })
    return small.merge(others)
  },
  count: (input) => input.groupByKey().count().toStream(),
  reduce: (input) =>
    input
      .groupByKey()
      .reduce((sum, value) => sum + value)
      .toStream(),
  'tumbling windows': (input) => input.groupByKey().windowedBy(TimeWindows.of(100)).count().toStream(),
  'hopping windows': (input) => input.groupByKey().windowedBy(TimeWindows.of(100).advanceBy(20)).count().toStream(),
  'sliding windows': (input) => input.groupByKey().windowedBy(SlidingWindows.of(50)).count().toStream(),
  sessions: (input) => input.groupByKey().windowedBy(SessionWindows.withGap(8)).count().toStream(),
  'final results of windows': (input) =>
    input.groupByKey().windowedBy(TimeWindows.of(100)).emit('window-close').count().toStream(),
  'suppressed windows': (input) =>
    input.groupByKey().windowedBy(TimeWindows.of(100)).count().suppress(untilWindowCloses()).toStream(),
  'suppressed table': (input) => input.toTable().suppress(untilTimeLimit(20, 'unbounded')).toStream(),
  'tables with filters': (input) =>
    input
      .toTable({ store: 'rows' })
      .filter((value) => value > 20)
      .mapValues((value) => value + 1)
      .toStream(),
  'join of streams': (input) =>
    input
      .filter((value) => value < 50)
      .join(
        input.filter((value) => value >= 50),
        (a, b) => a + b,
        { within: JoinWindows.of(30) },
      ),
  'outer join of streams': (input) =>
    input
      .filter((value) => value < 50)
      .outerJoin(
        input.filter((value) => value >= 50),
        (a, b) => (a ?? 0) + (b ?? 0),
        {
          within: JoinWindows.of(30),
        },
      ),
  'join of stream and table': (input) =>
    input.join(input.toTable({ store: 'latest' }), (value, latest) => value + latest),
  'join of tables': (input) =>
    input
      .filter((value) => value < 50)
      .toTable({ store: 'low' })
      .join(input.filter((value) => value >= 50).toTable({ store: 'high' }), (a, b) => a + b)
      .toStream(),
}

describe('a record', () => {
  it.each(Object.entries(families))('makes no promise and decodes no key: %s', (_, build) => {
    let keysRead = 0
    let results = 0
    const key = {
      ...serde.string,
      read(bytes: Buffer, start: number, end: number): string {
        keysRead++
        return serde.string.read(bytes, start, end)
      },
    }
    const input = topic('in', { key, value: serde.float64 })
    const builder = new StreamsBuilder()
    build(builder.stream(input)).foreach(() => {
      results++
    })
    using driver = new TopologyTestDriver(builder.build())
    const pipe = driver.input(input)
    let promises = 0
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'PROMISE') promises++
      },
    })
    hook.enable()
    for (let i = 0; i < records; i++) {
      pipe.pipe({ key: `key-${i % distinctKeys}`, value: (i * 37) % 100, timestamp: i * 3 })
    }
    hook.disable()
    expect(results).toBeGreaterThan(10)
    expect(promises).toBe(0)
    expect(keysRead).toBe(0)
  })
})
