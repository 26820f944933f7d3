import type { TaskContext } from '../../topology/processor.ts'

/** Lets closed windows be handed on at most once in an interval of the clock on the wall, as Kafka Streams does once a second. */
export class EmitThrottle {
  readonly #intervalMs: number
  #nextMs = 0

  /** @param intervalMs 0 for no bound */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Whether it is time; then the next interval begins, also where nothing is to be handed on. */
  isDue(task: TaskContext): boolean {
    if (this.#intervalMs === 0) return true
    const now = task.wallClockMs()
    if (now < this.#nextMs) return false
    this.#nextMs = now + this.#intervalMs
    return true
  }
}
