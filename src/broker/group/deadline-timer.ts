import type { Cancel, Clock, Timers } from '../../env/environment.ts'

/**
 * One timer for a group, whose next deadline moves with every heartbeat of every member. Deadlines mostly move away, so the timer
 * is left as it is and may come too early: whoever is called then looks, and waits for the rest.
 */
export class DeadlineTimer {
  readonly #environment: { readonly clock: Clock; readonly timers: Timers }
  readonly #onDue: (nowMs: number) => void
  #atMs = Number.POSITIVE_INFINITY
  #cancel: Cancel = () => {}
  #isStopped = false

  constructor(environment: { readonly clock: Clock; readonly timers: Timers }, onDue: (nowMs: number) => void) {
    this.#environment = environment
    this.#onDue = onDue
  }

  /** Has it come at the deadline (monotonic) at the latest; infinite for none. */
  expect(deadlineMs: number): void {
    if (deadlineMs >= this.#atMs || this.#isStopped) return
    const { clock, timers } = this.#environment
    this.#cancel()
    this.#atMs = deadlineMs
    this.#cancel = timers.after(Math.max(0, deadlineMs - clock.monotonicMs()), () => {
      this.#atMs = Number.POSITIVE_INFINITY
      this.#onDue(clock.monotonicMs())
    })
  }

  /** It does not come any more. */
  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }
}
