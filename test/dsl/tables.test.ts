import { describe, expect, it } from 'vitest'
import type { KStream, KTable } from '../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { serde } from '../../src/serde/serdes.ts'
import type { KeyValueStore } from '../../src/state/key-value-store.ts'
import { type Topic, topic } from '../../src/topic.ts'
import type { Topology, TopologyNode } from '../../src/topology/topology.ts'
import { TopologyRun } from './topology-run.ts'

const text = (name: string): Topic<string, string> => topic(name, { key: serde.string, value: serde.string })
const [rows, events, out] = [text('rows'), text('events'), text('out')]
const joined = (value: string, row: string | null): string => `${value}+${row}`

describe('a table of a topic', () => {
  it('keeps its rows only where the store is named or an operator looks rows up', () => {
    expect(storesOf(built(({ table }) => void table.toStream().to(out)))).toEqual([])
    expect(storesOf(built(({ builder }) => void builder.table(text('t'), { store: 'named' })))).toEqual(['named'])
    expect(storesOf(built(({ stream, table }) => void stream.join(table, joined)))).toEqual([
      'rows-STATE-STORE-0000000000',
    ])
    expect(
      storesOf(
        built(({ stream, table }) => {
          stream.join(
            table.filter(() => true).mapValues((value) => value),
            joined,
          )
        }),
      ),
    ).toEqual(['rows-STATE-STORE-0000000000'])
  })

  it('names its source after itself', () => {
    const topology = new StreamsBuilder()
    topology.table(rows, { name: 'customers' }).toStream()
    expect(nodesOf(topology.build()).map(({ name }) => name)).toEqual([
      'customers-source',
      'customers',
      'KTABLE-TOSTREAM-0000000003',
    ])
  })

  it.each([{}, { store: 'kept' }])('drops records without a key, and counts them: %j', (options) => {
    const builder = new StreamsBuilder()
    builder
      .table(rows, { name: 'table', ...options })
      .toStream()
      .to(out)
    const run = new TopologyRun(builder.build())
    expect(run.process('rows', at(1, null, 'x'))).toEqual([])
    expect(run.drops).toEqual(['table null-key'])
  })

  it('forgets a row that is deleted', () => {
    const run = running(({ builder, stream }) => {
      stream.leftJoin(builder.table(text('t'), { store: 'kept' }), joined).to(out)
    })
    run.process('t', at(1, 'k', 'row'))
    expect(run.process('events', at(2, 'k', 'a'))).toEqual(['(k, a+row, ts=2)'])
    run.process('t', at(3, 'k', null))
    expect(run.process('events', at(4, 'k', 'b'))).toEqual(['(k, b+null, ts=4)'])
    expect((run.stores.get('kept') as KeyValueStore).get('k')).toBeUndefined()
  })

  it('cannot be of a topic that is read elsewhere too', () => {
    expect(() =>
      built(({ builder }) => {
        builder.stream(rows)
      }),
    ).toThrow("The topic 'rows' is already read by 'KSTREAM-SOURCE-0000000001'")
  })
})

