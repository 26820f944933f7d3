import { functionsOf } from '../arguments.ts'
import { toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { SinkTopic } from '../topology/node-topic.ts'
import type { Windowed } from '../windowed.ts'
import { type AggregateFunctions, counting, reducing, type SessionAggregateFunctions } from './aggregate-functions.ts'
import { type Aggregation, addAggregation, countTracked, unknownSerde } from './aggregation.ts'
import type { EmitOptions, EmitStrategy, WindowedAggregateOptions, WindowedStoreOptions } from './operator-options.ts'
import type { GroupedState } from './plan.ts'
import { PlannedTable } from './planned-table.ts'
import type { KTable, SessionWindowedKStream, TimeWindowedKStream } from './streams.ts'
import { UnlimitedWindows } from './unlimited-windows.ts'
import { inRecordWindows, inSessions, type RecordWindows } from './window-operators.ts'
import type { SessionWindows } from './windows.ts'

/** What becomes of results, and of records that are too late for any. */
export interface WindowedResults {
  readonly late: SinkTopic<never, never> | undefined
  readonly emit: EmitStrategy
  readonly emitEveryMs?: number
}

type Parts = Pick<Aggregation<AggregateFunctions>, 'method' | 'options' | 'value'>

export class PlannedTimeWindowedStream<K, V> implements TimeWindowedKStream<K, V> {
  readonly #grouped: GroupedState
  readonly #windows: RecordWindows
  readonly #results: WindowedResults

  constructor(grouped: GroupedState, windows: RecordWindows, results: WindowedResults) {
    this.#grouped = grouped
    this.#windows = windows
    this.#results = results
  }

  emit(strategy: EmitStrategy, options: EmitOptions = {}): TimeWindowedKStream<K, V> {
    if (strategy === 'window-close' && this.#windows instanceof UnlimitedWindows) {
      throw new MillraceError('INVALID_ARGUMENT', 'Unlimited windows never close', {
        at: { operator: this.#grouped.node.name },
        remedy: 'Leave emit out, or use windows of a size.',
      })
    }
    const results = emitting(this.#results, strategy, options)
    return new PlannedTimeWindowedStream<K, V>(this.#grouped, this.#windows, results)
  }

  count(options: WindowedStoreOptions<K, number> = {}): KTable<Windowed<K>, number> {
    return this.#add({ method: 'count', options, value: countTracked }, counting)
  }

  reduce(
    reducer: (aggregate: V, value: V) => V | null,
    options: WindowedStoreOptions<K, V> = {},
  ): KTable<Windowed<K>, V> {
    return this.#add({ method: 'reduce', options, value: this.#grouped.value }, reducing(reducer))
  }

  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    options: WindowedAggregateOptions<K, A>,
  ): KTable<Windowed<K>, A> {
    const functions = functionsOf<AggregateFunctions>('aggregate', { initializer, aggregator })
    return this.#add({ method: 'aggregate', options, value: unknownSerde }, functions)
  }

  #add<A>(parts: Parts, functions: AggregateFunctions): KTable<Windowed<K>, A> {
    const aggregation = { ...parts, ...inRecordWindows(this.#windows), ...howResults(this.#results), functions }
    return new PlannedTable<Windowed<K>, A>(addAggregation(this.#grouped, aggregation))
  }
}

function emitting(results: WindowedResults, emit: EmitStrategy, { every = 0 }: EmitOptions): WindowedResults {
  return { ...results, emit, emitEveryMs: toMilliseconds(every, 'interval') }
}

type HowResults = Pick<Aggregation<AggregateFunctions>, 'late' | 'isFinal' | 'emitEveryMs'>

function howResults({ late, emit, emitEveryMs = 0 }: WindowedResults): HowResults {
  return { late, isFinal: emit === 'window-close', emitEveryMs }
}

export class PlannedSessionWindowedStream<K, V> implements SessionWindowedKStream<K, V> {
  readonly #grouped: GroupedState
  readonly #windows: SessionWindows
  readonly #results: WindowedResults

  constructor(grouped: GroupedState, windows: SessionWindows, results: WindowedResults) {
    this.#grouped = grouped
    this.#windows = windows
    this.#results = results
  }

  emit(strategy: EmitStrategy, options: EmitOptions = {}): SessionWindowedKStream<K, V> {
    const results = emitting(this.#results, strategy, options)
    return new PlannedSessionWindowedStream<K, V>(this.#grouped, this.#windows, results)
  }

  count(options: WindowedStoreOptions<K, number> = {}): KTable<Windowed<K>, number> {
    return this.#add({ method: 'count', options, value: countTracked }, counting)
  }

  reduce(
    reducer: (aggregate: V, value: V) => V | null,
    options: WindowedStoreOptions<K, V> = {},
  ): KTable<Windowed<K>, V> {
    return this.#add({ method: 'reduce', options, value: this.#grouped.value }, reducing(reducer))
  }

  aggregate<A>(
    initializer: () => NoInfer<A>,
    aggregator: (aggregate: NoInfer<A>, value: V, key: K) => NoInfer<A> | null,
    merger: (a: NoInfer<A>, b: NoInfer<A>, key: K) => NoInfer<A>,
    options: WindowedAggregateOptions<K, A>,
  ): KTable<Windowed<K>, A> {
    const functions = functionsOf<SessionAggregateFunctions>('aggregate', { initializer, aggregator, merger })
    return this.#add({ method: 'aggregate', options, value: unknownSerde }, functions)
  }

  #add<A>(parts: Parts, functions: SessionAggregateFunctions): KTable<Windowed<K>, A> {
    const aggregation = { ...parts, ...inSessions(this.#windows), ...howResults(this.#results), functions }
    return new PlannedTable<Windowed<K>, A>(addAggregation(this.#grouped, aggregation))
  }
}
