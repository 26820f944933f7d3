import { type Duration, toMilliseconds } from '../duration.ts'
import { requirePositive } from './windows.ts'

/**
 * Windows that slide with the records: one for each distinct set of a key's records that lie at most `difference` apart. They
 * hold `start <= timestamp <= end`, where end is start and the difference. A record makes the window that ends with it, and
 * the one that begins right behind it as soon as another record falls into that. No window begins before 1970: records
 * earlier than the difference share the window from 0 on. Values are immutable. After Kafka Streams' SlidingWindows.
 */
export class SlidingWindows {
  /** How far apart records of one window may be. */
  readonly differenceMs: number
  /** How long after its end, in event time, a window still takes late records. */
  readonly graceMs: number

  private constructor(differenceMs: number, graceMs: number) {
    this.differenceMs = differenceMs
    this.graceMs = graceMs
  }

  /**
   * Sliding windows that take no late records.
   * @throws MillraceError INVALID_ARGUMENT where the difference is not above 0.
   */
  static of(difference: Duration): SlidingWindows {
    return new SlidingWindows(requirePositive(difference, 'time difference'), 0)
  }

  /** The same windows, which take late records until event time is more than `grace` past their end. */
  grace(grace: Duration): SlidingWindows {
    return new SlidingWindows(this.differenceMs, toMilliseconds(grace, 'grace period'))
  }
}
