import type { WindowAssigner } from './operators/window-aggregate.ts'
import type { SlidingWindows } from './sliding-windows.ts'
import type { SessionWindows } from './windows.ts'

/** What stores and later operators need to know of the windows that results are for. */
export interface WindowShape {
  readonly kind: 'time' | 'sliding' | 'session'
  /** Infinite for windows that never end; 0 for sessions, which have no fixed size. */
  readonly sizeMs: number
  /** From a window's end until it takes no more records, in event time. */
  readonly closesAfterMs: number
  /** How long results are kept, in event time. */
  readonly retentionMs: number
}

export function timeWindowShape({ sizeMs, graceMs }: WindowAssigner): WindowShape {
  return { kind: 'time', sizeMs, closesAfterMs: graceMs, retentionMs: sizeMs + graceMs }
}

/** A new window can need the results of one that ended up to two differences before it does. */
export function slidingWindowShape({ differenceMs, graceMs }: SlidingWindows): WindowShape {
  return { kind: 'sliding', sizeMs: differenceMs, closesAfterMs: graceMs, retentionMs: 2 * differenceMs + graceMs }
}

/** A session can be joined by a record that comes a gap after its end. */
export function sessionWindowShape({ gapMs, graceMs }: SessionWindows): WindowShape {
  return { kind: 'session', sizeMs: 0, closesAfterMs: gapMs + graceMs, retentionMs: gapMs + graceMs }
}
