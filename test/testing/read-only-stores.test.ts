import { describe, expect, it } from 'vitest'
import { keyValueStore, serde, TopologyBuilder, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const ofText = { key: serde.string, value: serde.string }
const events = topic('events', ofText)
const namesTopic = topic('names-topic', ofText)
const out = topic('out', ofText)
const names = keyValueStore('names', ofText)
const other = keyValueStore('other', ofText)
const filledBy = { source: 'names-source', processor: 'names-update' }

const refused = (what: string) =>
  expect.objectContaining({ code: 'INVALID_TOPOLOGY', message: expect.stringContaining(what) })

/** Events joined with names, which are kept as `change` makes them. */
function lookingUp(change: (name: string) => string = (name) => name) {
  const builder = new TopologyBuilder()
  const source = builder.addSource('events', events)
  const fed = builder.addReadOnlyStateStore(
    names,
    namesTopic,
    () => ({
      process({ key, value }, context) {
        if (value === 'nobody') context.drop('null-value')
        else context.store(names).put(key, value === null ? null : change(value))
      },
    }),
    filledBy,
  )
  const looking = builder.addProcessor(
    'look',
    () => ({
      process: (record, context) =>
        context.forward(record.withValue(`${record.value}+${context.readOnlyStore(names).get(record.key) ?? null}`)),
    }),
    { parents: source },
  )
  builder.connect(looking, names)
  builder.addSink('out', out, { parents: looking })
  return { builder, fed, looking }
}

function pipe(driver: TopologyTestDriver, to: typeof events, value: string | null, timestamp: number): void {
  driver.input(to).pipe({ key: 'a', value, timestamp })
}

const valuesOf = (driver: TopologyTestDriver) =>
  driver
    .output(out)
    .readAll()
    .map(({ value }) => value)

describe('a read-only store', () => {
  it('is described, filled and looked up as Kafka Streams 4.1.1 does, without a changelog', () => {
    const topology = lookingUp().builder.build()
    expect(topology.describe()).toBe(`Topologies:
   Sub-topology: 0
    Source: events (topics: [events])
      --> look
    Processor: look (stores: [names])
      --> out
      <-- events
    Source: names-source (topics: [names-topic])
      --> names-update
    Processor: names-update (stores: [names])
      --> none
      <-- names-source
    Sink: out (topic: out)
      <-- look

`)
    using driver = new TopologyTestDriver(topology)
    pipe(driver, events, '1', 5)
    pipe(driver, namesTopic, 'A', 3)
    pipe(driver, events, '2', 4)
    pipe(driver, namesTopic, null, 9)
    pipe(driver, events, '3', 10)
    expect(valuesOf(driver)).toEqual(['1+null', '2+A', '3+null'])
    expect(driver.producedTopics()).toEqual(['out'])
    expect(() => driver.output(topic('topology-test-names-changelog', ofText))).toThrow('does not write the topic')
  })

  it('is restored from its topic through its processor, and nothing is counted twice', () => {
    using driver = new TopologyTestDriver(lookingUp((name) => name.toUpperCase()).builder.build())
    pipe(driver, namesTopic, 'Ann', 1)
    pipe(driver, namesTopic, 'nobody', 2)
    const drops = [{ operator: 'names-update', reason: 'null-value', count: 1 }]
    expect(driver.drops()).toEqual(drops)
    driver.restart()
    expect(driver.drops()).toEqual(drops)
    expect(driver.store(names).get('a')).toBe('ANN')
    pipe(driver, events, '1', 3)
    pipe(driver, namesTopic, 'Bob', 4)
    driver.restart()
    pipe(driver, events, '2', 5)
    expect(valuesOf(driver)).toEqual(['1+ANN', '2+BOB'])
  })

  it('keeps nothing of a record that failed', () => {
    const change = (name: string) => {
      if (name === 'Bob') throw new Error('no')
      return name
    }
    using driver = new TopologyTestDriver(lookingUp(change).builder.build())
    pipe(driver, namesTopic, 'Ann', 1)
    expect(() => pipe(driver, namesTopic, 'Bob', 2)).toThrow("'names-update' threw: no")
    pipe(driver, namesTopic, 'Cid', 3)
    driver.restart()
    expect(driver.store(names).get('a')).toBe('Cid')
  })

  it('has what others take from its source before they do', () => {
    const { builder, fed } = lookingUp()
    const after = builder.addProcessor(
      'after',
      () => ({
        process: (record, context) =>
          context.forward(record.withValue(`now ${context.readOnlyStore(names).get(record.key)}`)),
      }),
      { parents: fed, stores: [names] },
    )
    builder.addSink('out-2', out, { parents: after })
    using driver = new TopologyTestDriver(builder.build())
    pipe(driver, namesTopic, 'Ann', 1)
    driver.restart()
    expect(valuesOf(driver)).toEqual(['now Ann'])
  })

  it('is written by its own processor alone', () => {
    const { builder, fed } = lookingUp()
    const writing = () => ({
      process: (
        { key }: { key: string },
        context: { store(store: typeof names): { put(k: string, v: string): void } },
      ) => context.store(names).put(key, 'x'),
    })
    builder.addProcessor('write', writing, { parents: fed, stores: [names] })
    using driver = new TopologyTestDriver(builder.build())
    expect(() => pipe(driver, namesTopic, 'Ann', 1)).toThrow(refused("'names' is filled from a topic"))
  })

  it('shares neither its name, nor its topic, nor its processor', () => {
    const { builder } = lookingUp()
    const filling = () => ({ process: () => {} })
    const again = { source: 's', processor: 'p' }
    expect(() => builder.addReadOnlyStateStore(names, out, filling, again)).toThrow(refused('already named'))
    expect(() => builder.addReadOnlyStateStore(other, events, filling, again)).toThrow(refused("read by 'events'"))
    const update = { name: 'names-update' }
    expect(() => builder.addStateStore(other, update)).toThrow(refused('fills a read-only store'))
    expect(() => builder.addProcessor('child', filling, { parents: update })).toThrow(refused('hands nothing on'))
  })
})
