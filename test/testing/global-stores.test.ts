import { describe, expect, it } from 'vitest'
import { keyValueStore, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const orders = topic('orders', { key: serde.string, value: serde.json<{ customer: string | null; cents: number }>() })
const customers = topic('customers', { key: serde.string, value: serde.string })
const lengths = keyValueStore('lengths', { key: serde.string, value: serde.json<number>() })
const texts = topic('texts', { key: serde.string, value: serde.string })

function joining() {
  const builder = new StreamsBuilder()
  const names = builder.globalTable(customers, { store: 'names' })
  builder
    .stream(orders)
    .join(names, (order, name, key) => `${key}: ${name} ${order.cents}`, { keySelector: (order) => order.customer })
    .to(texts)
  return builder.build()
}

const order = (key: string, customer: string | null) => ({ key, value: { customer, cents: 5 }, timestamp: 9 })

describe('a global table', () => {
  it('is joined with by a key of the record, as it is at that moment, and hands on nothing itself', () => {
    using driver = new TopologyTestDriver(joining())
    const output = driver.output(texts)
    driver.input(orders).pipe(order('o1', 'c'))
    driver.input(customers).pipe({ key: 'c', value: 'Ann', timestamp: 100 })
    expect(output.isEmpty).toBe(true)
    driver.input(orders).pipe(order('o2', 'c'))
    driver.input(customers).pipe({ key: 'c', value: null, timestamp: 101 })
    driver.input(orders).pipe(order('o3', 'c'))
    expect(output.readAll()).toEqual([{ key: 'o2', value: 'o2: Ann 5', timestamp: 9 }])
  })

  it('counts what it cannot join or keep', () => {
    using driver = new TopologyTestDriver(joining())
    driver.input(orders).pipe(order('o', null))
    driver.input(orders).pipe({ key: 'o', value: null, timestamp: 1 })
    driver.input(customers).pipe({ key: null, value: 'Ann', timestamp: 1 })
    expect(driver.drops()).toEqual([
      { operator: 'KTABLE-SOURCE-0000000001', reason: 'null-key', count: 1 },
      { operator: 'KSTREAM-LEFTJOIN-0000000003', reason: 'null-key', count: 1 },
      { operator: 'KSTREAM-LEFTJOIN-0000000003', reason: 'null-value', count: 1 },
    ])
  })

  it('is filled from its topic at a restart, and has no changelog', () => {
    using driver = new TopologyTestDriver(joining())
    for (const value of ['Ann', 'Bob']) driver.input(customers).pipe({ key: 'c', value, timestamp: 1 })
    driver.restart()
    driver.input(orders).pipe(order('o', 'c'))
    expect(driver.output(texts).readAll()).toEqual([{ key: 'o', value: 'o: Bob 5', timestamp: 9 }])
    expect(driver.producedTopics()).toEqual(['texts'])
    expect(driver.store('names').get('c')?.value).toBe('Bob')
  })

  it('keeps nothing of a record that failed', () => {
    const builder = new StreamsBuilder()
    const broken = topic('broken', { ...customers, timestamp: (name) => (name === 'Bob' ? -1 : 1) })
    builder.globalTable(broken, { store: 'names' })
    builder.stream(orders).foreach(() => {})
    using driver = new TopologyTestDriver(builder.build())
    driver.input(broken).pipe({ key: 'c', value: 'Ann', timestamp: 1 })
    expect(() => driver.input(broken).pipe({ key: 'c', value: 'Bob', timestamp: 1 })).toThrow(
      expect.objectContaining({
        code: 'INVALID_TIMESTAMP',
        at: expect.objectContaining({ topic: 'broken', offset: 1 }),
      }),
    )
    expect(driver.store('names').get('c')?.value).toBe('Ann')
  })

  it('shares nothing with a stream of its topic, nor its store with others', () => {
    const twice = new StreamsBuilder()
    twice.globalTable(customers)
    twice.stream(customers).to(texts)
    expect(() => twice.build()).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
    const same = new StreamsBuilder()
    same.globalTable(customers, { store: 'names' })
    same.table(texts, { store: 'names' })
    expect(() => same.build()).toThrow("Another store is already named 'names'")
  })

  it('belongs to its builder', () => {
    const other = new StreamsBuilder().globalTable(customers)
    const stream = new StreamsBuilder().stream(orders)
    expect(() => stream.join(other, () => 1, { keySelector: () => 'c' })).toThrow('same StreamsBuilder')
  })

  it('of your own is filled by a processor, and read by any', () => {
    const builder = new StreamsBuilder()
    builder.addGlobalStore(lengths, customers, () => ({
      process: ({ key, value }, context) => context.store(lengths).put(key, value.length),
    }))
    builder
      .stream(orders)
      .process(
        () => ({
          process(record, context) {
            const length = context.readOnlyStore(lengths).get('c')
            context.forward(record.withValue(`${length}`))
          },
        }),
        { value: serde.string },
      )
      .to(texts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(customers).pipe({ key: 'c', value: 'Ann', timestamp: 1 })
    driver.input(orders).pipe(order('o', 'c'))
    driver.restart()
    expect(driver.store(lengths).get('c')).toBe(3)
    driver.input(orders).pipe(order('o', 'c'))
    expect(
      driver
        .output(texts)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['3', '3'])
  })

  it('cannot be written by others than what fills it', () => {
    const builder = new StreamsBuilder()
    builder.addGlobalStore(lengths, customers, () => ({ process: () => {} }))
    builder.stream(orders).process(() => ({ process: (_, context) => void context.store(lengths).put('c', 1) }))
    using driver = new TopologyTestDriver(builder.build())
    expect(() => driver.input(orders).pipe(order('o', 'c'))).toThrow("store 'lengths', which is not connected")
    const connecting = new StreamsBuilder()
    connecting.addGlobalStore(lengths, customers, () => ({ process: () => {} }))
    connecting.stream(orders).process(() => ({ process: () => {} }), { stores: [lengths] })
    expect(() => connecting.build()).toThrow("The store 'lengths' is global")
  })

  it('has no timers for what fills it', () => {
    const builder = new StreamsBuilder()
    builder.stream(orders).foreach(() => {})
    builder.addGlobalStore(lengths, customers, () => ({
      init: (context) => void context.schedule(1, 'wall-clock', () => {}),
      process() {},
    }))
    expect(() => new TopologyTestDriver(builder.build())).toThrow('fills a global store')
  })
})
