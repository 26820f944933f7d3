import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KTable } from '../../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { untilWindowCloses } from '../../../src/dsl/suppressed.ts'
import { TimeWindows } from '../../../src/dsl/windows.ts'
import { planTopics } from '../../../src/runtime/topic-plan.ts'
import { serde } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts'
import { topic } from '../../../src/topic.ts'
import type { Topology } from '../../../src/topology/topology.ts'
import { type JoinEvent, type JoinKind, run, text } from './join-cases.ts'

const joiner = (left: string | null, right: string | null): string => `${left}+${right}`

interface Row {
  readonly value: string
  readonly timestamp: number
}

/** The joined row by definition, from the latest rows of both tables. */
function rowOf(kind: JoinKind, left: Row | undefined, right: Row | undefined): Row | undefined {
  if (kind === 'inner' ? left === undefined || right === undefined : left === undefined) {
    if (kind !== 'outer' || right === undefined) return undefined
  }
  const timestamp = Math.max(left?.timestamp ?? -1, right?.timestamp ?? -1)
  return { value: joiner(left?.value ?? null, right?.value ?? null), timestamp }
}

describe('a join of two tables', () => {
  const events = fc.array(
    fc.tuple(
      fc.constantFrom('L', 'R'),
      fc.constantFrom('k', 'l', ''),
      fc.option(fc.constantFrom('a', 'b', 'c'), { freq: 3 }),
      fc.nat(20),
    ),
    { maxLength: 30 },
  )

  it.each<JoinKind>(['inner', 'left', 'outer'])('is what it is by definition, %s, whenever it is restarted', (kind) => {
    fc.assert(
      fc.property(events, fc.boolean(), fc.func(fc.boolean()), (all: readonly JoinEvent[], kept, restarts) => {
        const outputs = run({ op: 'table-table', kind, kept, events: all }, (step) => restarts(step))
        const rows = new Map<string, Row>()
        const expectedOf = (key: string | null) => rowOf(kind, rows.get(`L${key}`), rows.get(`R${key}`))
        for (const [step, [table, key, value, timestamp]] of all.entries()) {
          const before = expectedOf(key)
          if (value === null) rows.delete(`${table}${key}`)
          else rows.set(`${table}${key}`, { value, timestamp })
          const now = expectedOf(key)
          // Where there is no row before and after, Kafka Streams may hand on a deletion or nothing.
          if (now !== undefined) expect(outputs[step]).toEqual([[key, now.value, Math.max(now.timestamp, timestamp)]])
          else if (before !== undefined) expect(outputs[step]).toMatchObject([[key, null, expect.anything()]])
          else expect(outputs[step].every((output) => output[1] === null)).toBe(true)
        }
      }),
    )
  })

  it('gives the joiner the key, and deletes where it makes null', () => {
    const builder = new StreamsBuilder()
    const left = builder.table(text('L'))
    const table = left.join(builder.table(text('R')), (a, b, key) => (a === b ? null : `${key}:${a}${b}`))
    table.toStream().to(text('out'))
    using driver = new TopologyTestDriver(builder.build())
    driver.input(text('L')).pipe({ key: 'k', value: 'a', timestamp: 1 })
    driver.input(text('R')).pipe({ key: 'k', value: 'b', timestamp: 2 })
    driver.input(text('R')).pipe({ key: 'k', value: 'a', timestamp: 1 })
    expect(driver.output(text('out')).readAll()).toEqual([
      { key: 'k', value: 'k:ab', timestamp: 2 },
      { key: 'k', value: null, timestamp: 1 },
    ])
  })

  it('keeps its rows where the store is named, or serde or engine of one are given', () => {
    const storesWith = (options: object) =>
      built((left, right) => void left.join(right, joiner, options)).subTopologies[0].stores.map(({ name }) => name)
    const sources = ['L-STATE-STORE-0000000000', 'R-STATE-STORE-0000000003']
    expect(storesWith({})).toEqual(sources)
    expect(storesWith({ name: 'j' })).toEqual(sources)
    expect(storesWith({ store: 'kept', value: serde.string })).toEqual([...sources, 'kept'])
    expect(storesWith({ value: serde.string })).toEqual([...sources, 'KTABLE-MERGE-STATE-STORE-0000000006'])
    expect(() => storesWith({ store: 'kept' })).toThrow(
      "No serde is known for the values that 'KTABLE-MERGE-0000000006' makes, but the store 'kept' needs one (operator KTABLE-MERGE-0000000006). Give it in join(..., { value }).",
    )
  })

  it('of two tables of results that are changed in place knows what was before', () => {
    const builder = new StreamsBuilder()
    const lists = ['L', 'R'].map((name) =>
      builder
        .stream(text(name))
        .groupByKey()
        .aggregate(
          (): string[] => [],
          (list, value) => {
            list.push(value)
            return list
          },
          { value: serde.json<string[]>() },
        ),
    )
    const joined = lists[0].join(lists[1], (a, b) => [...a, '|', ...b].join(''))
    joined
      .groupBy((value) => ['all', value], { key: serde.string, value: serde.string })
      .aggregate(
        () => '',
        (all, value) => `${all} +${value}`,
        (all, value) => `${all} -${value}`,
        { value: serde.string },
      )
      .toStream()
      .to(text('out'))
    using driver = new TopologyTestDriver(builder.build())
    for (const name of ['L', 'R', 'L']) driver.input(text(name)).pipe({ key: 'k', value: name, timestamp: 1 })
    expect(
      driver
        .output(text('out'))
        .readAll()
        .map(({ value }) => value),
    ).toEqual([' +L|R', ' +L|R -L|R +LL|R'])
  })

  it('needs topics with the same number of partitions, and those of the same builder', () => {
    const builder = new StreamsBuilder()
    const wide = topic('wide', { key: serde.string, value: serde.string, partitions: 3 })
    builder.table(text('L')).join(builder.table(wide), joiner).toStream().to(text('out'))
    expect(() => planTopics(builder.build(), 'app', [])).toThrow(
      "Topics that are joined have different numbers of partitions: 'L' has 1, 'wide' has 3",
    )
    expect(() => built((left) => void left.outerJoin(new StreamsBuilder().table(text('R')), joiner))).toThrow(
      'Only what begins with the same StreamsBuilder can be joined (operator KTABLE-SOURCE-0000000002).',
    )
  })
})

