import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type KTable,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'
import type { Windowed } from '../../src/windowed.ts'

interface Purchase {
  readonly cents: number
}

const clicks = topic('clicks', { key: serde.string, value: serde.string })
const purchases = topic('purchases', { key: serde.string, value: serde.json<Purchase>() })
const out = topic('out', { key: serde.string, value: serde.string })
const plain = { value: serde.string }

const addClick = (sum: string, page: string): string | null => (page === 'DEL' ? null : `${sum}c${page}`)
const addPurchase = (sum: string, { cents }: Purchase): string => `${sum}p${cents}`

function cogrouped(builder: StreamsBuilder) {
  const byUser = builder.stream(clicks).groupByKey()
  return byUser.cogroup(addClick).cogroup(builder.stream(purchases).groupByKey(), addPurchase)
}

/** Results as `key@[start,end]: value at time`. */
function texts(table: KTable<Windowed<string>, string>): void {
  table.toStream((_value, { key, window }) => `${key}@[${window.start},${window.end}]`).to(out)
}

type Step = readonly ['click' | 'buy', key: string, value: string, timestamp: number]

function run(builder: StreamsBuilder, steps: readonly Step[], hasRestarts = false): string[][] {
  using driver = new TopologyTestDriver(builder.build())
  return steps.map(([what, key, value, timestamp]) => {
    if (what === 'click') driver.input(clicks).pipe({ key, value, timestamp })
    else driver.input(purchases).pipe({ key, value: { cents: Number(value) }, timestamp })
    if (hasRestarts) driver.restart()
    const results = driver.output(out).readAll()
    return results.map((record) => `${record.key}: ${record.value} at ${record.timestamp}`)
  })
}

describe('cogroup', () => {
  const steps: readonly Step[] = [
    ['click', 'a', '1', 5],
    ['buy', 'a', '20', 3],
    ['buy', 'b', '30', 4],
    ['click', 'a', 'DEL', 9],
    ['buy', 'a', '40', 2],
  ]

  it('folds the records of all streams into one result for each key', () => {
    const builder = new StreamsBuilder()
    cogrouped(builder)
      .aggregate(() => '', plain)
      .toStream()
      .to(out)
    const expected = [['a: c1 at 5'], ['a: c1p20 at 5'], ['b: p30 at 4'], ['a: null at 9'], ['a: p40 at 2']]
    expect(run(builder, steps)).toEqual(expected)
    expect(run(builder, steps, true)).toEqual(expected)
  })

  it('gives what one stream of all records would, in any order and over restarts', () => {
    const stepOf: fc.Arbitrary<Step> = fc.tuple(
      fc.constantFrom('click', 'buy'),
      fc.constantFrom('a', 'b'),
      fc.nat(9).map(String),
      fc.nat(40),
    )
    const windowsOf = fc.constantFrom<(b: StreamsBuilder, isSplit: boolean) => void>(
      (b, isSplit) => texts(aggregatedIn(TimeWindows.of(10).advanceBy(5).grace(100), b, isSplit)),
      (b, isSplit) => texts(aggregatedIn(SlidingWindows.of(10).grace(100), b, isSplit)),
      (b, isSplit) => texts(aggregatedInSessions(b, isSplit)),
    )
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 25 }), windowsOf, fc.boolean(), (given, write, hasRestarts) => {
        const [both, one] = [new StreamsBuilder(), new StreamsBuilder()]
        write(both, true)
        write(one, false)
        const clicksOnly = given.map(
          ([what, key, value, at]): Step => ['click', key, what === 'buy' ? `p${value}` : value, at],
        )
        expect(run(both, given, hasRestarts)).toEqual(run(one, clicksOnly))
      }),
      { numRuns: 40 },
    )
  })

  it('drops what is late by the time of its own stream, and routes it', () => {
    const late = topic('late', { key: serde.string, value: serde.json<unknown>() })
    const builder = new StreamsBuilder()
    texts(
      cogrouped(builder)
        .windowedBy(TimeWindows.of(10), { late })
        .aggregate(() => '', plain),
    )
    using driver = new TopologyTestDriver(builder.build())
    driver.input(clicks).pipe({ key: 'a', value: '1', timestamp: 100 })
    driver.input(clicks).pipe({ key: 'a', value: 'late', timestamp: 5 })
    // The window is gone from the store that both share, but not closed for this stream: the result is handed on.
    driver.input(purchases).pipe({ key: 'a', value: { cents: 7 }, timestamp: 5 })
    expect(
      driver
        .output(out)
        .readAll()
        .map(({ key, value }) => [key, value]),
    ).toEqual([
      ['a@[100,110]', 'c1'],
      ['a@[0,10]', 'p7'],
    ])
    expect(driver.output(late).readAll()).toMatchObject([{ key: 'a', value: 'late', timestamp: 5 }])
    expect(driver.drops()).toMatchObject([{ reason: 'late', count: 1 }])
  })

  it('takes re-keyed streams without names, for which Kafka Streams has no names for the topics', () => {
    const builder = new StreamsBuilder()
    const pages = builder.stream(clicks).groupBy((page) => page, { key: serde.string })
    const prices = builder.stream(purchases).groupBy(({ cents }) => `${cents}`, { key: serde.string })
    pages
      .cogroup((sum: string) => `${sum}c`)
      .cogroup(prices, (sum) => `${sum}p`)
      .aggregate(() => '', { ...plain, store: 'all' })
      .toStream()
      .to(out)
    const expected = [['7: c at 1'], ['7: cp at 2']]
    const given: readonly Step[] = [
      ['click', 'a', '7', 1],
      ['buy', 'b', '7', 2],
    ]
    expect(run(builder, given)).toEqual(expected)
    const topics = builder
      .build()
      .describe()
      .match(/all\S*-repartition\)/g)
    expect(topics).toEqual(['all-repartition)', 'all-1-repartition)'])
  })

  it('refuses a stream that is in already, and one of another builder', () => {
    const builder = new StreamsBuilder()
    const byUser = builder.stream(clicks).groupByKey()
    const begun = byUser.cogroup(addClick)
    expect(() => begun.cogroup(byUser, addClick)).toThrow('cogrouped with itself')
    const other = new StreamsBuilder().stream(clicks).groupByKey()
    expect(() => begun.cogroup(other, addClick)).toThrow('same StreamsBuilder')
  })
})

function aggregatedIn(windows: TimeWindows | SlidingWindows, builder: StreamsBuilder, isSplit: boolean) {
  if (isSplit) return cogrouped(builder).windowedBy(windows).aggregate(none, plain)
  return builder.stream(clicks).groupByKey().windowedBy(windows).aggregate(none, addEither, plain)
}

function aggregatedInSessions(builder: StreamsBuilder, isSplit: boolean) {
  const windows = SessionWindows.withGap(5).grace(100)
  const merger = (a: string, b: string) => a + b
  if (isSplit) return cogrouped(builder).windowedBy(windows).aggregate(none, merger, plain)
  return builder.stream(clicks).groupByKey().windowedBy(windows).aggregate(none, addEither, merger, plain)
}

const none = () => ''
const addEither = (sum: string, value: string) => (value.startsWith('p') ? `${sum}${value}` : `${sum}c${value}`)
