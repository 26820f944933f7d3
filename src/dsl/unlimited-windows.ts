import { MillraceError } from '../errors.ts'
import type { WindowAssigner } from './operators/window-aggregate.ts'

/**
 * One window for each key, which never ends: its `end` is 2^53 - 1, the last time there is. Records before its start are in
 * no window; they are dropped and counted as `before-window`. Values are immutable. After Kafka Streams' UnlimitedWindows.
 */
export class UnlimitedWindows implements WindowAssigner {
  readonly sizeMs: number = Number.POSITIVE_INFINITY
  readonly advanceMs: number = Number.POSITIVE_INFINITY
  readonly graceMs: number = 0
  readonly startMs: number

  private constructor(startMs: number) {
    this.startMs = startMs
  }

  /** A window that begins at 1970-01-01T00:00:00Z. */
  static of(): UnlimitedWindows {
    return new UnlimitedWindows(0)
  }

  /**
   * The same window, begun at a time in milliseconds since 1970.
   * @throws MillraceError INVALID_ARGUMENT where it is not a whole number from 0 on.
   */
  startOn(timestamp: number): UnlimitedWindows {
    if (Number.isSafeInteger(timestamp) && timestamp >= 0) return new UnlimitedWindows(timestamp)
    throw new MillraceError('INVALID_ARGUMENT', `The window starts at ${timestamp}`, {
      remedy: 'Give milliseconds since 1970 as a whole number, as Date.now() and Date.parse() do.',
    })
  }

  /** The start of the window, which is after the timestamp where the record is in none. */
  firstStart(): number {
    return this.startMs
  }
}
