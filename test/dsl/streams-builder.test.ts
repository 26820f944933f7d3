import { describe, expect, it } from 'vitest'
import type { KStream } from '../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { untilWindowCloses } from '../../src/dsl/suppressed.ts'
import { SessionWindows, TimeWindows } from '../../src/dsl/windows.ts'
import { serde } from '../../src/serde/serdes.ts'
import { isWindowedSerde } from '../../src/serde/windowed-serde.ts'
import { topic } from '../../src/topic.ts'
import type { Topology, TopologyNode } from '../../src/topology/topology.ts'

interface Reading {
  readonly site: string
  readonly celsius: number
}

const reading = serde.json<Reading>()
const readings = topic('readings', { key: serde.string, value: reading, timestamp: (r) => r.celsius, partitions: 3 })
const late = topic('late-readings', { key: serde.string, value: reading })
const numbers = topic('numbers', { key: serde.string, value: serde.float64 })
const windowCounts = topic('window-counts', { key: serde.windowed(serde.string), value: serde.float64 })

describe('names', () => {
  it('take a number from one counter, also where the user gives one', () => {
    const topology = built((stream) => {
      stream
        .filter(() => true, { name: 'cold' })
        .mapValues((r) => r.celsius)
        .to(numbers, { name: 'end' })
      stream.foreach(() => {})
    })
    expect(namesOf(topology)).toEqual([
      'KSTREAM-SOURCE-0000000000',
      'cold',
      'KSTREAM-MAPVALUES-0000000002',
      'end',
      'KSTREAM-FOREACH-0000000004',
    ])
  })

  it('tell the operators apart as Kafka Streams does', () => {
    const topology = built((stream) => {
      stream.filterNot(() => true)
      stream.flatMap((r, key) => [[r.site, key]])
      stream.flatMapValues((r) => [r])
      stream.map((r, key) => [r.site, key])
      stream.selectKey((r) => r.site)
      stream.peek(() => {})
      stream.merge(stream.filter(() => true))
    })
    expect(namesOf(topology)).toEqual([
      'KSTREAM-SOURCE-0000000000',
      'KSTREAM-FILTER-0000000001',
      'KSTREAM-FLATMAP-0000000002',
      'KSTREAM-FLATMAPVALUES-0000000003',
      'KSTREAM-MAP-0000000004',
      'KSTREAM-KEY-SELECT-0000000005',
      'KSTREAM-PEEK-0000000006',
      'KSTREAM-FILTER-0000000007',
      'KSTREAM-MERGE-0000000008',
    ])
  })

  it('take three numbers for a repartition topic that the user named', () => {
    const topology = built((stream) => {
      stream.groupBy((r) => r.site, { name: 'by-site', key: serde.string }).count({ store: 'per-site' })
    })
    expect(namesOf(topology)).toEqual([
      'KSTREAM-SOURCE-0000000000',
      'by-site',
      'by-site-repartition-filter',
      'by-site-repartition-sink',
      'by-site-repartition-source',
      'KSTREAM-AGGREGATE-0000000002',
    ])
  })

  it('take no number for a suppress that the user named, and two for one that was not', () => {
    const named = (name: string | undefined) =>
      namesOf(
        built((stream) => {
          const counts = stream.groupByKey().windowedBy(TimeWindows.of('1m')).count()
          counts
            .suppress(untilWindowCloses(), name === undefined ? {} : { name })
            .toStream()
            .to(windowCounts)
        }),
      )
    expect(named('sup').slice(2, 4)).toEqual(['sup', 'KTABLE-TOSTREAM-0000000003'])
    expect(named(undefined).slice(2, 4)).toEqual(['KTABLE-SUPPRESS-0000000003', 'KTABLE-TOSTREAM-0000000005'])
  })

  it('take one number more for a count that is told about its store but not the name', () => {
    const topology = built((stream) => {
      stream.groupByKey().count({ value: serde.float64 })
    })
    expect(namesOf(topology)).toContain('KSTREAM-AGGREGATE-0000000003')
    expect(topology.subTopologies[0].stores[0].name).toBe('KSTREAM-AGGREGATE-STATE-STORE-0000000002')
  })

  it.each(['', '.', '..', 'a b', 'ä', 'x'.repeat(250)])(
    'are refused where they cannot be part of a topic name: %j',
    (name) => {
      expect(() => built((stream) => void stream.filter(() => true, { name }))).toThrow(
        'cannot be the name of an operator',
      )
      expect(() => built((stream) => void stream.groupByKey().count({ store: name }))).toThrow(
        'cannot be the name of a store',
      )
    },
  )

  it('are refused where two operators have the same', () => {
    const twice = () =>
      built((stream) => {
        stream.filter(() => true, { name: 'cold' }).filter(() => true, { name: 'cold' })
      })
    expect(twice).toThrow('Another node has this name (operator cold). Give one of the two another name.')
  })

  it('are refused where two stores have the same', () => {
    const twice = () =>
      built((stream) => {
        stream.groupByKey().count({ store: 'counts' })
        stream.groupByKey().count({ store: 'counts' })
      })
    expect(twice).toThrow("Another store is already named 'counts' (store counts). Give one of the two another name.")
  })
})

