import { describe, expect, it } from 'vitest'
import { keyValueStore, serde, TopologyBuilder, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'
import { goldenMissing, readGoldenDescriptions } from '../topology/golden-descriptions.ts'

const ofText = { key: serde.string, value: serde.string }
const words = topic('words', ofText)
const names = topic('names', { key: serde.string, value: serde.string })
const counts = topic('counts', { key: serde.string, value: serde.json<number>() })
const texts = topic('texts', { key: serde.string, value: serde.string })
const byWord = keyValueStore('by-word', { key: serde.string, value: serde.json<number>() })
const kv = keyValueStore('kv', { key: serde.string, value: serde.string })

const refused = (what: string) =>
  expect.objectContaining({ code: 'INVALID_TOPOLOGY', message: expect.stringContaining(what) })

describe('a topology by hand', () => {
  it('takes records from sources through processors with stores to sinks', () => {
    const builder = new TopologyBuilder()
    const source = builder.addSource('source', words)
    const splitting = builder.addProcessor(
      'split',
      () => ({
        process(record, context) {
          for (const word of record.value.split(' ')) context.forward(record.withKey(word))
        },
      }),
      { parents: source },
    )
    const counting = builder.addProcessor(
      'count',
      () => ({
        process(record, context) {
          const store = context.store(byWord)
          const count = (store.get(record.key) ?? 0) + 1
          store.put(record.key, count)
          context.forward(record.withValue(count))
        },
      }),
      { parents: splitting, stores: [byWord], value: serde.json<number>() },
    )
    builder.addSink('sink', counts, { parents: counting })
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipe({ key: null, value: 'a b a', timestamp: 1 })
    driver.restart()
    driver.input(words).pipe({ key: null, value: 'a', timestamp: 2 })
    expect(
      driver
        .output(counts)
        .readAll()
        .map(({ key, value }) => [key, value]),
    ).toEqual([
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['a', 3],
    ])
  })

  it('hands records to all children, or to one', () => {
    const builder = new TopologyBuilder()
    const source = builder.addSource('source', words)
    const routing = builder.addProcessor(
      'route',
      () => ({
        process: (record, context) => context.forward(record, record.value === 'all' ? undefined : record.value),
      }),
      { parents: source },
    )
    const marked = (name: string) =>
      builder.addProcessor(
        name,
        () => ({ process: (record, context) => context.forward(record.withValue(`${name} ${record.value}`)) }),
        { parents: routing },
      )
    builder.addSink('sink', texts, { parents: [marked('left'), marked('right')] })
    using driver = new TopologyTestDriver(builder.build())
    for (const value of ['left', 'right', 'all']) driver.input(words).pipe({ key: 'k', value, timestamp: 1 })
    expect(
      driver
        .output(texts)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['left left', 'right right', 'left all', 'right all'])
  })

  it('shares a store between processors, which then run in the same tasks', () => {
    const builder = new TopologyBuilder()
    const putting = builder.addProcessor(
      'put',
      () => ({ process: ({ key, value }, context) => context.store(kv).put(key, value) }),
      { parents: builder.addSource('names-source', names) },
    )
    const getting = builder.addProcessor(
      'get',
      () => ({
        process: (record, context) => context.forward(record.withValue(context.store(kv).get(record.key) ?? '')),
      }),
      { parents: builder.addSource('words-source', words) },
    )
    builder.addSink('sink', texts, { parents: getting })
    builder.addStateStore(kv, putting)
    builder.connect(getting, kv)
    const topology = builder.build()
    expect(topology.subTopologies).toHaveLength(1)
    using driver = new TopologyTestDriver(topology)
    driver.input(names).pipe({ key: 'k', value: 'name', timestamp: 1 })
    driver.input(words).pipe({ key: 'k', value: 'word', timestamp: 2 })
    expect(driver.output(texts).readAll()).toEqual([{ key: 'k', value: 'name', timestamp: 2 }])
  })

  it('reads global stores', () => {
    const builder = new TopologyBuilder()
    builder.addGlobalStore(
      kv,
      names,
      () => ({ process: ({ key, value }, context) => context.store(kv).put(key, value.toUpperCase()) }),
      { source: 'names-source', processor: 'fill' },
    )
    const getting = builder.addProcessor(
      'get',
      () => ({
        process: (record, context) =>
          context.forward(record.withValue(context.readOnlyStore(kv).get(record.key) ?? '')),
      }),
      { parents: builder.addSource('source', words) },
    )
    builder.addSink('sink', texts, { parents: getting })
    using driver = new TopologyTestDriver(builder.build())
    driver.input(names).pipe({ key: 'k', value: 'name', timestamp: 1 })
    driver.restart()
    driver.input(words).pipe({ key: 'k', value: 'word', timestamp: 2 })
    expect(driver.output(texts).readAll()).toEqual([{ key: 'k', value: 'NAME', timestamp: 2 }])
  })

  it.skipIf(goldenMissing !== undefined)(
    `is described as Kafka Streams describes it (${goldenMissing ?? 'found'})`,
    () => {
      const builder = new TopologyBuilder()
      const passing = () => ({ process: () => {} })
      const p1 = builder.addProcessor('p1', passing, { parents: builder.addSource('src', topic('in', ofText)) })
      const p2 = builder.addProcessor('p2', passing, { parents: p1 })
      builder.addStateStore(kv, p1, p2)
      builder.addSink('snk', topic('out', ofText), { parents: [p1, p2] })
      const golden = readGoldenDescriptions().find(({ title }) => title === 'Processor API topology')
      expect(builder.build().describe()).toBe(golden?.text)
    },
  )

  it('refuses what would not run', () => {
    const builder = new TopologyBuilder()
    const source = builder.addSource('source', words)
    const passing = () => ({ process: () => {} })
    expect(() => builder.addSource('source', names)).toThrow(refused('Another node has this name'))
    expect(() => builder.addSource('again', words)).toThrow(refused("already read by 'source'"))
    expect(() => builder.addProcessor('p', passing, { parents: { name: 'nobody' } })).toThrow(
      refused("'nobody' does not exist"),
    )
    expect(() => builder.addProcessor('p', passing, { parents: [] })).toThrow(refused('has no parent'))
    const shared = { process: () => {} }
    expect(() => builder.addProcessor('p', () => shared, { parents: source })).toThrow(refused('same processor'))
    expect(() => builder.connect(source, kv)).toThrow(refused('cannot use a store'))
    builder.addStateStore(kv)
    expect(() => builder.build()).toThrow(refused('No processor uses the store'))
  })

  it('refuses a store that is not connected, and a child that is none, when they are asked for', () => {
    const builder = new TopologyBuilder()
    builder.addProcessor('p', () => ({ process: (_, context) => void context.store(kv).get('k') }), {
      parents: builder.addSource('source', words),
    })
    using driver = new TopologyTestDriver(builder.build())
    expect(() => driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })).toThrow(
      refused("store 'kv', which is not connected"),
    )
  })
})
