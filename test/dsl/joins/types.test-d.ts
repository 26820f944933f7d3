/** What the compiler must infer and refuse of joins. Checked by `tsc`; never run. */
import { expectTypeOf } from 'vitest'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { KStream, KTable } from '../../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { TimeWindows } from '../../../src/dsl/windows.ts'
import { serde } from '../../../src/serde/serdes.ts'
import { topic } from '../../../src/topic.ts'
import type { Windowed } from '../../../src/windowed.ts'

interface Order {
  readonly customer: string
  readonly cents: number
}

interface Customer {
  readonly name: string
}

const builder = new StreamsBuilder()
const orders = builder.table(topic('orders', { key: serde.string, value: serde.json<Order>() }))
const customers = builder.table(topic('customers', { key: serde.string, value: serde.json<Customer>() }))
const byNumber = builder.table(topic('numbered', { key: serde.float64, value: serde.json<Customer>() }))
const clicks = builder.stream(topic('clicks', { key: serde.string, value: serde.string }))
const views = builder.stream(topic('views', { key: serde.string, value: serde.json<{ size: number }>() }))
const windows = builder
  .stream(topic('events', { key: serde.string, value: serde.string }))
  .groupByKey()
  .windowedBy(TimeWindows.of('1m'))
  .count()

export function infersJoinsOfTables(): void {
  expectTypeOf(orders.join(customers, (order, customer) => [order.cents, customer.name] as const)).toEqualTypeOf<
    KTable<string, readonly [number, string]>
  >()
  expectTypeOf(orders.join(customers, (order, { name }) => (order.cents > 0 ? name : null))).toEqualTypeOf<
    KTable<string, string>
  >()
  orders.leftJoin(customers, (order, customer, key) => {
    expectTypeOf(order).toEqualTypeOf<Order>()
    expectTypeOf(customer).toEqualTypeOf<Customer | null>()
    expectTypeOf(key).toEqualTypeOf<string>()
    return 1
  })
  orders.outerJoin(customers, (order, customer) => {
    expectTypeOf(order).toEqualTypeOf<Order | null>()
    expectTypeOf(customer).toEqualTypeOf<Customer | null>()
    return 1
  })
  expectTypeOf(windows.join(windows, (a, b) => a + b)).toEqualTypeOf<KTable<Windowed<string>, number>>()
}

export function infersJoinsOfStreams(): void {
  const within = JoinWindows.of('5m').before('1m').grace('10s')
  expectTypeOf(clicks.join(views, (click, view) => click.length + view.size, { within })).toEqualTypeOf<
    KStream<string, number>
  >()
  const perhaps = clicks.leftJoin(
    views,
    (click, view, key) => {
      expectTypeOf(click).toEqualTypeOf<string>()
      expectTypeOf(view).toEqualTypeOf<{ size: number } | null>()
      return key
    },
    { within, name: 'clicked', store: 'clicks' },
  )
  expectTypeOf(perhaps).toEqualTypeOf<KStream<string, string>>()
  clicks.outerJoin(
    views,
    (click, view) => {
      expectTypeOf(click).toEqualTypeOf<string | null>()
      expectTypeOf(view).toEqualTypeOf<{ size: number } | null>()
      return 1
    },
    { within },
  )
  const keyed = clicks.selectKey((click): string | null => click)
  const withKey = { within, key: serde.string }
  expectTypeOf(keyed.join(views, (_, __, key) => key, withKey)).toEqualTypeOf<KStream<string, string>>()
  expectTypeOf(views.leftJoin(keyed, (_, click) => click, withKey)).toEqualTypeOf<KStream<string, string | null>>()
  expectTypeOf(keyed.outerJoin(views, (_, __, key) => key, withKey)).toEqualTypeOf<
    KStream<string | null, string | null>
  >()
}

export function refusesJoinsOfStreams(): void {
  const within = JoinWindows.of('5m')
  // @ts-expect-error how far apart records may be is missing
  clicks.join(views, (click) => click)
  const bySize = views.selectKey((view) => view.size)
  // @ts-expect-error the keys are of different types
  clicks.outerJoin(bySize, (click) => click, { within })
  // @ts-expect-error there may be no view
  clicks.leftJoin(views, (_, view) => view.size, { within })
  // @ts-expect-error there may be no click
  clicks.outerJoin(views, (click) => click.length, { within })
  // @ts-expect-error views are no strings
  clicks.join(views, (click) => click, { within, otherValue: serde.string })
  // @ts-expect-error windows of an aggregation are no windows of a join
  clicks.join(views, (click) => click, { within: TimeWindows.of('5m') })
}

export function infersJoinsByForeignKey(): void {
  const withName = orders.join(customers, (order, customer) => ({ ...order, ...customer }), {
    foreignKey: (order) => order.customer,
  })
  expectTypeOf(withName).toEqualTypeOf<KTable<string, { customer: string; cents: number; name: string }>>()
  const numbered = orders.leftJoin(
    byNumber,
    (order, customer, key) => {
      expectTypeOf(order).toEqualTypeOf<Order>()
      expectTypeOf(customer).toEqualTypeOf<Customer | null>()
      expectTypeOf(key).toEqualTypeOf<string>()
      return customer?.name ?? null
    },
    { foreignKey: (order, key) => (key === '' ? null : order.cents), name: 'by-cents', value: serde.string },
  )
  expectTypeOf(numbered).toEqualTypeOf<KTable<string, string>>()
}

export function refusesJoinsByForeignKey(): void {
  // @ts-expect-error the foreign key is a string, the customers' keys are numbers
  orders.join(byNumber, (order) => order, { foreignKey: (order) => order.customer })
  // @ts-expect-error there may be no customer
  orders.leftJoin(byNumber, (_, customer) => customer.name, { foreignKey: (order) => order.cents })
  // @ts-expect-error there is no outer join by foreign key
  orders.outerJoin(byNumber, (order) => order, { foreignKey: (order: Order) => order.cents })
}

export function refusesJoinsOfTables(): void {
  // @ts-expect-error the keys are of different types
  orders.join(byNumber, (order, customer) => [order, customer])
  // @ts-expect-error a table of windows has other keys than one without
  windows.join(customers, (count) => count)
  // @ts-expect-error the other table may have no row
  orders.leftJoin(customers, (_, customer) => customer.name)
  // @ts-expect-error neither table need have a row
  orders.outerJoin(customers, (order) => order.cents)
  // @ts-expect-error the serde is not one of what the joiner makes
  orders.join(customers, (order) => order.cents, { store: 'cents', value: serde.string })
}
