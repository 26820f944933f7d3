import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'

/**
 * Which records of two streams belong together: those of the same key where the right one's timestamp is at most `before` less and at
 * most `after` more than the left one's, both ends included. Values are immutable. After Kafka Streams' JoinWindows.
 */
export class JoinWindows {
  /** How far before a left record's timestamp a right one's may be; negative where it must come later. */
  readonly beforeMs: number
  /** How far after a left record's timestamp a right one's may be; negative where it must come earlier. */
  readonly afterMs: number
  /** How long after the last moment of a match, in event time, late records can still be matched. */
  readonly graceMs: number

  private constructor(beforeMs: number, afterMs: number, graceMs: number) {
    this.beforeMs = beforeMs
    this.afterMs = afterMs
    this.graceMs = graceMs
  }

  /**
   * Records at most so far apart, whichever comes first; no time is given to late ones.
   * @throws MillraceError INVALID_ARGUMENT
   */
  static of(difference: Duration): JoinWindows {
    const ms = toMilliseconds(difference, 'time difference')
    return new JoinWindows(ms, ms, 0)
  }

  /**
   * The same, but the right record comes at most so long before the left one; a negative number of milliseconds: at least so long after it.
   * @throws MillraceError INVALID_ARGUMENT where nothing could match
   */
  before(difference: Duration): JoinWindows {
    return new JoinWindows(signed(difference), this.afterMs, this.graceMs).#checked()
  }

  /**
   * The same, but the right record comes at most so long after the left one; a negative number of milliseconds: at least so long before it.
   * @throws MillraceError INVALID_ARGUMENT where nothing could match
   */
  after(difference: Duration): JoinWindows {
    return new JoinWindows(this.beforeMs, signed(difference), this.graceMs).#checked()
  }

  /**
   * The same, but records are matched, and unmatched ones waited for, until event time is so long past the last moment of a match.
   * @throws MillraceError INVALID_ARGUMENT
   */
  grace(grace: Duration): JoinWindows {
    return new JoinWindows(this.beforeMs, this.afterMs, toMilliseconds(grace, 'grace period'))
  }

  /** How long records are kept to be matched. */
  get retentionMs(): number {
    return this.beforeMs + this.afterMs + this.graceMs
  }

  #checked(): this {
    if (this.beforeMs + this.afterMs >= 0) return this
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `No right record is at most ${this.beforeMs} ms before and ${this.afterMs} ms after a left one`,
      { remedy: 'Widen one end of the window first: before and after must not add up to less than 0.' },
    )
  }
}

function signed(difference: Duration): number {
  if (typeof difference !== 'number' || difference >= 0) return toMilliseconds(difference, 'time difference')
  return -toMilliseconds(-difference, 'time difference')
}