describe('repartitioning', () => {
  it.each<[string, (stream: KStream<string, Reading>) => KStream<string, Reading>, number]>([
    ['not where keys are the topic’s', (stream) => stream, 0],
    ['not where only values change', (stream) => stream.mapValues((r) => r), 0],
    ['after selectKey', (stream) => stream.selectKey((r) => r.site), 1],
    ['after map', (stream) => stream.map((r) => [r.site, r]), 1],
    ['after flatMap', (stream) => stream.flatMap((r) => [[r.site, r]]), 1],
    ['after selectKey and operators that keep the key', (stream) => stream.selectKey((r) => r.site).peek(() => {}), 1],
    ['where one of two merged streams changed keys', (stream) => stream.merge(stream.selectKey((r) => r.site)), 1],
  ])('happens %s', (_, change, times) => {
    const topology = built((stream) => {
      change(stream).groupByKey({ key: serde.string, value: reading }).count()
    })
    const internal = nodesOf(topology).filter((node) => node.kind === 'sink' && node.topic.internal)
    expect(internal).toHaveLength(times)
    expect(topology.subTopologies).toHaveLength(1 + times)
  })

  it('uses one topic for all aggregations of a grouped stream that the user named', () => {
    const topology = built((stream) => {
      const bySite = stream.groupBy((r) => r.site, { name: 'by-site', key: serde.string })
      bySite.count({ name: 'first' })
      bySite.windowedBy(TimeWindows.of('1m')).count({ name: 'second' })
    })
    expect(nodesOf(topology).filter((node) => node.kind === 'sink')).toHaveLength(1)
    expect(topology.subTopologies[1].nodes.map((node) => node.name)).toEqual([
      'by-site-repartition-source',
      'first',
      'second',
    ])
  })

  it('writes and reads with the serdes that followed the data or were given', () => {
    const topology = built((stream) => {
      stream.groupBy((r) => r.site, { key: serde.string }).count()
    })
    const [sink] = nodesOf(topology).filter((node) => node.kind === 'sink')
    expect(sink).toMatchObject({ key: serde.string, value: reading })
  })
})

