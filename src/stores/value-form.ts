import { MillraceError } from '../errors.ts'

/** A value with its event time, in milliseconds since 1970. */
export interface ValueAndTimestamp<V> {
  readonly value: V
  readonly timestamp: number
}

/** How a kind of store shows and takes values: all of them keep a timestamp, only some show it. */
export interface ValueForm<V> {
  shown(value: unknown, timestamp: number): V
  /** The value that is kept of what the user gives. */
  valueOf(given: V): unknown
  /** The timestamp that is kept; `present` is that of the record that is processed. */
  timestampOf(given: V, present: () => number): number
}

export function plainForm<V>(): ValueForm<V> {
  return {
    // The serde made it, or the user gave it, as a V.
    shown: (value) => value as V,
    valueOf: (given) => given,
    timestampOf: (_, present) => present(),
  }
}

export function timestampedForm<V>(): ValueForm<ValueAndTimestamp<V>> {
  return {
    shown: (value, timestamp) => ({ value: value as V, timestamp }),
    valueOf: (given) => given.value,
    timestampOf: ({ timestamp }) => {
      if (Number.isSafeInteger(timestamp) && timestamp >= 0) return timestamp
      throw new MillraceError('INVALID_TIMESTAMP', `${timestamp} is not an event time`, {
        remedy: 'Give milliseconds since 1970, as a whole number that is not negative.',
      })
    },
  }
}
