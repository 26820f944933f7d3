import type { SessionWindows, TimeWindows } from './windows.ts'

/** What stores and later operators need to know of the windows that results are for. */
export interface WindowShape {
  readonly kind: 'time' | 'session'
  /** 0 for sessions, which have no fixed size. */
  readonly sizeMs: number
  /** From a window's end until it takes no more records, in event time. */
  readonly closesAfterMs: number
  /** How long results are kept, in event time. */
  readonly retentionMs: number
}

export function timeWindowShape({ sizeMs, graceMs }: TimeWindows): WindowShape {
  return { kind: 'time', sizeMs, closesAfterMs: graceMs, retentionMs: sizeMs + graceMs }
}

/** A session can be joined by a record that comes a gap after its end. */
export function sessionWindowShape({ gapMs, graceMs }: SessionWindows): WindowShape {
  return { kind: 'session', sizeMs: 0, closesAfterMs: gapMs + graceMs, retentionMs: gapMs + graceMs }
}
