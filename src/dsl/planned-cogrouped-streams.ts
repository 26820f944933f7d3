import { functionOf, functionsOf } from '../arguments.ts'
import type { Windowed } from '../windowed.ts'
import type { AggregateFunctions, SessionAggregateFunctions } from './aggregate-functions.ts'
import type { Aggregation } from './aggregation.ts'
import { addCogrouping, type CogroupedState, withInput } from './cogroup.ts'
import type { AggregateOptions, WindowedAggregateOptions, WindowedByOptions } from './operator-options.ts'
import { keyValueAggregate } from './operators/key-value-aggregate.ts'
import type { GroupedState } from './plan.ts'
import { ofAnotherBuilder } from './plan-mismatch.ts'
import { PlannedTable } from './planned-table.ts'
import type {
  AnyWindows,
  CogroupedKStream,
  CogroupedWindowedBy,
  KGroupedStream,
  KTable,
  SessionWindowedCogroupedKStream,
  TimeWindowedCogroupedKStream,
} from './streams.ts'
import { inRecordWindows, inSessions, type RecordWindows, requireWindows } from './window-operators.ts'
import { SessionWindows } from './windows.ts'

type Initializer = Pick<AggregateFunctions, 'initializer'>
type Late = WindowedByOptions<never, never>['late']
/** Finds the plan behind a grouped stream. Handed in, because grouped streams lead here. */
type StateOf = <K, V>(grouped: KGroupedStream<K, V>) => GroupedState | undefined

export class PlannedCogroupedStream<K, V, A> implements CogroupedKStream<K, V, A> {
  readonly #state: CogroupedState
  readonly #stateOf: StateOf

  constructor(state: CogroupedState, stateOf: StateOf) {
    this.#state = state
    this.#stateOf = stateOf
  }

  cogroup<V2>(
    grouped: KGroupedStream<K, V2>,
    aggregator: (aggregate: A, value: V2, key: K) => A | null,
  ): CogroupedKStream<K, V | V2, A> {
    const other = this.#stateOf(grouped)
    const { plan } = this.#state
    if (other === undefined || other.plan !== plan) throw ofAnotherBuilder('cogrouped', plan.nodes[0]?.name ?? '')
    const input = {
      grouped: other,
      aggregator: functionOf<AggregateFunctions['aggregator']>('cogroup', 'aggregator', aggregator),
    }
    return new PlannedCogroupedStream<K, V | V2, A>(withInput(this.#state, input), this.#stateOf)
  }

  aggregate(initializer: () => A, options: AggregateOptions<K, A>): KTable<K, A> {
    const create: Aggregation<AggregateFunctions>['create'] = ({ functions, store }) =>
      keyValueAggregate({ store, ...functions, skipsNullValues: true })
    const parts = {
      options,
      shape: undefined,
      late: undefined,
      functions: functionsOf<Initializer>('aggregate', { initializer }),
      create,
    }
    return new PlannedTable<K, A>(addCogrouping(this.#state, parts))
  }

  windowedBy<W extends AnyWindows>(windows: W, options?: WindowedByOptions<K, V>): CogroupedWindowedBy<W, K, A>
  windowedBy(
    windows: AnyWindows,
    { late }: WindowedByOptions<K, V> = {},
  ): TimeWindowedCogroupedKStream<K, A> | SessionWindowedCogroupedKStream<K, A> {
    requireWindows(windows)
    if (windows instanceof SessionWindows) return new PlannedSessionCogroupedStream<K, A>(this.#state, windows, late)
    return new PlannedTimeCogroupedStream<K, A>(this.#state, windows, late)
  }
}

class PlannedTimeCogroupedStream<K, A> implements TimeWindowedCogroupedKStream<K, A> {
  readonly #state: CogroupedState
  readonly #windows: RecordWindows
  readonly #late: Late

  constructor(state: CogroupedState, windows: RecordWindows, late: Late) {
    this.#state = state
    this.#windows = windows
    this.#late = late
  }

  aggregate(initializer: () => A, options: WindowedAggregateOptions<K, A>): KTable<Windowed<K>, A> {
    const parts = {
      options,
      ...inRecordWindows(this.#windows),
      late: this.#late,
      functions: functionsOf<Initializer>('aggregate', { initializer }),
    }
    return new PlannedTable<Windowed<K>, A>(addCogrouping(this.#state, parts))
  }
}

class PlannedSessionCogroupedStream<K, A> implements SessionWindowedCogroupedKStream<K, A> {
  readonly #state: CogroupedState
  readonly #windows: SessionWindows
  readonly #late: Late

  constructor(state: CogroupedState, windows: SessionWindows, late: Late) {
    this.#state = state
    this.#windows = windows
    this.#late = late
  }

  aggregate(
    initializer: () => A,
    merger: (a: A, b: A, key: K) => A,
    options: WindowedAggregateOptions<K, A>,
  ): KTable<Windowed<K>, A> {
    const functions = functionsOf<Omit<SessionAggregateFunctions, 'aggregator'>>('aggregate', { initializer, merger })
    const parts = { options, ...inSessions(this.#windows), late: this.#late, functions }
    return new PlannedTable<Windowed<K>, A>(addCogrouping(this.#state, parts))
  }
}
