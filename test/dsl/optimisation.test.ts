import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  JoinWindows,
  type KStream,
  type Optimisation,
  type SourceTableOptions,
  StreamsBuilder,
  serde,
  type Topology,
  topic,
} from '../../src/index.ts'
import type { StoreDeclaration } from '../../src/state/store-declaration.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const types = { key: serde.string, value: serde.string }
const rows = topic('rows', types)

function storeOf(table: SourceTableOptions<string, string>, source = rows): StoreDeclaration {
  const builder = new StreamsBuilder()
  builder.table(source, { store: 'st', ...table })
  return builder.build({ optimize: true }).subTopologies[0].stores[0]
}

describe('the optimisations of a topology', () => {
  it('are none where they are not asked for', () => {
    const builder = new StreamsBuilder()
    builder.table(rows, { store: 'st' })
    for (const options of [{}, { optimize: false }, { optimize: [] }] as const) {
      const [store] = builder.build(options).subTopologies[0].stores
      expect(store.logged).toBe(true)
      expect(store.sourceTopic).toBeUndefined()
    }
  })

  it('may be listed; what there is not is refused', () => {
    const builder = new StreamsBuilder()
    builder.table(rows, { store: 'st' })
    const [store] = builder.build({ optimize: ['reuse-source-topics'] }).subTopologies[0].stores
    expect(store).toMatchObject({ logged: false, sourceTopic: 'rows' })
    expect(() => builder.build({ optimize: ['everything' as Optimisation] })).toThrow(
      "There is no optimisation 'everything'",
    )
  })

  it('also restore a table from its topic that is not to be logged', () => {
    expect(storeOf({ logging: false })).toMatchObject({ logged: false, sourceTopic: 'rows' })
  })

  it('restore a table that an operator looks up, and no other store', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(rows)
    builder.stream(topic('in', types)).join(table, (value) => value)
    builder.stream(topic('more', types)).toTable({ store: 'own' })
    const stores = builder.build({ optimize: true }).subTopologies.flatMap((each) => each.stores)
    expect(stores.map(({ logged, sourceTopic }) => [logged, sourceTopic])).toEqual([
      [false, 'rows'],
      [true, undefined],
    ])
  })

  it.each<[string, SourceTableOptions<string, string>]>([
    ['event times are a function', { timestamp: () => 1 }],
    ['event times are those of the clock', { timestamp: 'wall-clock' }],
    ['event times may be those of the records before', { invalidTimestamp: 'partition-time' }],
    ['reading began at the end', { offsetReset: 'latest' }],
    ['rows have versions', { versioned: '1h' }],
  ])('leave a table its changelog where %s', (_, options) => {
    expect(storeOf(options)).toMatchObject({ logged: true })
    expect(storeOf(options).sourceTopic).toBeUndefined()
  })

  it('leave a table its changelog where its topic declares event times', () => {
    expect(storeOf({}, topic('rows', { ...types, timestamp: () => 1 }))).toMatchObject({ logged: true })
  })
})

const side = topic('side', types)

/** The repartition topics of what is done with a stream whose keys were changed. */
function merging(write: (changed: KStream<string, string>, builder: StreamsBuilder) => void): Topology {
  const builder = new StreamsBuilder()
  write(
    builder.stream(topic('in', types)).selectKey((value) => value),
    builder,
  )
  return builder.build({ optimize: ['merge-repartition-topics'] })
}

function repartitionTopics({ subTopologies }: Topology): string[] {
  return subTopologies.flatMap(({ nodes }) =>
    nodes.flatMap((node) => (node.kind === 'sink' && node.topic.internal ? [node.topic.name] : [])),
  )
}

