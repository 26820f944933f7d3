import { describe, expect, it } from 'vitest'
import { run, StreamsBuilder, serde, type Topology, topic } from '../../src/index.ts'
import { all, inMemory, put, table } from './readings.ts'

const types = { key: serde.string, value: serde.string, partitions: 2 }
const customers = topic('customers', types)
const orders = topic('orders', types)
const named = topic('named-orders', types)

function orderNames(): Topology {
  const builder = new StreamsBuilder()
  const names = builder.table(customers, { store: 'names' })
  builder
    .stream(orders)
    .leftJoin(names, (order, name) => `${order} of ${name}`)
    .to(named)
  return builder.build()
}

describe('run with tables', () => {
  it('joins a stream with a table as it was at the time of each record', async () => {
    await using connection = await inMemory()
    await put(connection, customers, [
      ['a', 'Ada', 1],
      ['b', 'Bob', 1],
      ['a', 'Countess', 20],
    ])
    await put(connection, orders, [
      ['a', 'first', 10],
      ['b', 'second', 15],
      ['a', 'third', 30],
      ['c', 'fourth', 40],
    ])
    await using app = await run(orderNames(), { applicationId: 'joins', cluster: connection })
    await app.caughtUp()
    expect((await all(connection, named)).toSorted((x, y) => x[2] - y[2])).toEqual([
      ['a', 'first of Ada', 10],
      ['b', 'second of Bob', 15],
      ['a', 'third of Countess', 30],
      ['c', 'fourth of null', 40],
    ])
  })

  it('has the rows of its table again after a restart, from the changelog', async () => {
    await using connection = await inMemory()
    await put(connection, customers, [
      ['a', 'Ada', 1],
      ['b', 'Bob', 1],
      ['b', null, 2],
    ])
    await put(connection, orders, [])
    {
      await using app = await run(orderNames(), { applicationId: 'restarts', cluster: connection })
      await app.caughtUp()
      expect(app.metrics().recordsIn).toBe(3)
    }
    await put(connection, orders, [
      ['a', 'first', 10],
      ['b', 'second', 11],
    ])
    await using app = await run(orderNames(), { applicationId: 'restarts', cluster: connection })
    await app.caughtUp()
    expect(app.metrics().recordsIn).toBe(2)
    expect((await all(connection, named)).toSorted((x, y) => x[2] - y[2])).toEqual([
      ['a', 'first of Ada', 10],
      ['b', 'second of null', 11],
    ])
  })

  it('joins a re-keyed stream through a repartition topic as wide as the table’s topic', async () => {
    await using connection = await inMemory()
    const wide = topic('wide-orders', { ...types, partitions: 3 })
    const people = Array.from({ length: 20 }, (_, i) => `person-${i}`)
    await put(
      connection,
      customers,
      people.map((person) => [person, person.toUpperCase(), 1]),
    )
    await put(
      connection,
      wide,
      people.map((person, i) => [`order-${i}`, person, 10 + i]),
    )
    const builder = new StreamsBuilder()
    const names = builder.table(customers)
    builder
      .stream(wide)
      .selectKey((person) => person)
      .join(names, (person, name) => `${person} is ${name}`, { name: 'by-person', key: serde.string })
      .to(named)
    await using app = await run(builder.build(), { applicationId: 'rekeyed', cluster: connection })
    await app.caughtUp()
    const results = (await all(connection, named)).map(([, value]) => value)
    expect(results.toSorted()).toEqual(people.map((person) => `${person} is ${person.toUpperCase()}`).toSorted())
    const topics = new Map((await connection.describeTopics()).map((t) => [t.name, t.partitions]))
    expect(topics.get('rekeyed-by-person-repartition')).toBe(2)
  })

  it('counts the rows of each group, also when rows move to another one after a restart', async () => {
    await using connection = await inMemory()
    const sizes = topic('sizes', { ...types, value: serde.json<number>() })
    const build = () => {
      const builder = new StreamsBuilder()
      builder
        .table(customers)
        .groupBy((city, person) => [city, person], { key: serde.string, value: serde.string })
        .count({ store: 'sizes' })
        .toStream()
        .to(sizes)
      return builder.build()
    }
    const people = Array.from({ length: 10 }, (_, i) => `person-${i}`)
    const rounds = [
      people.map((person) => [person, 'Paris', 1] as const),
      people.slice(0, 4).map((person, i) => [person, i === 0 ? null : 'Rome', 2] as const),
    ]
    for (const round of rounds) {
      await put(connection, customers, round)
      await using app = await run(build(), { applicationId: 'groups', cluster: connection })
      await app.caughtUp()
    }
    expect(Object.fromEntries(await table(connection, sizes))).toEqual({ '"Paris"': 6, '"Rome"': 3 })
  })

  it('refuses to start where topics that are joined have different numbers of partitions', async () => {
    await using connection = await inMemory()
    const builder = new StreamsBuilder()
    const names = builder.table(customers)
    builder.stream(topic('three', { ...types, partitions: 3 })).join(names, (order) => order)
    await expect(run(builder.build(), { applicationId: 'uneven', cluster: connection })).rejects.toThrow(
      "Topics that are joined have different numbers of partitions: 'three' has 3, 'customers' has 2",
    )
  })
})
