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
  const reduce = (aggregate: unknown, value: unknown): unknown =>
    aggregate === undefined || aggregate === null ? value : reducer(aggregate as V, value as V)
  return { initializer: () => undefined, aggregator: reduce, merger: reduce }
}
