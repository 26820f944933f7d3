import { keyValueAggregate } from '../../../src/dsl/operators/key-value-aggregate.ts'
import { sessionAggregate } from '../../../src/dsl/operators/session-aggregate.ts'
import { slidingAggregate } from '../../../src/dsl/operators/sliding-aggregate.ts'
import { type SuppressOptions, suppress } from '../../../src/dsl/operators/suppress.ts'
import { windowAggregate } from '../../../src/dsl/operators/window-aggregate.ts'
import { SlidingWindows } from '../../../src/dsl/sliding-windows.ts'
import { SessionWindows, TimeWindows } from '../../../src/dsl/windows.ts'
import { jsonSerde } from '../../../src/serde/json-serde.ts'
import { stringSerde } from '../../../src/serde/string-serde.ts'
import { keyValueStore } from '../../../src/state/key-value-store.ts'
import { sessionStore } from '../../../src/state/session-store.ts'
import { slidingWindowStore } from '../../../src/state/sliding-window-store.ts'
import type { StateStore } from '../../../src/state/state-store.ts'
import type { StoreEngine } from '../../../src/state/store-engine.ts'
import { suppressStore } from '../../../src/state/suppress-store.ts'
import { windowStore } from '../../../src/state/window-store.ts'
import type { Processor } from '../../../src/topology/processor.ts'

/** Operators in a row, and how the store of each is made. */
export interface Pipeline {
  readonly operators: readonly (() => Processor)[]
  readonly stores: readonly ((engine: StoreEngine) => StateStore)[]
}

export type Reducer = (aggregate: string, value: string) => string | null

const serdes = { key: stringSerde, value: jsonSerde<unknown>() }
const counting = {
  initializer: () => 0,
  aggregator: (count: unknown) => (count as number) + 1,
}
const merger = (left: unknown, right: unknown): unknown => (left as number) + (right as number)

export function count(hotEntries = 1_000): Pipeline {
  return {
    operators: [keyValueAggregate({ store: 'counts', skipsNullValues: true, ...counting })],
    stores: [keyValueStore({ name: 'counts', ...serdes, hotEntries })],
  }
}

export function reduce(reducer: Reducer): Pipeline {
  const aggregator = (aggregate: unknown, value: unknown): unknown =>
    aggregate === undefined ? value : reducer(aggregate as string, value as string)
  return {
    operators: [
      keyValueAggregate({ store: 'values', initializer: () => undefined, aggregator, skipsNullValues: true }),
    ],
    stores: [keyValueStore({ name: 'values', ...serdes })],
  }
}

export function aggregate(aggregator: Reducer): Pipeline {
  const options = { initializer: () => '', aggregator: aggregator as (a: unknown, v: unknown) => unknown }
  return {
    operators: [keyValueAggregate({ store: 'values', skipsNullValues: true, ...options })],
    stores: [keyValueStore({ name: 'values', ...serdes })],
  }
}

/** Null values are counted too, and late records go to a child. */
const late = { skipsNullValues: false, lateChild: 'late' }

export interface TimeOptions {
  readonly size: number
  readonly advance?: number
  readonly grace?: number
  readonly hotEntries?: number
  readonly isFinal?: boolean
}

export function windowedCount({
  size,
  advance = size,
  grace = 0,
  hotEntries = 1_000,
  isFinal = false,
}: TimeOptions): Pipeline {
  const windows = TimeWindows.of(size).advanceBy(advance).grace(grace)
  const options = { name: 'windows', ...serdes, sizeMs: size, retentionMs: size + grace, hotEntries, isHeld: isFinal }
  return {
    operators: [windowAggregate({ ...late, store: 'windows', windows, ...counting, isFinal })],
    stores: [windowStore(options)],
  }
}

export interface SlidingOptions {
  readonly difference: number
  readonly grace: number
  readonly hotEntries?: number
  readonly isFinal?: boolean
}

/** The values of each window as one text; arrays, changed in place, show windows that share one. */
export function slidingTexts({ difference, grace, hotEntries = 1_000, isFinal = false }: SlidingOptions): Pipeline {
  const windows = SlidingWindows.of(difference).grace(grace)
  const aggregator = (texts: unknown, value: unknown): unknown => {
    ;(texts as unknown[]).push(value)
    return texts
  }
  const copy = (texts: unknown): unknown => [...(texts as unknown[])]
  const functions = { initializer: () => [], aggregator, copy }
  const retentionMs = 2 * difference + grace
  const options = { name: 'windows', ...serdes, sizeMs: difference, retentionMs, hotEntries, isHeld: isFinal }
  return {
    operators: [slidingAggregate({ store: 'windows', windows, ...functions, isFinal, lateChild: 'late' })],
    stores: [slidingWindowStore(options)],
  }
}

export interface SessionOptions {
  readonly gap: number
  readonly grace?: number
  readonly hotEntries?: number
  readonly isFinal?: boolean
}

export function sessionCount({ gap, grace = 0, hotEntries = 1_000, isFinal = false }: SessionOptions): Pipeline {
  const windows = SessionWindows.withGap(gap).grace(grace)
  const functions = { ...counting, merger }
  return {
    operators: [sessionAggregate({ ...late, store: 'sessions', windows, ...functions, isFinal })],
    // As the DSL declares it: what ends exactly gap and grace before event time can still be joined.
    stores: [sessionStore({ name: 'sessions', ...serdes, retentionMs: gap + grace + 1, hotEntries, isHeld: isFinal })],
  }
}

const finalOnly: SuppressOptions = {
  store: 'buffer',
  isFinal: true,
  waitMs: 0,
  maxRecords: Number.POSITIVE_INFINITY,
  maxBytes: Number.POSITIVE_INFINITY,
  whenFull: 'shut-down',
}

/** Adds a suppression behind results of windows, or behind a table of plain keys. */
export function suppressed(
  pipeline: Pipeline,
  windows: 'time' | 'session' | 'none',
  options: Partial<SuppressOptions>,
  sizeMs = 0,
): Pipeline {
  const measuresBytes = options.maxBytes !== undefined
  return {
    operators: [...pipeline.operators, suppress({ ...finalOnly, ...options })],
    stores: [...pipeline.stores, suppressStore({ name: 'buffer', ...serdes, windows, sizeMs, measuresBytes })],
  }
}
