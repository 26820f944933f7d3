import { functionsOf } from '../arguments.ts'
import type { Serde } from '../serde/serde.ts'
import { adding, copier, counting, onCopies, type TableAggregateFunctions } from './aggregate-functions.ts'
import { type AggregationOptions, countTracked, unknownSerde } from './aggregation.ts'
import { changeSerde } from './change-serde.ts'
import { withDeclaredStore } from './declared-store.ts'
import type { AggregateOptions, StoreOptions } from './operator-options.ts'
import { tableAggregate } from './operators/table-aggregate.ts'
import type { GroupedTableState, RepartitionPlan, TableState } from './plan.ts'
import { declareStore, settingsOf } from './store-declarations.ts'
import type { KGroupedTable, KTable } from './streams.ts'
import { AggregatedRows } from './table-rows.ts'
import { givenOrTracked, requireSerde, type TrackedSerde } from './tracked-serde.ts'

export class PlannedGroupedTable<K, V> implements KGroupedTable<K, V> {
  readonly #state: GroupedTableState
  /** Handed in, because tables lead here. */
  readonly #openTable: <A>(state: TableState) => KTable<K, A>
  /** The repartition that was made last; one with a name of the user's serves all aggregations. */
  #repartition: RepartitionPlan | undefined

  constructor(state: GroupedTableState, openTable: <A>(state: TableState) => KTable<K, A>) {
    this.#state = state
    this.#openTable = openTable
  }

  count(options: StoreOptions<K, number> = {}): KTable<K, number> {
    const subtractor = (count: unknown): unknown => (count as number) - 1
    const functions = { initializer: counting.initializer, adder: counting.aggregator, subtractor }
    return this.#add('count', options, countTracked, functions)
  }

  reduce(
    adder: (aggregate: V, value: V) => V | null,
    subtractor: (aggregate: V, value: V) => V | null,
    options: StoreOptions<K, V> = {},
  ): KTable<K, V> {
    const tracked: TrackedSerde = { serde: this.#state.value, madeBy: this.#state.node.name }
    return this.#add('reduce', options, tracked, adding(adder, subtractor))
  }

  aggregate<A>(
    initializer: () => NoInfer<A>,
    adder: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    subtractor: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: AggregateOptions<K, A>,
  ): KTable<K, A> {
    const functions = functionsOf<TableAggregateFunctions>('aggregate', { initializer, adder, subtractor })
    return this.#add('aggregate', options, unknownSerde, functions)
  }

  #add<A>(
    method: 'count' | 'reduce' | 'aggregate',
    chosen: AggregationOptions,
    tracked: TrackedSerde,
    functions: TableAggregateFunctions,
  ): KTable<K, A> {
    const { plan } = this.#state
    const { names } = plan
    const options = withDeclaredStore(chosen, undefined)
    const store = names.store('KTABLE-AGGREGATE-', options.store)
    const given = options.name
    const sinkName = names.operator('KSTREAM-SINK-', given === undefined ? undefined : `${given}-sink`)
    const sourceName = names.operator('KSTREAM-SOURCE-', given === undefined ? undefined : `${given}-source`)
    const name = names.operator(method === 'reduce' ? 'KTABLE-REDUCE-' : 'KTABLE-AGGREGATE-', given)
    const need = {
      operator: name,
      purpose: `the store '${store}'`,
      part: 'value',
      option: `${method}(..., { value })`,
    } as const
    const value = requireSerde(givenOrTracked(options.value, tracked), need)
    const key = options.key ?? this.#state.key

    const parent = this.#repartitionNamed(sinkName, sourceName, store)
    const rows = new AggregatedRows(store, options.caching === true)
    const create = () =>
      tableAggregate({ store, ...(rows.keepsOldValues ? onCopies(functions, copier(value)) : functions) })()
    const node = plan.addProcessor(name, create, [parent], {
      stores: [declareStore({ name: store, key, value, ...settingsOf(options) }, undefined)],
    })
    return this.#openTable<A>({
      plan,
      node,
      key: { serde: key, madeBy: name },
      value: { serde: value, madeBy: name },
      shape: undefined,
      engine: options.engine,
      rows,
      queryableStoreName: options.store,
    })
  }

  #repartitionNamed(sinkName: string, sourceName: string, store: string): RepartitionPlan {
    const { plan, node, key, value, name } = this.#state
    if (name !== undefined && this.#repartition !== undefined) {
      plan.postpone(this.#repartition)
      return this.#repartition
    }
    const topic = {
      name: `${name ?? store}-repartition`,
      key,
      value: changeSerde(value) as Serde<unknown>,
      internal: true,
    } as const
    this.#repartition = plan.add<RepartitionPlan>(
      {
        kind: 'repartition',
        name: sourceName,
        sinkName,
        filterName: undefined,
        isMergeable: false,
        keepsNullKeys: false,
        topic,
      },
      [node],
    )
    return this.#repartition
  }
}
