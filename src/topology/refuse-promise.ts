import { MillraceError } from '../errors.ts'

/**
 * The compiler lets an `async` function stand where one that returns nothing is asked for. Nobody would wait for it: the
 * record would be committed before its work is done, and what it throws would belong to no record.
 * @throws MillraceError OPERATOR_FAILED where a user's function returned a promise
 */
export function refusePromise(returned: unknown, operator: string): void {
  if (typeof returned !== 'object' || returned === null) return
  // Also what is only like one: the clients of some databases return what does nothing until somebody waits for it.
  if (!('then' in returned) || typeof returned.then !== 'function') return
  // It is reported here; if it is rejected too, that must not end the process as an unhandled one.
  if (returned instanceof Promise) returned.catch(() => {})
  throw new MillraceError('OPERATOR_FAILED', 'The function returned a promise, for which nothing waits', {
    at: { operator },
    remedy: 'Give a function that is not async. What must wait belongs behind a topic: write to one, and consume it.',
  })
}
