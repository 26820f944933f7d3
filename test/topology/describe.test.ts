import { describe, expect, it } from 'vitest'
import { JoinWindows } from '../../src/dsl/join-windows.ts'
import type { BuildOptions } from '../../src/dsl/optimisation.ts'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { untilWindowCloses } from '../../src/dsl/suppressed.ts'
import { SessionWindows, TimeWindows } from '../../src/dsl/windows.ts'
import { keyValueStore } from '../../src/stores/key-value-store.ts'
import { type Topic, topic } from '../../src/topic.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { TopologyDraft } from '../../src/topology/topology-draft.ts'
import { goldenMissing, readGoldenDescriptions } from './golden-descriptions.ts'
import { number, passThrough, storeNamed, text } from './topology-fixtures.ts'

const builders: Record<string, () => Topology> = {
  'stateless chain': () =>
    dsl((b) =>
      b
        .stream(named('input'))
        .filter(() => true)
        .mapValues((v) => v)
        .to(named('output')),
    ),
  wordcount: () =>
    dsl((b) =>
      b
        .stream(named('in'))
        .flatMapValues((v) => v.split(' '))
        .groupBy((v) => v, { key: text, value: text })
        .count()
        .toStream()
        .to(counts('out')),
    ),
  'wordcount named store': () =>
    dsl((b) =>
      b
        .stream(named('in'))
        .flatMapValues((v) => v.split(' '))
        .groupBy((v) => v, { name: 'by-word', key: text, value: text })
        .count({ store: 'counts' })
        .toStream()
        .to(counts('out')),
    ),
  'session agg': () =>
    dsl((b) =>
      b.stream(named('in')).groupByKey().windowedBy(SessionWindows.withGap('5m')).count().toStream().to(any('out')),
    ),
  'suppress named': () =>
    dsl((b) =>
      b
        .stream(named('in'))
        .groupByKey()
        .windowedBy(TimeWindows.of('1m'))
        .count()
        .suppress(untilWindowCloses(), { name: 'sup' })
        .toStream()
        .to(any('out')),
    ),
  'table unmaterialised': () => dsl((b) => b.table(named('t')).toStream().to(named('out'))),
  'table materialised': () =>
    dsl((b) =>
      b
        .table(named('t'), { store: 'st' })
        .filter(() => true)
        .toStream()
        .to(named('out')),
    ),
  'table materialised + optimise  [topology.optimization=all]': () =>
    dsl(
      (b) =>
        b
          .table(named('t'), { store: 'st' })
          .filter(() => true)
          .toStream()
          .to(named('out')),
      { optimize: true },
    ),
  'self join  [topology.optimization=all]': () =>
    dsl(
      (b) => {
        const stream = b.stream(named('l'))
        stream.join(stream, (l, r) => l + r, { within: JoinWindows.of('1m') }).to(named('out'))
      },
      { optimize: true },
    ),
  toTable: () => dsl((b) => b.stream(named('in')).toTable().toStream().to(named('out'))),
  'toTable after key change': () =>
    dsl((b) =>
      b
        .stream(named('in'))
        .selectKey((v) => v)
        .toTable({ store: 'tt', key: text })
        .toStream()
        .to(named('out')),
    ),
  'dynamic sink': () => dsl((b) => b.stream(named('in')).to((v) => v, { key: text, value: text })),
  'global table named': () =>
    dsl((b) => {
      const table = b.globalTable(named('g'), { name: 'gsrc', store: 'gs' })
      b.stream(named('in'))
        .join(table, (v, row) => v + row, { keySelector: (v) => v })
        .to(named('out'))
    }),
  'process with store': () =>
    dsl((b) =>
      b
        .stream(named('in'))
        .process(() => ({ process: (record, context) => context.forward(record) }), {
          stores: [keyValueStore('kv', { key: text, value: text })],
        })
        .to(named('out')),
    ),
  'Processor API with global store': () => {
    const builder = new TopologyDraft()
    builder.addGlobalStore(storeNamed('gs'), named('gtopic'), passThrough, { source: 'gsrc', processor: 'gproc' })
    return builder
      .addSource('src', named('in'))
      .addProcessor('p1', passThrough, { parents: ['src'] })
      .build()
  },
  'stream-table join': () =>
    dsl((b) => {
      const table = b.table(named('t'))
      b.stream(named('in'))
        .join(table, (v, t) => v + t)
        .to(named('out'))
    }),
  'stream-table join with repartition': () =>
    dsl((b) => {
      const table = b.table(named('t'))
      b.stream(named('in'))
        .selectKey((v) => v)
        .join(table, (v, t) => v + t, { name: 'jn', key: text })
        .to(named('out'))
    }),
  'stream-stream inner join': () =>
    dsl((b) => {
      const l = b.stream(named('l'))
      l.join(b.stream(named('r')), (v1, v2) => v1 + v2, { within: JoinWindows.of('10s') }).to(named('out'))
    }),
  'stream-stream left join': () =>
    dsl((b) => {
      const l = b.stream(named('l'))
      l.leftJoin(b.stream(named('r')), (v1, v2) => `${v1}${v2}`, { within: JoinWindows.of('10s') }).to(named('out'))
    }),
  'stream-stream join with repartition both sides': () =>
    dsl((b) => {
      const [l, r] = ['l', 'r'].map((name) => b.stream(named(name)).map((v) => [v, v]))
      const serdes = { key: text, value: text, otherValue: text }
      l.join(r, (v1, v2) => v1 + v2, { within: JoinWindows.of('10s'), ...serdes }).to(named('out'))
    }),
  'table-table outer join named+materialised': () =>
    dsl((b) =>
      b
        .table(named('t1'))
        .outerJoin(b.table(named('t2')), (v1, v2) => `${v1}${v2}`, { name: 'j', store: 'js', value: text })
        .toStream()
        .to(named('out')),
    ),
  'foreign-key join': () =>
    dsl((b) =>
      b
        .table(named('t1'))
        .join(b.table(named('t2')), (v1, v2) => v1 + v2, { foreignKey: (v) => v })
        .toStream()
        .to(named('out')),
    ),
  'foreign-key join named': () =>
    dsl((b) =>
      b
        .table(named('t1'))
        .join(b.table(named('t2')), (v1, v2) => v1 + v2, {
          foreignKey: (v) => v,
          name: 'fk',
          store: 'res',
          value: text,
        })
        .toStream()
        .to(named('out')),
    ),
  'versioned table with grace join': () =>
    dsl((b) => {
      const table = b.table(named('t'), { store: 'vs', versioned: '10m' })
      b.stream(named('in'))
        .join(table, (v, t) => v + t, { name: 'vj', grace: '1m' })
        .to(named('out'))
    }),
  'table groupBy aggregate': () =>
    dsl((b) =>
      b
        .table(named('t'))
        .groupBy((v) => [v, v], { key: text, value: text })
        .count()
        .toStream()
        .to(counts('out')),
    ),
  'table groupBy reduce named': () =>
    dsl((b) =>
      b
        .table(named('t'))
        .groupBy((v) => [v, v], { name: 'g', key: text, value: text })
        .reduce(
          (all, v) => all + v,
          (all) => all,
          { store: 'r' },
        )
        .toStream()
        .to(named('out')),
    ),
  'branch named': () =>
    dsl((b) => {
      const {
        a,
        b: second,
        rest,
      } = b
        .stream(named('in'))
        .split({ name: 'sp-' })
        .branch(() => true, { name: 'a' })
        .branch(() => true, { name: 'b' })
        .defaultBranch({ name: 'rest' })
      a.to(named('oa'))
      second.to(named('ob'))
      rest.to(named('orest'))
    }),
  repartition: () => dsl((b) => b.stream(named('a')).repartition().to(named('out'))),
  'repartition named': () => dsl((b) => b.stream(named('a')).repartition({ name: 'rp' }).to(named('out'))),
  merge: () =>
    dsl((b) =>
      b
        .stream(named('a'))
        .merge(b.stream(named('b')))
        .to(named('out')),
    ),
  cogroup: () =>
    dsl((b) => {
      const [first, second] = [b.stream(named('a')).groupByKey(), b.stream(named('b')).groupByKey()]
      const both = first.cogroup((sum: string, v) => sum + v).cogroup(second, (sum, v) => sum + v)
      both
        .aggregate(() => '', { value: text })
        .toStream()
        .to(named('out'))
    }),
  'print/peek/foreach': () =>
    dsl((b) => {
      const stream = b.stream(named('in'))
      stream.peek(() => {}).foreach(() => {})
      stream.print(() => {})
    }),
  'two aggregations off one key change': () =>
    dsl((b) => {
      const changed = b.stream(named('in')).selectKey((v) => v)
      changed.groupByKey({ key: text }).count().toStream().to(counts('c'))
      changed
        .groupByKey({ key: text })
        .reduce((_, v) => v)
        .toStream()
        .to(named('r'))
    }),
  'multi topic source': () => dsl((b) => b.stream([named('b'), named('a')]).to(named('out'))),
  'same topic twice': () =>
    dsl((b) => {
      b.stream(named('in'))
        .filter(() => true)
        .to(named('o1'))
      b.stream(named('in'))
        .filter(() => true)
        .to(named('o2'))
    }),
  'read-only merge of named': () =>
    dsl((b) => {
      const source = b.stream(named('in'))
      source.mapValues((v) => v).to(named('a'))
      source
        .filter(() => true)
        .mapValues((v) => v)
        .to(named('b'))
      source.to(named('c'))
    }),
  'Processor API topology': () =>
    new TopologyDraft()
      .addSource('src', named('in'))
      .addProcessor('p1', passThrough, { parents: ['src'] })
      .addProcessor('p2', passThrough, { parents: ['p1'] })
      .addStateStore(storeNamed('kv'), ['p1', 'p2'])
      .addSink('snk', named('out'), ['p1', 'p2'])
      .build(),
}