describe('filter of a table', () => {
  it('deletes only what it let through before, where the table has its rows', () => {
    const run = running(({ builder }) => {
      builder
        .table(text('t'), { store: 'kept' })
        .filter((value) => value.startsWith('good'))
        .toStream()
        .to(out)
    })
    const outputs = ['bad', 'good', 'bad', 'worse', null].map((value, i) => run.process('t', at(i, 'k', value)).join())
    expect(outputs).toEqual(['', '(k, good, ts=1)', '(k, null, ts=2)', '', ''])
  })

  it('has in its own store only what passes', () => {
    const run = running(({ table }) => void table.filter((value) => value !== 'bad', { store: 'passing' }))
    const store = run.stores.get('passing') as KeyValueStore
    run.process('rows', at(1, 'k', 'good'))
    expect(store.get('k')).toEqual({ value: 'good', timestamp: 1 })
    run.process('rows', at(2, 'k', 'bad'))
    expect(store.get('k')).toBeUndefined()
  })

  it('deletes the result of an aggregation that leaves the table, also where it was changed in place', () => {
    const run = running(({ stream }) => {
      stream
        .groupByKey()
        .aggregate(
          () => ({ size: 0 }),
          (bag) => {
            bag.size++
            return bag
          },
          { value: serde.json<{ size: number }>() },
        )
        .filter((bag) => bag.size < 3)
        .mapValues((bag) => String(bag.size))
        .toStream()
        .to(out)
    })
    const outputs = [1, 2, 3].map((timestamp) => run.process('events', at(timestamp, 'k', 'x')).join())
    expect(outputs).toEqual(['(k, 1, ts=1)', '(k, 2, ts=2)', '(k, null, ts=3)'])
  })

  it('deletes what leaves the table also where it was mapped from an aggregate that was changed in place', () => {
    const run = running(({ stream }) => {
      stream
        .groupByKey()
        .aggregate(
          () => ({ size: 0 }),
          (bag) => {
            bag.size++
            return bag
          },
          { value: serde.json<{ size: number }>() },
        )
        .mapValues((bag) => String(bag.size))
        .filter((size) => size !== '3')
        .toStream()
        .to(out)
    })
    const outputs = [1, 2, 3].map((timestamp) => run.process('events', at(timestamp, 'k', 'x')).join())
    expect(outputs).toEqual(['(k, 1, ts=1)', '(k, 2, ts=2)', '(k, null, ts=3)'])
  })

  it('takes one number more where it is told about its store but not the name', () => {
    const named = nodesOf(built(({ table }) => void table.filter(() => true, { value: serde.string })))
    expect(named.map(({ name }) => name)).toContain('KTABLE-FILTER-0000000005')
  })
})

describe('mapValues of a table', () => {
  it('hands deletions on without calling the mapper, and deletes where the mapper makes nothing', () => {
    const seen: string[] = []
    const run = running(({ table }) => {
      table
        .mapValues((value, key) => {
          seen.push(`${key}=${value}`)
          return value === 'none' ? null : value.toUpperCase()
        })
        .toStream()
        .to(out)
    })
    const outputs = ['a', null, 'none'].map((value, i) => run.process('rows', at(i, 'k', value)).join())
    expect(outputs).toEqual(['(k, A, ts=0)', '(k, null, ts=1)', '(k, null, ts=2)'])
    expect(seen).toEqual(['k=a', 'k=none'])
  })

  it('maps the value before for a filter behind it', () => {
    const run = running(({ builder }) => {
      builder
        .table(text('t'), { store: 'kept' })
        .mapValues((value) => value.length)
        .filter((length) => length > 1)
        .mapValues((length) => String(length))
        .toStream()
        .to(out)
    })
    const outputs = ['a', 'bb', 'c', 'd'].map((value, i) => run.process('t', at(i, 'k', value)).join())
    expect(outputs).toEqual(['', '(k, 2, ts=1)', '(k, null, ts=2)', ''])
  })

  it('keeps what it made in a store that is named', () => {
    const run = running(({ table, stream }) => {
      const lengths = table.mapValues((value) => value.length, { store: 'lengths', value: serde.float64 })
      stream.join(lengths, (value, length) => value.repeat(length)).to(out)
    })
    run.process('rows', at(1, 'k', 'abc'))
    expect((run.stores.get('lengths') as KeyValueStore).get('k')).toEqual({ value: 3, timestamp: 1 })
    expect(run.process('events', at(2, 'k', 'x'))).toEqual(['(k, xxx, ts=2)'])
    expect([...run.stores.keys()]).toEqual(['lengths'])
  })
})