describe('serdes', () => {
  it.each<[string, (stream: KStream<string, Reading>) => unknown, string]>([
    [
      'of a new key, before a repartition topic',
      (stream) =>
        stream
          .selectKey((r) => r.site, { name: 'by-site' })
          .groupByKey()
          .count({ name: 'counter' }),
      "No serde is known for the keys that 'by-site' makes, but the repartition topic needs one (operator counter). Give it in groupByKey({ key }).",
    ],
    [
      'of a new value, before a repartition topic',
      (stream) =>
        stream
          .mapValues((r) => r.celsius, { name: 'celsius' })
          .groupBy((celsius) => String(celsius), { key: serde.string })
          .count({ name: 'counter' }),
      "No serde is known for the values that 'celsius' makes, but the repartition topic needs one (operator counter). Give it in groupBy({ value }).",
    ],
    [
      'of a new value, in the store of a reduce',
      (stream) =>
        stream
          .mapValues((r) => r.celsius, { name: 'celsius' })
          .groupByKey()
          .reduce((a, b) => a + b, { name: 'sum', store: 'sums' }),
      "No serde is known for the values that 'celsius' makes, but the store 'sums' needs one (operator sum). Give it in reduce(..., { value }).",
    ],
    [
      'of merged streams whose serdes differ',
      (stream) =>
        stream
          .selectKey((r) => r.site)
          .merge(stream, { name: 'merged' })
          .groupByKey()
          .count({ name: 'counter' }),
      "No serde is known for the keys that 'merged' makes, but the repartition topic needs one (operator counter). Give it in groupByKey({ key }).",
    ],
  ])('are asked for when the operator is added: %s', (_, use, message) => {
    expect(() => built((stream) => void use(stream))).toThrow(
      expect.objectContaining({ code: 'SERDE_REQUIRED', message }),
    )
  })

  it('are known again after an aggregation', () => {
    const topology = built((stream) => {
      stream
        .mapValues((r) => r.celsius)
        .groupByKey()
        .aggregate(
          () => 0,
          (sum, celsius) => sum + celsius,
          { value: serde.float64 },
        )
        .toStream()
        .groupBy((sum) => String(sum), { key: serde.string })
        .count()
    })
    expect(nodesOf(topology).find((node) => node.kind === 'sink')).toMatchObject({ value: serde.float64 })
  })

  it('follow windowed keys', () => {
    const topology = built((stream) => {
      const counts = stream.groupByKey().windowedBy(SessionWindows.withGap('1m')).count().toStream()
      counts
        .mapValues((count) => count)
        .groupBy((_, key) => key, { key: serde.sessionWindowed(serde.string), value: serde.float64 })
        .count()
    })
    const [sink] = nodesOf(topology).filter((node) => node.kind === 'sink')
    expect(isWindowedSerde(sink.key)).toBe(true)
  })
})

describe('sources', () => {
  it('carry the serdes, event time and partitions of their topic', () => {
    const topology = built((stream) => stream.to(late))
    expect(nodesOf(topology)[0]).toMatchObject({
      topics: [{ name: 'readings', internal: false }],
      key: serde.string,
      value: reading,
      timestamp: readings.timestamp,
    })
    expect(topology.topics).toEqual([
      { name: 'readings', partitions: 3, config: {} },
      { name: 'late-readings', partitions: 1, config: {} },
    ])
  })

  it('read a topic once, however often a stream is opened on it', () => {
    const builder = new StreamsBuilder()
    const first = builder.stream(readings)
    const second = builder.stream(readings)
    second.merge(first).to(late)
    const [source, merge] = nodesOf(builder.build())
    expect(source).toMatchObject({ name: 'KSTREAM-SOURCE-0000000000', children: ['KSTREAM-MERGE-0000000002'] })
    expect(merge).toMatchObject({ parents: ['KSTREAM-SOURCE-0000000000'] })
  })

  it('are refused where two read a topic in different ways', () => {
    const other = topic('readings', { key: serde.string, value: serde.string, partitions: 3 })
    const builder = new StreamsBuilder()
    builder.stream(readings)
    builder.stream(other)
    expect(() => builder.build()).toThrow(
      "'KSTREAM-SOURCE-0000000000' reads the topic with other serdes or options (topic readings, operator KSTREAM-SOURCE-0000000001). Declare the topic once, and use that declaration and the same options in both places.",
    )
  })

  it('are refused where their topics overlap but are not the same', () => {
    const builder = new StreamsBuilder()
    const plain = topic('a', { key: serde.string, value: reading })
    builder.stream([plain, late])
    builder.stream(late)
    expect(() => builder.build()).toThrow(
      "'KSTREAM-SOURCE-0000000000' reads the topic too, together with other topics (topic late-readings, operator KSTREAM-SOURCE-0000000001).",
    )
  })

  it('are refused without a topic', () => {
    const builder = new StreamsBuilder()
    builder.stream([])
    expect(() => builder.build()).toThrow('The source has no topic (operator KSTREAM-SOURCE-0000000000).')
  })

  it('of two builders cannot be merged', () => {
    const other = new StreamsBuilder().stream(readings)
    expect(() => built((stream) => void stream.merge(other))).toThrow(
      'Only what begins with the same StreamsBuilder can be merged (operator KSTREAM-SOURCE-0000000000).',
    )
  })
})