/** What Kafka Streams refused, and we do too. */
const refused: Record<string, () => Topology> = {
  'stream+table same topic': () =>
    dsl((b) => {
      b.stream(named('in'))
      b.table(named('in'))
    }),
}

describe.skipIf(goldenMissing !== undefined)(
  `descriptions that Kafka Streams printed (${goldenMissing ?? 'found'})`,
  () => {
    const golden = readGoldenDescriptions()

    it('are each built here', () => {
      expect(golden.map(({ title }) => title).sort()).toEqual(
        [...Object.keys(builders), ...Object.keys(refused)].sort(),
      )
    })

    for (const { title, text, topics } of golden) {
      const build = builders[title]
      if (build === undefined) continue
      it(`equal ours, byte for byte: ${title}`, () => {
        const topology = build()
        // Java prints the class that a compiler made; we print the function's name.
        expect(topology.describe()).toBe(text?.replace(/extractor class: [^)]*/, 'extractor class: anonymous'))
        if (topics !== undefined) expect(internalTopics(topology)).toEqual(topics)
      })
    }

    it.each(Object.keys(refused))('are missing where we refuse the topology too: %s', (title) => {
      expect(golden.find((each) => each.title === title)).toMatchObject({ text: undefined })
      expect(refused[title]).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
    })

    const described = golden.flatMap(({ title, text }) =>
      text === undefined || choosesTopic.test(text) ? [] : [{ title, text }],
    )
    it.each(described)('are printed alike when rebuilt node by node: $title', ({ text }) => {
      expect(rebuild(text).describe()).toBe(text)
    })
  },
)

