import {
  type FixedKeyRecord,
  type KStream,
  keyValueStore,
  type Processor,
  type ProcessorContext,
  type ProcessorRecord,
  StreamsBuilder,
  serde,
  TopologyBuilder,
  topic,
} from '../../src/index.ts'

/** Types of the Processor API. Checked by `tsc` alone; nothing here runs. */

interface Order {
  readonly cents: number
}

const orders = topic('orders', { key: serde.string, value: serde.json<Order>() })
const stream = new StreamsBuilder().stream(orders)
const total = serde.json<number>()

/** Without serdes, what is handed on has the types of what comes in. */
export const same: KStream<string, Order> = stream.process(() => ({
  process(record, context) {
    const cents: number = record.value.cents
    context.forward(record.withKey(`${record.key}${cents}`))
    context.forward({ key: null, value: null, timestamp: record.timestamp })
  },
}))

/** The serdes say what is handed on, also where the supplier keeps something. */
export const totals: KStream<string, number> = stream.process(
  () => {
    let sum = 0
    return {
      init(context) {
        context.schedule('1m', 'wall-clock', (timestamp) => context.forward({ key: 'all', value: sum, timestamp }))
      },
      process(record, context) {
        sum += record.value.cents
        context.forward(record.withValue(sum))
      },
    }
  },
  { value: total },
)

/** A class says it itself. */
class Cents implements Processor<string, Order, number, boolean> {
  process(record: ProcessorRecord<string, Order>, context: ProcessorContext<number, boolean>): void {
    context.forward(record.withKey(record.value.cents).withValue(true))
  }
}
export const ofClass: KStream<number, boolean> = stream.process(() => new Cents())

export const values: KStream<string, number> = stream.processValues(
  () => ({ process: (record, context) => context.forward(record.withValue(record.value.cents)) }),
  { value: total },
)

// @ts-expect-error: numbers are handed on where orders should be
stream.process(() => ({ process: (record, context) => context.forward(record.withValue(1)) }))

// @ts-expect-error: orders are handed on where numbers should be
stream.process(() => ({ process: (record, context) => context.forward(record) }), { value: total })

// @ts-expect-error: the class takes other values
stream.mapValues(() => 'text').process(() => new Cents())

// @ts-expect-error: a fixed key has no withKey
stream.processValues(() => ({ process: (record, context) => context.forward(record.withKey('other')) }))

stream.processValues(() => ({
  // @ts-expect-error: a plain object may have another key
  process: (record, context) => context.forward({ key: 'k', value: record.value, timestamp: 1 }),
}))

stream.process(() => ({
  process(record) {
    // @ts-expect-error: records do not change
    record.timestamp = 1
  },
}))

// @ts-expect-error: there is no such kind of time
stream.process(() => ({ init: (context) => void context.schedule('1s', 'event-time', () => {}), process: () => {} }))

const kept = keyValueStore('kept', { key: serde.string, value: total })
const filledBy = { source: 'source', processor: 'fill' }
new TopologyBuilder().addReadOnlyStateStore(
  kept,
  orders,
  () => ({ process: ({ key, value }, context) => context.store(kept).put(key, value.cents) }),
  filledBy,
)
new TopologyBuilder().addReadOnlyStateStore(
  kept,
  orders,
  // @ts-expect-error: what fills a store hands nothing on
  () => ({ process: (record, context) => context.forward(record) }),
  filledBy,
)
// @ts-expect-error: what only reads a store puts nothing
stream.process(() => ({ process: ({ key }, context) => context.readOnlyStore(kept).put(key, 1) }))

export type Kept = FixedKeyRecord<string, Order>