describe('a join of a stream with a table', () => {
  it('recomputes rows of tables that have no store of their own', () => {
    const run = running(({ table, stream }) => {
      const shouted = table
        .filter((value) => value !== 'hidden')
        .mapValues((value, key) => `${key}:${value.toUpperCase()}`)
      stream.leftJoin(shouted, joined).to(out)
    })
    run.process('rows', at(1, 'k', 'seen'))
    expect(run.process('events', at(2, 'k', 'a'))).toEqual(['(k, a+k:SEEN, ts=2)'])
    run.process('rows', at(3, 'k', 'hidden'))
    expect(run.process('events', at(4, 'k', 'b'))).toEqual(['(k, b+null, ts=4)'])
  })

  it('gives the joiner the key, and keeps key and timestamp of the record', () => {
    const run = running(({ table, stream }) => {
      stream.join(table, (value, row, key) => `${key}/${value}/${row}`).to(out)
    })
    run.process('rows', at(9, 'k', 'row'))
    expect(run.process('events', at(3, 'k', 'a'))).toEqual(['(k, k/a/row, ts=3)'])
  })

  it('drops records without key or value, and counts them; a left join takes those without key', () => {
    const run = running(({ table, stream }) => {
      stream.join(table, joined, { name: 'inner' }).to(out)
      stream.leftJoin(table, joined, { name: 'left' }).to(out)
    })
    expect(run.process('events', at(1, null, 'a'))).toEqual(['(null, a+null, ts=1)'])
    expect(run.process('events', at(2, 'k', null))).toEqual([])
    expect(run.drops).toEqual(['inner null-key', 'inner null-value', 'left null-value'])
  })

  it('looks up results of an aggregation', () => {
    const run = running(({ stream }) => {
      const sizes = stream.groupByKey().count()
      stream.join(sizes, (value, size) => `${value}${size}`).to(out)
    })
    expect([1, 2].flatMap((timestamp) => run.process('events', at(timestamp, 'k', 'x')))).toEqual([
      '(k, x1, ts=1)',
      '(k, x2, ts=2)',
    ])
  })

  it('sends a stream whose key has changed through one topic for all its joins that are not named', () => {
    const topology = built(({ stream, table }) => {
      const byValue = stream.selectKey((value) => value)
      byValue.join(table, joined, { key: serde.string }).to(out)
      byValue.leftJoin(table, joined, { key: serde.string }).to(out)
      byValue.join(table, joined, { key: serde.string, name: 'own' }).to(out)
    })
    const internal = nodesOf(topology).flatMap((node) =>
      node.kind === 'sink' && node.topic.internal ? [node.topic.name] : [],
    )
    expect(internal).toEqual(['KSTREAM-KEY-SELECT-0000000004-repartition', 'own-repartition'])
  })

  it('may come before the table in the order of the topology', () => {
    const run = running(({ stream }) => {
      const grouped = stream.groupBy((value) => value, { name: 'by-value', key: serde.string })
      const sizes = grouped.count({ store: 'sizes' })
      stream.leftJoin(sizes, (value, size) => `${value}${size}`).to(out)
      grouped.reduce((_, value) => value, { store: 'last' })
    })
    run.process('events', at(1, 'a', 'a'))
    expect(run.process('events', at(2, 'a', 'a'))).toEqual(['(a, a1, ts=2)'])
  })

  it('is refused with a table of another builder', () => {
    expect(() => built(({ stream }) => void stream.join(new StreamsBuilder().table(rows), joined))).toThrow(
      'Only what begins with the same StreamsBuilder can be joined (operator KSTREAM-SOURCE-0000000003).',
    )
  })

  it('says which topics must have the same number of partitions', () => {
    const topology = built(({ stream, table }) => {
      stream
        .join(
          table.mapValues((value) => value),
          joined,
        )
        .to(out)
      stream.selectKey((value) => value).join(table, joined, { name: 'rekeyed', key: serde.string })
    })
    const names = topology.copartitioned.map((group) => group.map(({ name }) => name))
    expect(names).toEqual([
      ['events', 'rows'],
      ['rekeyed-repartition', 'rows'],
    ])
  })
})

