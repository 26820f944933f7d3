import { assert, MillraceError } from '../errors.ts'
import type { StateStore } from '../state/state-store.ts'

/** The store that a task made of a declaration, which is of the declaration's kind. */
export function openedAs<S extends StateStore>(store: StateStore, kind: abstract new (...parts: never[]) => S): S {
  assert(store instanceof kind, `the store '${store.name}' was made by its own declaration`)
  return store
}

/** @throws MillraceError INVALID_ARGUMENT where a key is null or undefined */
export function requireKey<K>(key: K, store: string): K {
  if (key !== null && key !== undefined) return key
  throw new MillraceError('INVALID_ARGUMENT', `${key} is not a key of a store`, {
    at: { store },
    remedy: 'Leave out records without a key, or give them one of their own.',
  })
}

/** @throws MillraceError INVALID_ARGUMENT where it is no whole number of milliseconds since 1970 */
export function requireTime(time: number, what: string, store: string): number {
  if (Number.isSafeInteger(time) && time >= 0) return time
  throw new MillraceError('INVALID_ARGUMENT', `${time} is not a ${what}`, {
    at: { store },
    remedy: 'Give milliseconds since 1970, as a whole number that is not negative.',
  })
}
