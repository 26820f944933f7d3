import { describe, expect, it } from 'vitest'
import {
  type StreamsBuilder as Builder,
  keyValueStore,
  type ReadOnlyStoreOf,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  sessionStore,
  TimeWindows,
  type TypedStore,
  timestampedKeyValueStore,
  timestampedWindowStore,
  topic,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const ofText = { key: serde.string, value: serde.string }
const words = topic('words', ofText)
const rows = topic('rows', ofText)
const asked = topic('asked', ofText)
const answers = topic('answers', ofText)
const counts = timestampedKeyValueStore('counts', { key: serde.string, value: serde.float64 })
const texts = timestampedKeyValueStore('texts', ofText)
const windows = timestampedWindowStore('windows', { key: serde.string, value: serde.float64, size: 10, retention: 100 })
const sessions = sessionStore('sessions', { key: serde.string, value: serde.float64, retention: 100 })

const refused = (what: string) =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(what) })

/** Answers each record of a topic with what a store says of its key. */
function answering<S, R>(builder: Builder, store: TypedStore<S, R>, answer: (store: R, key: string) => unknown): void {
  builder
    .stream(asked)
    .processValues(
      () => ({
        process: (record, context) =>
          context.forward(record.withValue(JSON.stringify(answer(context.readOnlyStore(store), record.key) ?? null))),
      }),
      { stores: [store], value: serde.string },
    )
    .to(answers)
}

/** The last answer to a question about the key, asked again after a restart. */
function askedTwice(builder: Builder, feed: (driver: TopologyTestDriver) => void, key = 'a'): (string | null)[] {
  using driver = new TopologyTestDriver(builder.build())
  feed(driver)
  const ask = () => driver.input(asked).pipe({ key, value: '?', timestamp: 50 })
  ask()
  driver.restart()
  ask()
  return driver
    .output(answers)
    .readAll()
    .map(({ value }) => value)
}

const pipeWords = (driver: TopologyTestDriver) => {
  for (const timestamp of [1, 2, 15]) driver.input(words).pipe({ key: 'a', value: 'x', timestamp })
}
const pipeRows = (driver: TopologyTestDriver) => driver.input(rows).pipe({ key: 'a', value: 'x', timestamp: 1 })
const valueIn = (store: ReadOnlyStoreOf<typeof texts>, key: string) => store.get(key)?.value

