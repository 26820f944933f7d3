/** What the compiler must infer and refuse of joins. Checked by `tsc`; never run. */
import { expectTypeOf } from 'vitest'
import type { KTable } from '../../../src/dsl/streams.ts'
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
