import type { Environment } from '../../env/environment.ts'
import type { ClientSession } from '../security/client-session.ts'
import { Turns } from '../turns.ts'
import type { RequestContext } from './handler.ts'
import type { ProduceAppends } from './produce-appends.ts'

/**
 * When the appends of clients are made: those of a connection in the order of its requests, nearly always at once. A client
 * whose appends take long is slow until they do not: of all that are slow one has a slice in each turn of the event loop, so
 * that however many there are, others wait for one of them at most.
 */
export class ProduceTurns {
  readonly #environment: Pick<Environment, 'clock' | 'timers'>
  /** Clients with requests whose appends are not all made: the end of the last. */
  readonly #pending = new WeakMap<ClientSession, Promise<void>>()
  readonly #slow = new WeakSet<ClientSession>()
  readonly #slices = new Turns()

  constructor(environment: Pick<Environment, 'clock' | 'timers'>) {
    this.#environment = environment
  }

  /** True where the appends are made, otherwise whether they were when it is over: not where the client is gone. */
  make(appends: ProduceAppends, context: RequestContext): true | Promise<boolean> {
    const { session } = context
    const before = this.#pending.get(session)
    if (before === undefined && !this.#slow.has(session)) {
      const isDone = appends.advance()
      if (appends.tookLong) this.#slow.add(session)
      if (isDone) return true
    }
    const made = this.#makeSlowly(appends, context, before)
    const forget = () => {
      if (this.#pending.get(session) === over) this.#pending.delete(session)
    }
    const over = made.then(forget, forget)
    this.#pending.set(session, over)
    return made
  }

  async #makeSlowly(
    appends: ProduceAppends,
    context: RequestContext,
    before: Promise<void> | undefined,
  ): Promise<boolean> {
    await before
    for (;;) {
      const isDone = await this.#slices.run(() => this.#makeSlice(appends, context))
      // Nobody would be told of what is left.
      if (context.signal.aborted) return false
      if (isDone) break
    }
    if (!appends.tookLong) this.#slow.delete(context.session)
    return true
  }

  async #makeSlice(appends: ProduceAppends, context: RequestContext): Promise<boolean> {
    const { clock, timers } = this.#environment
    await timers.nextTurn()
    if (context.signal.aborted) return false
    const startMs = clock.monotonicMs()
    const isDone = appends.advance()
    context.laterWorkMs += clock.monotonicMs() - startMs
    return isDone
  }
}