describe('repartition', () => {
  it('brings records of one key together, so that no other topic is needed', () => {
    const topology = built(({ stream, table }) => {
      stream
        .selectKey((value) => value)
        .repartition({ name: 'by-value', key: serde.string, partitions: 7 })
        .join(table, joined)
        .to(out)
    })
    const internal = nodesOf(topology).flatMap((node) =>
      node.kind === 'sink' && node.topic.internal ? [node.topic] : [],
    )
    expect(internal).toEqual([{ name: 'by-value-repartition', internal: true, partitions: 7 }])
  })

  it('drops records without a key, and counts them, unless a left join follows at some distance', () => {
    const run = running(({ stream, table }) => {
      stream.repartition({ name: 'plain' }).to(out)
      stream
        .repartition({ name: 'joined' })
        .peek(() => {})
        .leftJoin(table, joined)
        .to(out)
    })
    expect(run.process('events', at(1, null, 'a'))).toEqual(['(null, a+null, ts=1)'])
    expect(run.drops).toEqual(['plain-repartition-filter null-key'])
  })

  it.each([0, 1.5, 10_001])('refuses %j partitions', (partitions) => {
    expect(() => built(({ stream }) => void stream.repartition({ partitions }))).toThrow(
      'is not a number of partitions',
    )
  })
})

describe('serdes of tables', () => {
  it.each<[string, (given: Given) => unknown, string]>([
    [
      'of a new key, before a join',
      ({ stream, table }) =>
        stream.selectKey((value) => value, { name: 'by-value' }).join(table, joined, { name: 'j' }),
      "No serde is known for the keys that 'by-value' makes, but the repartition topic needs one (operator j-repartition-source). Give it in join({ key }).",
    ],
    [
      'of a new value, before a repartition',
      ({ stream }) => stream.mapValues((value) => value.length, { name: 'lengths' }).repartition({ name: 'r' }),
      "No serde is known for the values that 'lengths' makes, but the repartition topic needs one (operator r-repartition-source). Give it in repartition({ value }).",
    ],
    [
      'of a new value, in the store of a table',
      ({ stream }) => stream.mapValues((value) => value.length, { name: 'lengths' }).toTable({ name: 't', store: 's' }),
      "No serde is known for the values that 'lengths' makes, but the store 's' needs one (operator t). Give it in toTable({ value }).",
    ],
    [
      'of a new value, in the store of a mapped table',
      ({ table }) => table.mapValues((value) => value.length, { name: 'lengths', store: 's' }),
      "No serde is known for the values that 'lengths' makes, but the store 's' needs one (operator lengths). Give it in mapValues(..., { value }).",
    ],
    [
      'of a new value, in the store that a join asks for',
      ({ stream }) =>
        stream.join(
          stream.mapValues((value) => value.length, { name: 'lengths' }).toTable({ name: 't' }),
          (value) => value,
        ),
      "No serde is known for the values that 'lengths' makes, but the store 'KSTREAM-TOTABLE-STATE-STORE-0000000006' needs one (operator t). Give it in toTable({ value }).",
    ],
  ])('are asked for when the operator is added: %s', (_, use, message) => {
    expect(() => built((given) => void use(given))).toThrow(
      expect.objectContaining({ code: 'SERDE_REQUIRED', message }),
    )
  })

  it('are those of the topic, or those given', () => {
    const topology = built(({ table }) => {
      table
        .mapValues((value) => value.length, { value: serde.float64 })
        .toStream()
        .toTable({ store: 'lengths' })
        .toStream()
        .repartition()
    })
    expect(nodesOf(topology).find((node) => node.kind === 'sink')).toMatchObject({
      key: serde.string,
      value: serde.float64,
    })
  })
})

interface Given {
  readonly builder: StreamsBuilder
  /** Of the topic `rows`. */
  readonly table: KTable<string, string>
  /** Of the topic `events`. */
  readonly stream: KStream<string, string>
}

function built(write: (given: Given) => void): Topology {
  const builder = new StreamsBuilder()
  const table = builder.table(rows)
  write({ builder, table, stream: builder.stream(events) })
  return builder.build()
}

function running(write: (given: Given) => void): TopologyRun {
  return new TopologyRun(built(write))
}

function at(timestamp: number, key: string | null, value: string | null) {
  return { key, value, timestamp }
}

function nodesOf(topology: Topology): TopologyNode[] {
  return topology.subTopologies.flatMap((subTopology) => subTopology.nodes)
}

function storesOf(topology: Topology): string[] {
  return topology.subTopologies.flatMap((subTopology) => subTopology.stores.map((store) => store.name))
}
