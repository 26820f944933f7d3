import { expect, it } from 'vitest'
import { JoinWindows, run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { all, type Entry, inMemory, put, table } from './readings.ts'

const orders = topic('orders', { key: serde.string, value: serde.json<{ customer: string }>(), partitions: 3 })
const customers = topic('customers', { key: serde.string, value: serde.string, partitions: 2 })
const labels = topic('labels', { key: serde.string, value: serde.string })

/** `choose` is the partition of a key in the topic of orders, where another program wrote them so. */
function labelled(choose?: (key: string, partitions: number) => number) {
  const builder = new StreamsBuilder()
  builder
    .table(orders)
    .leftJoin(builder.table(customers), (_, name, order) => `${order} of ${name}`, {
      foreignKey: ({ customer }) => customer,
      name: 'fk',
      value: serde.string,
      ...(choose === undefined ? {} : { partitioner: choose }),
    })
    .toStream()
    .to(labels)
  return builder.build()
}

it('joins by foreign key over topics with different partitions, and a restart', async () => {
  await using connection = await inMemory()
  const rows: Entry<string, { customer: string }>[] = Array.from({ length: 400 }, (_, i) => [
    `order-${(i * 7) % 60}`,
    i % 31 === 0 ? null : { customer: `customer-${(i * 11) % 9}` },
    i,
  ])
  const names: Entry<string, string>[] = Array.from({ length: 200 }, (_, i) => [
    `customer-${(i * 5) % 8}`,
    i % 17 === 0 ? null : `name-${i}`,
    i * 2,
  ])
  for (const half of [0, 1]) {
    await put(connection, orders, rows.slice(half * 200, half * 200 + 200))
    await put(connection, customers, names.slice(half * 100, half * 100 + 100))
    await using app = await run(labelled(), { applicationId: 'labels', cluster: connection })
    await app.caughtUp()
  }
  const lastNames = new Map(names.map(([key, value]) => [key, value]))
  const expected = new Map<string, string>()
  for (const [key, value] of new Map(rows.map(([order, row]) => [order, row]))) {
    if (value !== null) expected.set(JSON.stringify(key), `${key} of ${lastNames.get(value.customer) ?? null}`)
  }
  expect(expected.size).toBeGreaterThan(50)
  expect(await table(connection, labels)).toEqual(expected)
})

it('sends answers to the partition that the user chooses, and refuses one that is not there', async () => {
  await using connection = await inMemory()
  await put(connection, orders, [['order-1', { customer: 'customer-1' }, 1]])
  await put(connection, customers, [['customer-1', 'ann', 1]])
  const app = await run(
    labelled(() => 7),
    { applicationId: 'labels', cluster: connection },
  )
  await expect(app.closed).rejects.toThrow('The partitioner chose partition 7')
})

it('joins streams over several partitions, and a restart', async () => {
  const [clicks, views] = ['clicks', 'views'].map((name) =>
    topic(name, { key: serde.string, value: serde.json<number>(), partitions: 3 }),
  )
  const pairs = topic('pairs', { key: serde.string, value: serde.string })
  const builder = new StreamsBuilder()
  builder
    .stream(clicks)
    .outerJoin(builder.stream(views), (click, view) => `${click}+${view}`, {
      within: JoinWindows.of(20).before(5).grace('1s'),
    })
    .to(pairs)
  await using connection = await inMemory()
  const recordsOf = (offset: number): Entry<string, number>[] =>
    Array.from({ length: 400 }, (_, i) => [`key-${(i * 13) % 40}`, i * 10 + offset, i * 2 + offset])
  const [left, right] = [recordsOf(0), recordsOf(3)]
  const end: Entry<string, number>[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key) => [key, -1, 10_000])
  for (const part of [
    [left.slice(0, 200), right.slice(0, 200)],
    [
      [...left.slice(200), ...end],
      [...right.slice(200), ...end],
    ],
  ]) {
    await put(connection, clicks, part[0])
    await put(connection, views, part[1])
    await using app = await run(builder.build(), { applicationId: 'pairs', cluster: connection })
    await app.caughtUp()
  }
  const isMatch = (click: Entry<string, number>, view: Entry<string, number>): boolean =>
    click[0] === view[0] && view[2] >= click[2] - 5 && view[2] <= click[2] + 20
  const expected = left.flatMap((click) =>
    right.filter((view) => isMatch(click, view)).map((view) => `${click[1]}+${view[1]}`),
  )
  const alone = [
    ...left.filter((click) => !right.some((view) => isMatch(click, view))).map((click) => `${click[1]}+null`),
    ...right.filter((view) => !left.some((click) => isMatch(click, view))).map((view) => `null+${view[1]}`),
  ]
  const found = (await all(connection, pairs))
    .map(([, value]) => value as string)
    .filter((value) => !value.includes('-1'))
  expect(expected.length).toBeGreaterThan(100)
  expect(found.toSorted()).toEqual([...expected, ...alone].toSorted())
})
