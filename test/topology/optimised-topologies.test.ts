import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JoinWindows, StreamsBuilder, serde, TimeWindows, type Topic, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const text = serde.string
const named = (name: string) => topic(name, { key: text, value: text })
const anything = serde.json<unknown>()
const toAny = (name: string): Topic<unknown, unknown> => topic(name, { key: anything, value: anything })
const byKey = { key: text, value: text }
const selectValue = (b: StreamsBuilder, from = 'a') => b.stream(named(from)).selectKey((v) => v)

const written: Readonly<Record<string, (b: StreamsBuilder) => void>> = {
  'one key change, an aggregation': (b) => {
    b.stream(named('a'))
      .groupBy((v) => v, byKey)
      .count()
      .toStream()
      .to(toAny('out'))
  },
  'one key change, an aggregation and a reduction': (b) => {
    const stream = selectValue(b)
    stream.groupByKey(byKey).count().toStream().to(toAny('c'))
    const reduced = stream.groupByKey(byKey).reduce((_, v) => v)
    reduced.toStream().to(named('r'))
  },
  'one key change, named and windowed': (b) => {
    const stream = b.stream(named('a')).selectKey((v) => v, { name: 're-keyed' })
    stream
      .filter(() => true)
      .groupByKey({ ...byKey, name: 'first' })
      .count({ store: 'n' })
      .toStream()
      .to(toAny('c'))
    const second = stream.groupByKey({ ...byKey, name: 'second' }).windowedBy(TimeWindows.of(10))
    second.count({ store: 'w' }).toStream().to(toAny('w'))
    stream.peek(() => {}).to(named('side'))
  },
  'a value change between': (b) => {
    const stream = selectValue(b)
    stream
      .mapValues((v) => v)
      .groupByKey(byKey)
      .count()
      .toStream()
      .to(toAny('c'))
    const reduced = stream.groupByKey(byKey).reduce((_, v) => v)
    reduced.toStream().to(named('r'))
  },
  'an aggregation and joins': (b) => {
    const stream = b.stream(named('a')).map((v, k) => [v, k ?? ''])
    const table = b.table(named('t'))
    stream.groupByKey(byKey).count().toStream().to(toAny('c'))
    stream.join(table, (v) => v, byKey).to(named('j'))
    const within = JoinWindows.of(10)
    stream.join(b.stream(named('other')), (v) => v, { within, ...byKey }).to(named('jj'))
  },
  'merged streams': (b) => {
    const stream = selectValue(b).merge(b.stream(named('b')) as ReturnType<typeof selectValue>)
    stream.groupByKey(byKey).count().toStream().to(toAny('c'))
    const reduced = stream.groupByKey(byKey).reduce((_, v) => v)
    reduced.toStream().to(named('r'))
  },
  "a repartition of the user's own": (b) => {
    const stream = selectValue(b)
    stream.repartition(byKey).to(named('o'))
    stream.groupByKey(byKey).count().toStream().to(toAny('c'))
  },
  'a key change after another': (b) => {
    const stream = selectValue(b)
    stream.groupByKey(byKey).count().toStream().to(toAny('c'))
    const again = stream.filter(() => true).selectKey((v) => v)
    again.groupByKey(byKey).count().toStream().to(toAny('d'))
  },
  'a table of a re-keyed stream': (b) => {
    const stream = selectValue(b)
    stream.toTable(byKey).toStream().to(named('t'))
    stream.groupByKey(byKey).count().toStream().to(toAny('c'))
  },
  'a stream joined with itself': (b) => {
    const stream = b.stream(named('a'))
    stream.join(stream, (left, right) => left + right, { within: JoinWindows.of(10), ...byKey }).to(named('out'))
  },
  'a named join of a stream with itself': (b) => {
    const stream = b.stream(named('a'))
    const options = { within: JoinWindows.of(10), ...byKey, name: 'j', store: 'js' }
    stream.join(stream, (left, right) => left + right, options).to(named('out'))
  },
}

function readDescriptions(): Map<string, string> {
  const file = join(import.meta.dirname, '../vectors/optimised-topologies.txt')
  const blocks = readFileSync(file, 'utf8').split(/^### /m).slice(1)
  return new Map(
    blocks.map((block) => [block.slice(0, block.indexOf('\n')), block.slice(block.indexOf('\n') + 1).trim()]),
  )
}

function built(title: string, optimize: boolean) {
  const builder = new StreamsBuilder()
  written[title]?.(builder)
  return builder.build({ optimize })
}

describe('topologies as Kafka Streams 4.1.1 optimised them', () => {
  const descriptions = readDescriptions()

  it('are all written here', () => {
    expect(Object.keys(written)).toEqual([...descriptions.keys()])
  })

  it.each(Object.keys(written))('%s', (title) => {
    const topology = built(title, true)
    expect(topology.describe().trim()).toBe(descriptions.get(title))
  })

  it.each(Object.keys(written))('gives what it gives without being optimised: %s', (title) => {
    const record = fc.record({
      from: fc.constantFrom('a', 'b', 'other', 't'),
      key: fc.constantFrom('x', 'y', null),
      value: fc.constantFrom('x', 'y', 'z', null),
      timestamp: fc.nat(30),
      restarts: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), (records) => {
        expect(outputs(title, true, records)).toEqual(outputs(title, false, records))
      }),
      { numRuns: 40 },
    )
  })
})

interface Input {
  readonly from: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly restarts: boolean
}

/** All records of each topic that the topology writes for users, in its order. */
function outputs(title: string, optimize: boolean, records: readonly Input[]): Record<string, unknown> {
  const topology = built(title, optimize)
  const read = topology.subTopologies.flatMap(({ nodes }) =>
    nodes.flatMap((node) => (node.kind === 'source' ? node.topics.map(({ name }) => name) : [])),
  )
  using driver = new TopologyTestDriver(topology)
  for (const { from, restarts, ...record } of records) {
    if (!read.includes(from)) continue
    driver.input(named(from)).pipe(record)
    if (restarts) driver.restart()
  }
  const bytes = (name: string) => topic(name, { key: serde.bytes, value: serde.bytes })
  const names = driver
    .producedTopics()
    .filter((name) => !name.startsWith('app-') && !/-(repartition|changelog)$/.test(name))
  return Object.fromEntries(names.sort().map((name) => [name, driver.output(bytes(name)).readAll()]))
}
