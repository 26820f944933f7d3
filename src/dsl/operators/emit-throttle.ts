import type { TaskContext } from '../../topology/processor.ts'

/** When closed windows may be handed on next, in milliseconds since 1970: 0 is at once. */
export interface EmitTurn {
  nextEmitMs: number
}

/** Lets closed windows be handed on at most once in an interval of the clock on the wall, as Kafka Streams does once a second. */
export class EmitThrottle implements EmitTurn {
  readonly #intervalMs: number
  nextEmitMs = 0

  /** @param intervalMs 0 for no bound */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Whether it is time; then the next interval begins, also where nothing is to be handed on. Operators that share a turn take it together. */
  isDue(task: TaskContext, turn: EmitTurn = this): boolean {
    if (this.#intervalMs === 0) return true
    const now = task.wallClockMs()
    if (now < turn.nextEmitMs) return false
    turn.nextEmitMs = now + this.#intervalMs
    return true
  }
}
