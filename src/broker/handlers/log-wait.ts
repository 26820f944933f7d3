import type { Timers } from '../../env/environment.ts'
import type { LogWatcher, PartitionLog } from '../log/partition-log.ts'

/**
 * Waits until one of some logs has more for readers, a time is over, or nobody waits any more. One timer, however many logs
 * there are. `end` must be called when the waiting is done.
 */
export class LogWait implements LogWatcher {
  /** Whether the time is over, or nobody waits any more. */
  isOver = false
  readonly #logs: readonly PartitionLog[]
  readonly #timers: Timers
  readonly #signal: AbortSignal
  readonly #cancel: () => void
  #woken = Promise.withResolvers<void>()

  constructor(logs: readonly PartitionLog[], maxWaitMs: number, timers: Timers, signal: AbortSignal) {
    this.#logs = logs
    this.#timers = timers
    this.#signal = signal
    this.#cancel = timers.after(maxWaitMs, this.#finish)
    signal.addEventListener('abort', this.#finish)
    for (const log of logs) log.watch(this)
  }

  onAdvance(): void {
    this.#woken.resolve()
  }

  /** Resolves when it is woken, also where that was before the call; counts from anew afterwards. */
  async woken(): Promise<void> {
    await this.#woken.promise
    if (!this.isOver) this.#woken = Promise.withResolvers<void>()
  }

  /** Resolves after a while, whatever the logs do, or when the time is over. */
  async paused(delayMs: number): Promise<void> {
    const pause = Promise.withResolvers<void>()
    const cancel = this.#timers.after(delayMs, pause.resolve)
    await pause.promise
    cancel()
  }

  end(): void {
    this.#cancel()
    this.#signal.removeEventListener('abort', this.#finish)
    for (const log of this.#logs) log.unwatch(this)
  }

  readonly #finish = (): void => {
    this.isOver = true
    this.#woken.resolve()
  }
}
