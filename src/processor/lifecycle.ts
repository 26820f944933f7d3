import { MillraceError, messageOf } from '../errors.ts'
import { refusePromise } from '../topology/refuse-promise.ts'

/** What of a user's processor is called once: when it is made, before its first record, after its last. */
export type LifecycleCall = 'The supplier' | 'init()' | 'close()'

/**
 * Calls it, for whom the failures of records do not speak.
 * @throws MillraceError OPERATOR_FAILED where it throws, or returns a promise
 */
export function callOnce<T>(operator: string, call: LifecycleCall, run: () => T): T {
  try {
    const returned = run()
    refusePromise(returned, operator)
    return returned
  } catch (error) {
    if (error instanceof MillraceError) throw error.placedAt({ operator })
    throw new MillraceError('OPERATOR_FAILED', `${call} threw: ${messageOf(error)}`, { at: { operator }, cause: error })
  }
}
