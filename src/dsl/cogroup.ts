import { MillraceError } from '../errors.ts'
import type { SinkTopic } from '../topology/node-topic.ts'
import { type AggregateFunctions, copier, onCopies } from './aggregate-functions.ts'
import { type Aggregation, type AggregationOptions, keptFor } from './aggregation.ts'
import { withDeclaredStore } from './declared-store.ts'
import { passThrough } from './operators/stateless.ts'
import type { GroupedState, Plan, PlanNode, ProcessorPlan, SinkPlan, TableState } from './plan.ts'
import { addGroupRepartition } from './repartition.ts'
import { declareStore, settingsOf } from './store-declarations.ts'
import { AggregatedRows } from './table-rows.ts'
import { givenOrTracked, requireSerde, type TrackedSerde } from './tracked-serde.ts'
import type { WindowShape } from './window-shape.ts'

type Aggregator = AggregateFunctions['aggregator']

/** One of the grouped streams that are aggregated together. */
export interface CogroupInput {
  readonly grouped: GroupedState
  readonly aggregator: Aggregator
}

/** Grouped streams that are aggregated together, as the plan knows them. */
export interface CogroupedState {
  readonly plan: Plan
  /** At least one. */
  readonly inputs: readonly CogroupInput[]
  /** What aggregations so far take the records of an input from: a second one takes them from there too, as in Kafka Streams. */
  readonly parents: Map<GroupedState, PlanNode>
}

/** An aggregation of grouped streams; `functions` are those that all inputs share. */
export interface Cogrouping<F extends AggregateFunctions> {
  readonly options: AggregationOptions
  readonly shape: WindowShape | undefined
  readonly late: SinkTopic<never, never> | undefined
  readonly functions: Omit<F, 'aggregator'>
  readonly create: Aggregation<F>['create']
}

/**
 * Adds an operator for each input over one store, and one that brings their results together. Names are Kafka Streams'; it
 * gives the repartition topics of unnamed inputs all the same name, and then fails: here the second has the input's number.
 */
export function addCogrouping<F extends AggregateFunctions>(
  state: CogroupedState,
  cogrouping: Cogrouping<F>,
): TableState {
  const { plan, inputs } = state
  const { shape } = cogrouping
  const options = withDeclaredStore(cogrouping.options, shape)
  const { names } = plan
  const store = names.store('COGROUPKSTREAM-AGGREGATE-', options.store)
  const parents = inputs.map((input, i) => parentOf(state, input.grouped, i, store))
  const serdes = serdesOf(inputs, options, store)
  const rows = new AggregatedRows(store, options.caching === true, shape)
  const declaration = declareStore({ name: store, ...serdes, ...settingsOf(options) }, keptFor(shape, options, store))
  const nodes = inputs.map(({ aggregator }, i) => {
    const given = options.name === undefined ? undefined : `${options.name}-cogroup-agg-${i}`
    const name = names.operator('COGROUPKSTREAM-AGGREGATE-', given)
    const create = (lateChild: string | undefined) => () => {
      const copy = copier(serdes.value)
      const own = { ...cogrouping.functions, aggregator } as F
      const functions = rows.keepsOldValues ? onCopies(own, copy) : own
      return cogrouping.create({ functions, store, lateChild, isFinal: false, emitEveryMs: 0, copy })()
    }
    return addOperator(plan, name, create, parents[i] as PlanNode, cogrouping.late, declaration)
  })
  const givenMerge = options.name === undefined ? undefined : `${options.name}-cogroup-merge`
  const name = names.operator('COGROUPKSTREAM-MERGE-', givenMerge)
  const node = plan.addProcessor(name, passThrough, nodes, { joinsPartitions: true })
  const made = (serde: TrackedSerde['serde']): TrackedSerde => ({ serde, madeBy: name })
  const { engine, store: queryableStoreName } = options
  return { plan, node, key: made(serdes.key), value: made(serdes.value), shape, engine, rows, queryableStoreName }
}

function parentOf(state: CogroupedState, grouped: GroupedState, index: number, store: string): PlanNode {
  const isNamedAlike = (other: CogroupInput) => other.grouped.keyChanged && other.grouped.name === undefined
  const isTaken = state.inputs.slice(0, index).some(isNamedAlike)
  const prefix = isTaken ? `${store}-${index}` : store
  const known = state.parents.get(grouped)
  const parent = addGroupRepartition(grouped, store, prefix, known)
  state.parents.set(grouped, parent)
  return parent
}

function addOperator(
  plan: Plan,
  name: string,
  create: (lateChild: string | undefined) => ProcessorPlan['create'],
  parent: PlanNode,
  late: SinkTopic<never, never> | undefined,
  store: ProcessorPlan['stores'][number],
): ProcessorPlan {
  if (late === undefined) return plan.addProcessor(name, create(undefined), [parent], { stores: [store] })
  const lateChild = `${name}-late`
  const node = plan.addProcessor(name, create(lateChild), [parent], { stores: [store], lateChild })
  plan.add<SinkPlan>({ kind: 'sink', name: lateChild, topic: late }, [node])
  return node
}

/** The keys of all inputs are alike, so that the first serde that is known does for all. */
function serdesOf(inputs: readonly CogroupInput[], options: AggregationOptions, store: string) {
  const { grouped } = inputs.find((input) => input.grouped.key.serde !== undefined) ?? (inputs[0] as CogroupInput)
  const need = { operator: store, purpose: `the store '${store}'` }
  const option = 'aggregate(..., { value })'
  return {
    key: requireSerde(givenOrTracked(options.key, grouped.key), {
      ...need,
      part: 'key',
      option: `${grouped.method}({ key })`,
    }),
    value: requireSerde({ serde: options.value, madeBy: 'aggregate' }, { ...need, part: 'value', option }),
  }
}

/** @throws MillraceError INVALID_TOPOLOGY where the stream is one of the inputs already. */
export function withInput(state: CogroupedState, input: CogroupInput): CogroupedState {
  if (state.inputs.some(({ grouped }) => grouped === input.grouped)) {
    throw new MillraceError('INVALID_TOPOLOGY', 'A grouped stream is cogrouped with itself', {
      at: { operator: input.grouped.node.name },
      remedy: 'Let one aggregator do the work of both, or group the stream twice.',
    })
  }
  return { ...state, inputs: [...state.inputs, input] }
}