describe('merged repartition topics', () => {
  it('serve several operators behind one step, and behind branches', () => {
    const topology = merging((changed) => {
      const kept = changed.filter(() => true)
      kept.groupByKey({ ...types, name: 'first' }).count()
      kept.groupByKey({ ...types, name: 'second' }).reduce((_, value) => value)
      const { left } = changed
        .split()
        .branch(() => true, { name: 'left' })
        .noDefaultBranch()
      left.groupByKey({ ...types, name: 'third' }).count()
    })
    expect(repartitionTopics(topology)).toEqual(['first-repartition'])
  })

  it.each<[string, (changed: KStream<string, string>, builder: StreamsBuilder) => KStream<string, string>]>([
    ['processValues', (changed) => changed.processValues(() => ({ process: ({ value }) => value }))],
    [
      'a join with a global table',
      (changed, builder) =>
        changed.leftJoin(builder.globalTable(topic('g', types)), (value) => value, { keySelector: (value) => value }),
    ],
  ])('leave out what follows %s, which may change values', (_, step) => {
    const topology = merging((changed, builder) => {
      changed.groupByKey({ ...types, name: 'first' }).count()
      step(changed, builder)
        .groupByKey({ ...types, name: 'second' })
        .count()
    })
    expect(repartitionTopics(topology).toSorted()).toEqual(['first-repartition', 'second-repartition'])
  })

  it('leave out what would be written with another serde', () => {
    const topology = merging((changed) => {
      changed.groupByKey({ ...types, name: 'first' }).count()
      changed.groupByKey({ ...types, name: 'second', value: serde.json<string>() }).count()
      changed.groupByKey({ ...types, name: 'third' }).count()
    })
    expect(repartitionTopics(topology).toSorted()).toEqual(['first-repartition', 'second-repartition'])
  })

  it('carry records without a key for what else follows a step before them', () => {
    const topology = merging((changed) => {
      const kept = changed.filter(() => true)
      kept.groupByKey(types).count()
      kept.to(side as never)
    })
    using driver = new TopologyTestDriver(topology)
    driver.input(topic('in', types)).pipe({ key: 'a', value: null, timestamp: 1 })
    expect(driver.output(side).readAll()).toMatchObject([{ key: null, value: null }])
    expect(driver.drops()).toMatchObject([{ reason: 'null-key', count: 1 }])
  })
})

const read = topic('in', types)
const joined = topic('joined', types)

function joinStores(write: (stream: KStream<string | null, string>, builder: StreamsBuilder) => void): string[] {
  const builder = new StreamsBuilder()
  write(builder.stream(read), builder)
  const { subTopologies } = builder.build({ optimize: ['single-store-self-join'] })
  return subTopologies.flatMap(({ stores }) => stores.map(({ name }) => name))
}

describe('a join of a stream with itself in one store', () => {
  const within = JoinWindows.of(10)
  const joiner = (left: string | null, right: string | null): string => `${left}+${right}`

  it('gives what it gives with two, in the same order, also when it is restarted', () => {
    const sizes = fc
      .record({ before: fc.integer({ min: -3, max: 8 }), after: fc.integer({ min: -3, max: 8 }), grace: fc.nat(4) })
      .filter(({ before, after }) => before + after >= 0)
    const steps = fc.array(
      fc.record({
        key: fc.option(fc.constantFrom('a', 'b'), { freq: 12 }),
        hasValue: fc.boolean(),
        step: fc.integer({ min: -8, max: 6 }),
        restarts: fc.boolean(),
      }),
      { maxLength: 25 },
    )
    fc.assert(
      fc.property(sizes, steps, ({ before, after, grace }, all) => {
        const results = [false, true].map((optimize) => {
          const builder = new StreamsBuilder()
          const stream = builder.stream(read)
          const windows = JoinWindows.of(20).before(before).after(after).grace(grace)
          stream.join(stream, joiner, { within: windows }).to(joined)
          using driver = new TopologyTestDriver(builder.build({ optimize }))
          let timestamp = 0
          return all.map(({ key, hasValue, step, restarts }, i) => {
            timestamp = Math.max(0, timestamp + step)
            driver.input(read).pipe({ key, value: hasValue || i % 4 > 0 ? `v${i}` : null, timestamp })
            if (restarts) driver.restart()
            return driver.output(joined).readAll()
          })
        })
        expect(results[1]).toEqual(results[0])
      }),
      { numRuns: 300 },
    )
  })

  it('is one where the topic is opened twice, or both sides share a repartition topic', () => {
    expect(joinStores((stream, builder) => stream.join(builder.stream(read), joiner, { within }))).toHaveLength(1)
    const rekeyed = joinStores((stream) => {
      const changed = stream.selectKey((value) => value)
      changed.join(changed, joiner, { within, ...types })
    })
    expect(rekeyed).toHaveLength(1)
  })

  it('is not one with another stream, with a second serde, or where records without a match are handed on', () => {
    expect(
      joinStores((stream) =>
        stream.join(
          stream.filter(() => true),
          joiner,
          { within },
        ),
      ),
    ).toHaveLength(2)
    const otherValue = serde.json<string>()
    expect(joinStores((stream) => stream.join(stream, joiner, { within, otherValue }))).toHaveLength(2)
    expect(joinStores((stream) => stream.leftJoin(stream, joiner, { within }))).toHaveLength(3)
  })
})
