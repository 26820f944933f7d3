import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { WindowAssigner } from './operators/window-aggregate.ts'

/**
 * Windows of a fixed size, aligned to 1970-01-01T00:00:00Z; each holds `start <= timestamp < start + size`. Tumbling, where
 * a record falls into one window, unless `advanceBy` makes them hop. Values are immutable. After Kafka Streams' TimeWindows.
 */
export class TimeWindows implements WindowAssigner {
  readonly sizeMs: number
  /** From one window's start to the next one's; equal to the size where the windows tumble. */
  readonly advanceMs: number
  /** How long after its end, in event time, a window still takes late records. */
  readonly graceMs: number

  private constructor(sizeMs: number, advanceMs: number, graceMs: number) {
    this.sizeMs = sizeMs
    this.advanceMs = advanceMs
    this.graceMs = graceMs
  }

  /**
   * Tumbling windows that take no late records.
   * @throws MillraceError INVALID_ARGUMENT where the size is not above 0.
   */
  static of(size: Duration): TimeWindows {
    const sizeMs = requirePositive(size, 'window size')
    return new TimeWindows(sizeMs, sizeMs, 0)
  }

  /**
   * The same windows, but a new one begins every `advance`, so that they overlap.
   * @throws MillraceError INVALID_ARGUMENT where the advance is not above 0 or is larger than the window.
   */
  advanceBy(advance: Duration): TimeWindows {
    const advanceMs = requirePositive(advance, 'window advance')
    if (advanceMs > this.sizeMs) {
      throw new MillraceError(
        'INVALID_ARGUMENT',
        `Windows of ${this.sizeMs} ms that advance by ${advanceMs} ms leave gaps between them`,
        {
          remedy: 'Advance by at most the size of the window.',
        },
      )
    }
    return new TimeWindows(this.sizeMs, advanceMs, this.graceMs)
  }

  /** The same windows, which take late records until event time is `grace` past their end. */
  grace(grace: Duration): TimeWindows {
    return new TimeWindows(this.sizeMs, this.advanceMs, toMilliseconds(grace, 'grace period'))
  }

  /** The start of the earliest window that holds the timestamp. No window begins before 1970. */
  firstStart(timestamp: number): number {
    const earliest = timestamp - this.sizeMs + this.advanceMs
    return earliest <= 0 ? 0 : earliest - (earliest % this.advanceMs)
  }

  /** How many windows hold the timestamp: they begin at `firstStart` and every `advanceMs` after it. */
  windowCount(timestamp: number): number {
    return Math.floor((timestamp - this.firstStart(timestamp)) / this.advanceMs) + 1
  }
}

/**
 * Windows that grow as long as records of their key come at most `gap` apart; they hold `start <= timestamp <= end`, where
 * both bounds are timestamps of records. Values are immutable. After Kafka Streams' SessionWindows.
 */
export class SessionWindows {
  /** The longest silence inside a session: records exactly this far apart still belong together. */
  readonly gapMs: number
  /** How long after a session can no longer grow, in event time, it still takes late records. */
  readonly graceMs: number

  private constructor(gapMs: number, graceMs: number) {
    this.gapMs = gapMs
    this.graceMs = graceMs
  }

  /**
   * Sessions that take no late records.
   * @throws MillraceError INVALID_ARGUMENT where the gap is not above 0.
   */
  static withGap(gap: Duration): SessionWindows {
    return new SessionWindows(requirePositive(gap, 'session gap'), 0)
  }

  /** The same sessions, which take late records until event time is gap and `grace` past their end. */
  grace(grace: Duration): SessionWindows {
    return new SessionWindows(this.gapMs, toMilliseconds(grace, 'grace period'))
  }
}

/** @throws MillraceError INVALID_ARGUMENT where the duration is not above 0. */
export function requirePositive(duration: Duration, what: string): number {
  const ms = toMilliseconds(duration, what)
  if (ms > 0) return ms
  throw new MillraceError('INVALID_ARGUMENT', `The ${what} is ${ms} ms`, { remedy: 'Give at least 1 ms.' })
}