describe('a store that was declared for the results of an operator', () => {
  it('is read by processors that are given it, whichever of both comes first', () => {
    for (const isFirst of [true, false]) {
      const builder = new StreamsBuilder()
      if (isFirst) answering(builder, counts, (store, key) => store.get(key))
      builder.stream(words).groupByKey().count({ store: counts })
      if (!isFirst) answering(builder, counts, (store, key) => store.get(key))
      const answer = '{"value":3,"timestamp":15}'
      expect(askedTwice(builder, pipeWords)).toEqual([answer, answer])
    }
  })

  it('is one store of the sub-topology that both are in, and described as such', () => {
    const builder = new StreamsBuilder()
    builder.stream(words).groupByKey().count({ store: counts })
    answering(builder, counts, (store, key) => store.get(key))
    const topology = builder.build()
    expect(topology.subTopologies).toHaveLength(1)
    expect(topology.subTopologies[0]?.stores.map(({ name }) => name)).toEqual(['counts'])
    expect(topology.describe()).toContain('Processor: KSTREAM-PROCESSVALUES-0000000003 (stores: [counts])')
  })

  it('says serdes, logging and engine of the results', () => {
    const declared = timestampedKeyValueStore('counts', {
      key: serde.string,
      value: serde.string,
      logging: { 'segment.bytes': '1000' },
    })
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .groupByKey()
      .aggregate(
        () => '',
        (all, word) => `${all}${word}`,
        { store: declared },
      )
    const topology = builder.build()
    expect(topology.subTopologies[0]?.stores[0]?.changelogConfig['segment.bytes']).toBe('1000')
    using driver = new TopologyTestDriver(topology)
    pipeWords(driver)
    expect(driver.store(declared).get('a')).toEqual({ value: 'xxx', timestamp: 15 })
  })

  it('has the results of windows and of sessions', () => {
    const windowed = new StreamsBuilder()
    windowed.stream(words).groupByKey().windowedBy(TimeWindows.of(10)).count({ store: windows })
    answering(windowed, windows, (store, key) => [...store.fetch(key, {})].map(([start, { value }]) => [start, value]))
    expect(askedTwice(windowed, pipeWords)).toEqual(['[[0,2],[10,1]]', '[[0,2],[10,1]]'])

    const inSessions = new StreamsBuilder()
    inSessions.stream(words).groupByKey().windowedBy(SessionWindows.withGap(5)).count({ store: sessions })
    answering(inSessions, sessions, (store, key) => [...store.fetch(key)].map(([{ window }, value]) => [window, value]))
    const found = '[[{"start":1,"end":2},2],[{"start":15,"end":15},1]]'
    expect(askedTwice(inSessions, pipeWords)).toEqual([found, found])
  })

  const ofRows: Readonly<Record<string, (builder: Builder) => void>> = {
    table: (builder) => builder.table(rows, { store: texts }),
    toTable: (builder) => builder.stream(rows).toTable({ store: texts }),
    filter: (builder) => builder.table(rows).filter(() => true, { store: texts }),
    mapValues: (builder) => builder.table(rows).mapValues((value) => value, { store: texts }),
    transformValues: (builder) =>
      builder.table(rows).transformValues<string>(() => ({ transform: (value) => value }), { store: texts }),
    reduce: (builder) =>
      builder
        .stream(rows)
        .groupByKey()
        .reduce((a) => a, { store: texts }),
    'reduce of a grouped table': (builder) =>
      builder
        .table(rows)
        .groupBy((value, key) => [key, value], ofText)
        .reduce(
          (a) => a,
          () => null,
          { store: texts },
        ),
    cogroup: (builder) =>
      builder
        .stream(rows)
        .groupByKey()
        .cogroup((_all: string, value) => value)
        .aggregate(() => '', { store: texts }),
    join: (builder) => builder.table(rows).leftJoin(builder.table(words), (a) => a, { store: texts }),
    'join by foreign key': (builder) =>
      builder.table(rows).leftJoin(builder.table(words), (a) => a, { foreignKey: (a) => a, store: texts }),
  }
  it.each(Object.keys(ofRows))('has the rows of %s', (operator) => {
    const builder = new StreamsBuilder()
    ofRows[operator]?.(builder)
    answering(builder, texts, valueIn)
    expect(askedTwice(builder, pipeRows)).toEqual(['"x"', '"x"'])
  })

  it('has the rows of a global table, which needs no connection', () => {
    const builder = new StreamsBuilder()
    builder.globalTable(rows, { store: texts })
    builder
      .stream(asked)
      .processValues(() => ({
        process: (record, context) =>
          context.forward(record.withValue(context.readOnlyStore(texts).get(record.key)?.value ?? null)),
      }))
      .to(answers)
    expect(askedTwice(builder, pipeRows)).toEqual(['x', 'x'])
  })

  it('shows each update at once where the table has a record cache', () => {
    const builder = new StreamsBuilder()
    builder.stream(words).groupByKey().count({ store: counts, caching: true })
    answering(builder, counts, (store, key) => store.get(key)?.value)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipe({ key: 'a', value: 'x', timestamp: 1 })
      driver.input(words).pipe({ key: 'a', value: 'x', timestamp: 2 })
      driver.input(asked).pipe({ key: 'a', value: '?', timestamp: 3 })
    })
    expect(driver.output(answers).readValues()).toEqual(['2'])
  })

  it('can be written by processors too: what they write is no update of the table', () => {
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .groupByKey()
      .count({ store: counts })
      .toStream()
      .foreach(() => {})
    builder
      .stream(asked)
      .process<string, string>(
        () => ({ process: ({ key }, context) => context.store(counts).put(key, { value: 10, timestamp: 1 }) }),
        { stores: [counts] },
      )
    using driver = new TopologyTestDriver(builder.build())
    driver.input(asked).pipe({ key: 'a', value: '' })
    driver.input(words).pipe({ key: 'a', value: '' })
    expect(driver.store(counts).get('a')?.value).toBe(11)
  })

  it('is refused where it was declared for something else', () => {
    const grouped = new StreamsBuilder().stream(words).groupByKey()
    const inMinutes = grouped.windowedBy(TimeWindows.of('1m'))
    expect(() => inMinutes.count({ store: windows })).toThrow(refused('windows of 10 ms'))
    const sliding = grouped.windowedBy(SlidingWindows.of(10))
    expect(() => sliding.count({ store: windows })).toThrow(refused('sliding'))
    expect(() => grouped.count({ store: counts, key: serde.string })).toThrow(refused("'key'"))
    // As callers in plain JavaScript may.
    const plain = keyValueStore('plain', ofText) as unknown as typeof texts
    expect(() => grouped.reduce((a) => a, { store: plain })).toThrow(refused('not declared for rows'))
    const versioned = { store: texts, versioned: '1h' } as object
    expect(() => new StreamsBuilder().table(rows, versioned)).toThrow(refused("'versioned'"))
  })

  it('keeps the results of one operator only', () => {
    const builder = new StreamsBuilder()
    builder.stream(words).groupByKey().count({ store: counts })
    builder.stream(rows).groupByKey().count({ store: counts })
    expect(() => builder.build()).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  })

  it('must be kept for as long as results of windows can change', () => {
    const short = timestampedWindowStore('short', { key: serde.string, value: serde.float64, size: 10, retention: 10 })
    const windowed = new StreamsBuilder().stream(words).groupByKey().windowedBy(TimeWindows.of(10).grace(5))
    expect(() => windowed.count({ store: short })).toThrow(refused('kept for 10 ms'))
  })
})