describe('the description of a topology', () => {
  it('shows sub-topologies, repartition topics without the application id, and stores', () => {
    const topology = dsl((b) =>
      b
        .stream(named('orders'))
        .selectKey((v) => v, { name: 'by-customer' })
        .groupByKey({ key: text })
        .windowedBy(TimeWindows.of('1h'))
        .count({ store: 'per-hour', name: 'count-per-hour' })
        .toStream()
        .to(any('hourly')),
    )
    expect(topology.describe()).toBe(
      [
        'Topologies:',
        '   Sub-topology: 0',
        '    Source: KSTREAM-SOURCE-0000000000 (topics: [orders])',
        '      --> by-customer',
        '    Processor: by-customer (stores: [])',
        '      --> per-hour-repartition-filter',
        '      <-- KSTREAM-SOURCE-0000000000',
        '    Processor: per-hour-repartition-filter (stores: [])',
        '      --> per-hour-repartition-sink',
        '      <-- by-customer',
        '    Sink: per-hour-repartition-sink (topic: per-hour-repartition)',
        '      <-- per-hour-repartition-filter',
        '',
        '  Sub-topology: 1',
        '    Source: per-hour-repartition-source (topics: [per-hour-repartition])',
        '      --> count-per-hour',
        '    Processor: count-per-hour (stores: [per-hour])',
        '      --> KTABLE-TOSTREAM-0000000006',
        '      <-- per-hour-repartition-source',
        '    Processor: KTABLE-TOSTREAM-0000000006 (stores: [])',
        '      --> KSTREAM-SINK-0000000007',
        '      <-- count-per-hour',
        '    Sink: KSTREAM-SINK-0000000007 (topic: hourly)',
        '      <-- KTABLE-TOSTREAM-0000000006',
        '',
        '',
      ].join('\n'),
    )
  })

  it('lists a node with more below it before its siblings, and names in the order of a Java hash set', () => {
    const builder = new TopologyDraft().addSource('src', [named('clicks'), named('views'), named('carts')])
    builder.addProcessor('small', passThrough, { parents: ['src'] })
    builder.addProcessor('large', passThrough, { parents: ['src'] })
    builder.addSink('end', named('out'), ['large'])
    expect(builder.build().describe()).toBe(
      [
        'Topologies:',
        '   Sub-topology: 0',
        '    Source: src (topics: [carts, clicks, views])',
        '      --> large, small',
        '    Processor: large (stores: [])',
        '      --> end',
        '      <-- src',
        '    Sink: end (topic: out)',
        '      <-- large',
        '    Processor: small (stores: [])',
        '      --> none',
        '      <-- src',
        '',
        '',
      ].join('\n'),
    )
  })
})

