import { functionOf, functionsOf } from '../arguments.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'

/** The functions of an aggregation, without the types that the compiler has checked. */
export interface AggregateFunctions {
  readonly initializer: () => unknown
  readonly aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
}

export interface SessionAggregateFunctions extends AggregateFunctions {
  /** Makes one aggregate of two; `a` may be fresh from the initializer. */
  readonly merger: (a: unknown, b: unknown, key: unknown) => unknown
}

export const counting: SessionAggregateFunctions = {
  initializer: () => 0,
  aggregator: (count) => (count as number) + 1,
  merger: (a, b) => (a as number) + (b as number),
}

/** A reduction has no value to begin with: the first value stands for itself, and so does the first of two sessions. */
export function reducing<V>(reducer: (aggregate: V, value: V) => V | null): SessionAggregateFunctions {
  functionOf('reduce', 'reducer', reducer)
  const reduce = (aggregate: unknown, value: unknown): unknown =>
    aggregate === undefined || aggregate === null ? value : reducer(aggregate as V, value as V)
  return { initializer: () => undefined, aggregator: reduce, merger: reduce }
}

export interface TableAggregateFunctions {
  readonly initializer: () => unknown
  readonly adder: (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly subtractor: (aggregate: unknown, value: unknown, key: unknown) => unknown
}

/** A reduction of a table's rows: the first one stands for itself. */
export function adding<V>(
  adder: (aggregate: V, value: V) => V | null,
  subtractor: (aggregate: V, value: V) => V | null,
): TableAggregateFunctions {
  functionsOf('reduce', { adder, subtractor })
  const { initializer, aggregator } = reducing(adder)
  return {
    initializer,
    adder: aggregator,
    subtractor: (aggregate, value) => subtractor(aggregate as V, value as V),
  }
}

type Functions = Readonly<Record<string, (...values: unknown[]) => unknown>>

/** How many of a function's arguments are aggregates; it may change these in place. */
const aggregateArguments: Readonly<Record<string, number>> = { aggregator: 1, adder: 1, subtractor: 1, merger: 2 }

/** Makes copies of aggregates through the serde; what is no object cannot be changed and is not copied. */
export function copier(serde: Serde<unknown>): (aggregate: unknown) => unknown {
  const out = new ByteWriter(256)
  return (aggregate) => {
    if (typeof aggregate !== 'object' || aggregate === null) return aggregate
    out.clear()
    serde.write(aggregate, out)
    return serde.read(out.toBuffer(), 0, out.length)
  }
}

/**
 * The functions of a reduction, whose first result is a copy of the first value: the value is also seen by other operators
 * and is the first of other windows, while the result may be changed in place.
 */
export function owningFirst<F extends AggregateFunctions>(functions: F, copyOf: (value: unknown) => unknown): F {
  const reduce = functions.aggregator
  return {
    ...functions,
    aggregator: (aggregate: unknown, value: unknown) =>
      aggregate === undefined ? copyOf(value) : reduce(aggregate, value, undefined),
  }
}

/** The same functions, given copies of the aggregates, so that what was handed on before stays as it was. */
export function onCopies<F extends AggregateFunctions | TableAggregateFunctions>(
  functions: F,
  copyOf: (aggregate: unknown) => unknown,
): F {
  const onCopied: Record<string, unknown> = {}
  for (const [name, call] of Object.entries(functions as unknown as Functions)) {
    const count = aggregateArguments[name] ?? 0
    if (count === 0) onCopied[name] = call
    else if (count === 1) onCopied[name] = (a: unknown, value: unknown, key: unknown) => call(copyOf(a), value, key)
    else onCopied[name] = (a: unknown, b: unknown, key: unknown) => call(copyOf(a), copyOf(b), key)
  }
  return onCopied as unknown as F
}
