import { assert } from '../errors.ts'
import type { Cancel, Clock, Timers } from './environment.ts'

interface Timer {
  readonly dueMs: number
  readonly sequence: number
  readonly run: () => void
}

/** Enough for the promise chains of what has just run to settle, the caller's own `await` on a returned promise included. */
const microtasksPerTurn = 8

/**
 * A clock that only moves when it is told to, and the timers that hang on it. Timers run in the order of their times, those
 * of one time in the order in which they were set, each with the clock at exactly its time.
 */
export class VirtualClock implements Clock, Timers {
  #elapsedMs = 0
  #wallAtStartMs: number
  #sequence = 0
  /** The next to run is last. */
  readonly #timers: Timer[] = []

  /** @param startMs the wall clock's first reading, in milliseconds since 1970 */
  constructor(startMs = 0) {
    this.#wallAtStartMs = startMs
  }

  wallMs(): number {
    return this.#wallAtStartMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** Timers that wait to run. */
  get pendingTimers(): number {
    return this.#timers.length
  }

  after(delayMs: number, run: () => void): Cancel {
    assert(!Number.isNaN(delayMs), 'a delay is a number')
    const dueMs = this.#elapsedMs + Math.max(delayMs, 0)
    const timer: Timer = { dueMs, sequence: this.#sequence++, run }
    this.#timers.splice(this.#placeOf(timer), 0, timer)
    return () => {
      const at = this.#placeOf(timer)
      if (this.#timers[at] === timer) this.#timers.splice(at, 1)
    }
  }

  async nextTurn(): Promise<void> {
    for (let i = 0; i < microtasksPerTurn; i++) await undefined
  }

  /** Moves the clock and runs the timers that come due on the way, in one go: promises settle after it has returned. */
  advance(byMs: number): void {
    const untilMs = this.#targetMs(byMs)
    while (this.#runNext(untilMs));
    this.#elapsedMs = untilMs
  }

  /** As `advance`, with a turn for promises after every timer, so that what they set in motion sees the clock at its time. */
  async advanceAsync(byMs: number): Promise<void> {
    const untilMs = this.#targetMs(byMs)
    await this.nextTurn()
    while (this.#runNext(untilMs)) await this.nextTurn()
    this.#elapsedMs = Math.max(untilMs, this.#elapsedMs)
  }

  /** Puts the wall clock forward or back, as a time server or an administrator does; no timer notices. */
  jumpWall(byMs: number): void {
    this.#wallAtStartMs += byMs
  }

  #targetMs(byMs: number): number {
    assert(byMs >= 0, 'a clock is advanced by zero milliseconds or more')
    return this.#elapsedMs + byMs
  }

  #runNext(untilMs: number): boolean {
    const timer = this.#timers.at(-1)
    if (timer === undefined || timer.dueMs > untilMs) return false
    this.#timers.pop()
    this.#elapsedMs = Math.max(timer.dueMs, this.#elapsedMs)
    timer.run()
    return true
  }

  /** Where the timer is, or where it would have to be put. */
  #placeOf(timer: Timer): number {
    let from = 0
    let to = this.#timers.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const other = this.#timers[middle]!
      const isLater = other.dueMs === timer.dueMs ? other.sequence > timer.sequence : other.dueMs > timer.dueMs
      if (isLater) from = middle + 1
      else to = middle
    }
    return from
  }
}
