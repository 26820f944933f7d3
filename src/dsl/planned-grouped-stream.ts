import { functionOf, functionsOf } from '../arguments.ts'
import { type AggregateFunctions, counting, reducing } from './aggregate-functions.ts'
import { type Aggregation, addAggregation, countTracked, unknownSerde } from './aggregation.ts'
import type { AggregateOptions, StoreOptions, WindowedByOptions } from './operator-options.ts'
import { keyValueAggregate } from './operators/key-value-aggregate.ts'
import type { GroupedState } from './plan.ts'
import { PlannedCogroupedStream } from './planned-cogrouped-streams.ts'
import { PlannedTable } from './planned-table.ts'
import { PlannedSessionWindowedStream, PlannedTimeWindowedStream } from './planned-windowed-streams.ts'
import type {
  AnyWindows,
  CogroupedKStream,
  KGroupedStream,
  KTable,
  SessionWindowedKStream,
  TimeWindowedKStream,
  WindowedBy,
} from './streams.ts'
import { requireWindows } from './window-operators.ts'
import { SessionWindows } from './windows.ts'

export class PlannedGroupedStream<K, V> implements KGroupedStream<K, V> {
  readonly #state: GroupedState

  constructor(state: GroupedState) {
    this.#state = state
  }

  /** The plan behind a grouped stream, if it is one of the DSL's own. */
  static stateOf<K, V>(grouped: KGroupedStream<K, V>): GroupedState | undefined {
    return grouped instanceof PlannedGroupedStream ? grouped.#state : undefined
  }

  cogroup<A>(aggregator: (aggregate: A, value: V, key: K) => A | null): CogroupedKStream<K, V, A> {
    const input = {
      grouped: this.#state,
      aggregator: functionOf<AggregateFunctions['aggregator']>('cogroup', 'aggregator', aggregator),
    }
    const state = { plan: this.#state.plan, inputs: [input], parents: new Map() }
    return new PlannedCogroupedStream<K, V, A>(state, PlannedGroupedStream.stateOf)
  }

  count(options: StoreOptions<K, number> = {}): KTable<K, number> {
    return this.#add({ method: 'count', options, value: countTracked }, counting)
  }

  reduce(reducer: (aggregate: V, value: V) => V | null, options: StoreOptions<K, V> = {}): KTable<K, V> {
    return this.#add({ method: 'reduce', options, value: this.#state.value }, reducing(reducer))
  }

  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: AggregateOptions<K, A>,
  ): KTable<K, A> {
    const functions = functionsOf<AggregateFunctions>('aggregate', { initializer, aggregator })
    return this.#add({ method: 'aggregate', options, value: unknownSerde }, functions)
  }

  windowedBy<W extends AnyWindows>(windows: W, options?: WindowedByOptions<K, V>): WindowedBy<W, K, V>
  windowedBy(
    windows: AnyWindows,
    options: WindowedByOptions<K, V> = {},
  ): TimeWindowedKStream<K, V> | SessionWindowedKStream<K, V> {
    requireWindows(windows)
    const results = { late: options.late, emit: 'window-update' } as const
    if (windows instanceof SessionWindows) {
      return new PlannedSessionWindowedStream<K, V>(this.#state, windows, results)
    }
    return new PlannedTimeWindowedStream<K, V>(this.#state, windows, results)
  }

  #add<A>(
    parts: Pick<Aggregation<AggregateFunctions>, 'method' | 'options' | 'value'>,
    functions: AggregateFunctions,
  ): KTable<K, A> {
    const create: Aggregation<AggregateFunctions>['create'] = ({ functions: { initializer, aggregator }, store }) =>
      keyValueAggregate({ store, initializer, aggregator, skipsNullValues: true })
    const state = addAggregation(this.#state, {
      ...parts,
      shape: undefined,
      late: undefined,
      isFinal: false,
      functions,
      create,
    })
    return new PlannedTable<K, A>(state)
  }
}
