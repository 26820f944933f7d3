import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import type { ResultStore } from '../stores/result-store.ts'
import type { SinkTopic } from '../topology/node-topic.ts'
import type { Processor } from '../topology/processor.ts'
import { type AggregateFunctions, copier, onCopies, owningFirst } from './aggregate-functions.ts'
import { countSerde } from './count-serde.ts'
import { withDeclaredStore } from './declared-store.ts'
import type { GroupedState, SinkPlan, TableState } from './plan.ts'
import { addGroupRepartition } from './repartition.ts'
import { declareStore, settingsOf } from './store-declarations.ts'
import { AggregatedRows } from './table-rows.ts'
import { givenOrTracked, requireSerde, type TrackedSerde } from './tracked-serde.ts'
import type { WindowShape } from './window-shape.ts'

/** An aggregation of a grouped stream, of whichever kind. */
export interface Aggregation<F extends AggregateFunctions> {
  readonly method: 'count' | 'reduce' | 'aggregate'
  readonly options: AggregationOptions
  /** What is known of the results' serde without the options. */
  readonly value: TrackedSerde
  /** The windows of the results; undefined where there is one result per key. */
  readonly shape: WindowShape | undefined
  /** Takes the records that are too late for all windows. */
  readonly late: SinkTopic<never, never> | undefined
  /** Whether only final results are handed on, when their windows close. */
  readonly isFinal: boolean
  /** How often these are handed on at most, by the clock on the wall. */
  readonly emitEveryMs?: number
  readonly functions: F
  readonly create: (parts: AggregateOperatorParts<F>) => () => Processor
}

/** What the operator of an aggregation is made of. */
export interface AggregateOperatorParts<F> {
  readonly functions: F
  readonly store: string
  /** The side child that takes records which come too late. */
  readonly lateChild: string | undefined
  readonly isFinal: boolean
  readonly emitEveryMs: number
  /** Makes a copy of an aggregate. */
  readonly copy: (aggregate: unknown) => unknown
}

/** StoreOptions without its types. */
export interface AggregationOptions {
  readonly name?: string
  readonly store?: string | ResultStore
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly engine?: StoreEngineFactory
  readonly logging?: Logging
  readonly caching?: boolean
  readonly retention?: Duration
}

export const countTracked: TrackedSerde = { serde: countSerde, madeBy: 'count' }

/** Of aggregates nothing is known but what the options say. */
export const unknownSerde: TrackedSerde = { serde: undefined, madeBy: 'aggregate' }

/** Adds the aggregation, its store and what stands before and beside it to the plan. */
export function addAggregation<F extends AggregateFunctions>(
  grouped: GroupedState,
  aggregation: Aggregation<F>,
): TableState {
  const { plan } = grouped
  const { method, shape, late, isFinal, emitEveryMs = 0 } = aggregation
  const options = withDeclaredStore(aggregation.options, shape)
  const prefix = method === 'reduce' ? 'KSTREAM-REDUCE-' : 'KSTREAM-AGGREGATE-'
  // Kafka Streams' counts take one number more, but for those in sliding windows.
  if (method === 'count' && shape?.kind !== 'sliding' && describesNamelessStore(options)) {
    plan.names.store(prefix, undefined)
  }
  const store = plan.names.store(prefix, options.store)
  const name = plan.names.operator(prefix, options.name)

  const parent = addGroupRepartition(grouped, name, store)
  const need = { operator: name, purpose: `the store '${store}'` }
  const key = requireSerde(givenOrTracked(options.key, grouped.key), {
    ...need,
    part: 'key',
    option: `${grouped.method}({ key })`,
  })
  const value = requireSerde(givenOrTracked(options.value, aggregation.value), {
    ...need,
    part: 'value',
    option: `${method}(..., { value })`,
  })
  const lateChild = late === undefined ? undefined : `${name}-late`
  const rows = new AggregatedRows(store, options.caching === true, shape)
  const create = () => {
    const copy = copier(value)
    const own = method === 'reduce' ? owningFirst(aggregation.functions, copy) : aggregation.functions
    const functions = rows.keepsOldValues ? onCopies(own, copy) : own
    return aggregation.create({ functions, store, lateChild, isFinal, emitEveryMs, copy })()
  }
  const node = plan.addProcessor(name, create, [parent], {
    stores: [
      declareStore({ name: store, key, value, ...settingsOf(options), isHeld: isFinal }, keptFor(shape, options, name)),
    ],
    ...(lateChild === undefined ? {} : { lateChild }),
  })
  if (late !== undefined && lateChild !== undefined) {
    plan.add<SinkPlan>({ kind: 'sink', name: lateChild, topic: late }, [node])
  }
  return {
    plan,
    node,
    key: { serde: key, madeBy: name },
    value: { serde: value, madeBy: name },
    shape,
    engine: options.engine,
    rows,
    queryableStoreName: options.store,
  }
}

/** Kafka Streams' count, and operators of tables, take one number more where they are told about their store but not the name. */
export function describesNamelessStore(options: AggregationOptions): boolean {
  const { store, key, value, engine, logging, caching, retention } = options
  return store === undefined && (key ?? value ?? engine ?? logging ?? caching ?? retention) !== undefined
}

/** The windows' shape with the retention that the options ask for. */
export function keptFor(
  shape: WindowShape | undefined,
  { retention }: AggregationOptions,
  name: string,
): WindowShape | undefined {
  if (shape === undefined || retention === undefined) return shape
  const retentionMs = toMilliseconds(retention, 'retention')
  if (retentionMs >= shape.retentionMs) return { ...shape, retentionMs }
  throw new MillraceError('INVALID_ARGUMENT', `Results are kept for ${retentionMs} ms, but can change for longer`, {
    at: { operator: name },
    remedy: `Keep them for ${shape.retentionMs} ms at least.`,
  })
}