/** Of a sink that chooses topics, the function that does is not in the description. */
const choosesTopic = /extractor class/

function dsl(write: (builder: StreamsBuilder) => void, options?: BuildOptions): Topology {
  const builder = new StreamsBuilder()
  write(builder)
  return builder.build(options)
}

function named(name: string): Topic<string, string> {
  return topic(name, { key: text, value: text })
}

function counts(name: string): Topic<string, number> {
  return topic(name, { key: text, value: number })
}

function any<K, V>(name: string): Topic<K, V> {
  return named(name) as unknown as Topic<K, V>
}

function internalTopics(topology: Topology): string[] {
  const names = topology.subTopologies.flatMap(({ nodes, stores }) => [
    ...nodes.flatMap((node) => (node.kind === 'sink' && node.topic.internal ? [`app-${node.topic.name}`] : [])),
    ...stores.flatMap(({ name, logged, sourceTopic }) => sourceTopic ?? (logged ? [`app-${name}-changelog`] : [])),
  ])
  return names.sort()
}

/** A topology of the same shape as a description, with nodes that do nothing. */
function rebuild(description: string): Topology {
  const builder = new TopologyDraft()
  for (const part of description.split('Sub-topology: ').slice(1)) {
    const left = part.split(/^ {4}(?=\w)/m).slice(1)
    if (part.includes('for global store')) {
      addGlobal(left, builder)
      continue
    }
    const added = new Set<string>()
    while (left.length > 0) {
      const next = left.findIndex((node) => namesAfter('<--', node).every((parent) => added.has(parent)))
      added.add(addNode(left.splice(next, 1)[0], builder))
    }
  }
  return builder.build()
}

function addGlobal([source, processor]: readonly string[], builder: TopologyDraft): void {
  const names = [source, processor].map((node) => /: (\S+)/.exec(node)?.[1] as string)
  const [topic, store] = [source, processor].map((node) => /\[(.*)\]/.exec(node)?.[1] as string)
  builder.addGlobalStore(storeNamed(store), named(topic), passThrough, { source: names[0], processor: names[1] })
}

function addNode(node: string, builder: TopologyDraft): string {
  const [, kind, name, what] = /^(\w+): (\S+) \(\w+: (.*)\)$/m.exec(node) ?? []
  const parents = namesAfter('<--', node)
  const listed = what
    .replace(/[[\]]/g, '')
    .split(', ')
    .filter((each) => each !== '')
  if (kind === 'Source') builder.addSource(name, listed.map(named))
  else if (kind === 'Sink') builder.addSink(name, named(what), parents)
  else {
    builder.addProcessor(name, passThrough, { parents })
    for (const store of listed) builder.addStateStore(storeNamed(store), [name])
  }
  return name
}

function namesAfter(arrow: string, node: string): string[] {
  const line = node.split('\n').find((each) => each.includes(arrow))
  const names = line?.slice(line.indexOf(arrow) + arrow.length + 1) ?? 'none'
  return names === 'none' ? [] : names.split(', ')
}
