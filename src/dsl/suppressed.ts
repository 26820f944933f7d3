import { requireOptions } from '../arguments.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'

/** How much a task holds back at most. Both bounds may be given; each counts for one partition. */
export interface BufferBounds {
  /** How many keys wait. Default: no bound. */
  readonly maxRecords?: number
  /** The bytes of keys, values and headers that wait, and 28 for each, by Kafka Streams' measure. Values are encoded for it. Default: no bound. */
  readonly maxBytes?: number
}

export interface StrictBuffer extends BufferBounds {
  /** A final result cannot go early: where there is no room for more, the application stops with BUFFER_FULL. */
  readonly whenFull?: 'shut-down'
}

export interface EagerBuffer extends BufferBounds {
  /** `'emit-early'` hands on what waits longest, `'shut-down'` stops the application with BUFFER_FULL. */
  readonly whenFull: 'emit-early' | 'shut-down'
}

/** What a table of results of windows holds back until they are final. After Kafka Streams' Suppressed. */
export interface UntilWindowCloses extends Required<BufferBounds> {
  readonly until: 'window-closes'
  readonly whenFull: 'shut-down'
}

/** What any table holds back for a time. After Kafka Streams' Suppressed. */
export interface UntilTimeLimit extends Required<BufferBounds> {
  readonly until: 'time-limit'
  readonly limitMs: number
  readonly whenFull: 'emit-early' | 'shut-down'
}

/**
 * Holds back the results of a window until it takes no more records: one final result per window and key. A window closes
 * when event time, as the table's own partition sees it, is past its end and grace: results wait until later records come.
 * Without bounds, the results of all open windows are held in memory.
 * @throws MillraceError INVALID_ARGUMENT where a bound is not above 0.
 */
export function untilWindowCloses(buffer: StrictBuffer = {}): UntilWindowCloses {
  return { until: 'window-closes', whenFull: 'shut-down', ...resolved(buffer) }
}

/**
 * Holds back the updates of each key for a time, and hands on the last of them. The time is event time, as the table's own
 * partition sees it, and begins with the first update that waits: updates wait until later records come.
 * @throws MillraceError INVALID_ARGUMENT where a bound is not above 0.
 */
export function untilTimeLimit(limit: Duration, buffer: EagerBuffer | 'unbounded'): UntilTimeLimit {
  if (buffer !== 'unbounded')
    requireOptions('untilTimeLimit(...)', buffer, "'unbounded', or { maxRecords, whenFull: 'emit-early' }")
  const { whenFull, ...bounds } = buffer === 'unbounded' ? ({ whenFull: 'shut-down' } as const) : buffer
  return { until: 'time-limit', limitMs: toMilliseconds(limit, 'time limit'), whenFull, ...resolved(bounds) }
}

function resolved({ maxRecords, maxBytes }: BufferBounds): Required<BufferBounds> {
  return { maxRecords: bound(maxRecords, 'maxRecords'), maxBytes: bound(maxBytes, 'maxBytes') }
}

function bound(given: number | undefined, name: string): number {
  if (given === undefined) return Number.POSITIVE_INFINITY
  if (Number.isSafeInteger(given) && given > 0) return given
  throw new MillraceError('INVALID_ARGUMENT', `${given} is no bound for a buffer`, {
    remedy: `Give ${name} as a whole number above 0, or leave it out.`,
  })
}