describe('stores', () => {
  it('keep their changelogs as long as they keep windows, and a day', () => {
    const topology = built((stream) => {
      const grouped = stream.groupByKey()
      grouped.count({ store: 'plain' })
      grouped
        .windowedBy(TimeWindows.of('1m').grace('30s'))
        .count({ store: 'windows' })
        .suppress(untilWindowCloses(), { name: 'final' })
      grouped.windowedBy(SessionWindows.withGap('1m').grace('30s')).count({ store: 'sessions' })
    })
    expect(
      topology.subTopologies[0].stores.map(({ name, logged, changelogConfig }) => [name, logged, changelogConfig]),
    ).toEqual([
      ['plain', true, { 'cleanup.policy': 'compact' }],
      ['windows', true, { 'cleanup.policy': 'compact,delete', 'retention.ms': '86490000' }],
      ['final-store', true, { 'cleanup.policy': 'compact' }],
      ['sessions', true, { 'cleanup.policy': 'compact,delete', 'retention.ms': '86490000' }],
    ])
  })

  it('are kept by the engine that the user chose', () => {
    const engine = {
      name: 'mine',
      durable: false,
      open: () => {
        throw new Error('never opened in this test')
      },
    }
    const topology = built((stream) => void stream.groupByKey().count({ store: 'mine', engine }))
    expect(topology.subTopologies[0].stores[0].engine).toBe(engine)
  })
})

describe('late records', () => {
  it('go to a sink of their own, which other results do not reach', () => {
    const topology = built((stream) => {
      stream
        .groupByKey()
        .windowedBy(TimeWindows.of('1m'), { late })
        .count({ name: 'counter' })
        .toStream()
        .to(windowCounts)
    })
    const nodes = nodesOf(topology)
    expect(nodes.find((node) => node.name === 'counter')).toMatchObject({
      children: ['counter-late', 'KTABLE-TOSTREAM-0000000003'],
      sideChildren: ['counter-late'],
    })
    expect(nodes.find((node) => node.name === 'counter-late')).toMatchObject({
      kind: 'sink',
      topic: { name: 'late-readings', internal: false },
      key: serde.string,
      value: reading,
    })
  })
})

describe('suppress', () => {
  it('is refused where there are no windows to close', () => {
    const misuse = (stream: KStream<string, Reading>) =>
      // @ts-expect-error the compiler refuses it too
      stream.groupByKey().count({ name: 'counter' }).suppress(untilWindowCloses())
    expect(() => built((stream) => void misuse(stream))).toThrow(
      'Only the results of windows can wait for their windows to close (operator counter).',
    )
  })
})

describe('build', () => {
  it('can be called again after more was written', () => {
    const builder = new StreamsBuilder()
    const stream = builder.stream(readings)
    const before = builder.build()
    stream.to(late)
    expect(before.describe()).toContain('--> none')
    expect(builder.build().describe()).toContain('--> KSTREAM-SINK-0000000001')
  })

  it('refuses a builder with nothing in it', () => {
    expect(() => new StreamsBuilder().build()).toThrow('The topology reads no topic. Add a source.')
  })
})

function built(write: (stream: KStream<string, Reading>) => void): Topology {
  const builder = new StreamsBuilder()
  write(builder.stream(readings))
  return builder.build()
}

function nodesOf(topology: Topology): TopologyNode[] {
  return topology.subTopologies.flatMap((subTopology) => subTopology.nodes)
}

function namesOf(topology: Topology): string[] {
  return nodesOf(topology).map((node) => node.name)
}