describe('a table of results of windows', () => {
  const windowed = topic('W', { key: serde.windowed(serde.string, { size: 10 }), value: serde.string })
  const out = topic('out', { key: serde.windowed(serde.string, { size: 10 }), value: serde.string })
  const appended = (all: string, value: string): string => all + value

  it('can be joined with a table and a stream of a topic with windowed keys', () => {
    const builder = new StreamsBuilder()
    const left = builder.stream(text('L')).groupByKey().windowedBy(TimeWindows.of(10).grace(10)).reduce(appended)
    left.outerJoin(builder.table(windowed), joiner).toStream().to(out)
    const stream = topic('S', { key: windowed.key, value: serde.string })
    builder.stream(stream).leftJoin(left, joiner).to(out)
    using driver = new TopologyTestDriver(builder.build())
    const key = { key: 'k', window: { start: 10, end: 20 } }
    driver.input(text('L')).pipe({ key: 'k', value: 'a', timestamp: 12 })
    driver.input(windowed).pipe({ key, value: 'b', timestamp: 1 })
    driver.input(text('L')).pipe({ key: 'k', value: 'c', timestamp: 13 })
    driver.input(stream).pipe({ key, value: 's', timestamp: 14 })
    driver.input(text('L')).pipe({ key: 'k', value: 'far', timestamp: 60 })
    driver.input(stream).pipe({ key, value: 's', timestamp: 15 })
    expect(driver.output(out).readAll()).toEqual([
      { key, value: 'a+null', timestamp: 12 },
      { key, value: 'a+b', timestamp: 12 },
      { key, value: 'ac+b', timestamp: 13 },
      { key, value: 's+ac', timestamp: 14 },
      { key: { key: 'k', window: { start: 60, end: 70 } }, value: 'far+null', timestamp: 60 },
      { key, value: 's+null', timestamp: 15 },
    ])
  })

  it('can be joined in a store of its own, and held back until both are final', () => {
    const builder = new StreamsBuilder()
    const [left, right] = [5, 10].map((grace, i) =>
      builder.stream(text('LR'[i])).groupByKey().windowedBy(TimeWindows.of(10).grace(grace)).reduce(appended),
    )
    const joined = left.outerJoin(right, joiner, { store: 'kept', value: serde.string })
    joined.suppress(untilWindowCloses()).toStream().to(out)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(text('L')).pipe({ key: 'k', value: 'a', timestamp: 2 })
    driver.input(text('L')).pipe({ key: 'z', value: 'z', timestamp: 15 })
    driver.restart()
    driver.input(text('R')).pipe({ key: 'k', value: 'b', timestamp: 3 })
    expect(driver.store('kept').get({ key: 'k', window: { start: 0, end: 10 } })).toEqual({
      value: 'a+b',
      timestamp: 3,
    })
    expect(driver.output(out).readAll()).toEqual([])
    driver.input(text('L')).pipe({ key: 'z', value: 'z', timestamp: 20 })
    expect(driver.output(out).readAll()).toEqual([
      { key: { key: 'k', window: { start: 0, end: 10 } }, value: 'a+b', timestamp: 3 },
    ])
  })

  it('that is held back shows no row until it is final', () => {
    const builder = new StreamsBuilder()
    const counts = builder.stream(text('L')).groupByKey().windowedBy(TimeWindows.of(10).grace(5)).reduce(appended)
    const final = counts.suppress(untilWindowCloses())
    const windowed = serde.windowed(serde.string, { size: 10 })
    const stream = topic('S', { key: windowed, value: serde.string })
    const results = topic('out', { key: windowed, value: serde.string })
    builder.stream(stream).leftJoin(final, joiner).to(results)
    using driver = new TopologyTestDriver(builder.build())
    const key = { key: 'k', window: { start: 0, end: 10 } }
    driver.input(text('L')).pipe({ key: 'k', value: 'a', timestamp: 1 })
    driver.input(stream).pipe({ key, value: 's', timestamp: 2 })
    driver.input(text('L')).pipe({ key: 'l', value: 'b', timestamp: 15 })
    driver.input(stream).pipe({ key, value: 't', timestamp: 16 })
    expect(
      driver
        .output(results)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['s+null', 't+a'])
  })
})

function built(write: (left: KTable<string, string>, right: KTable<string, string>) => void): Topology {
  const builder = new StreamsBuilder()
  write(builder.table(text('L')), builder.table(text('R')))
  return builder.build()
}
