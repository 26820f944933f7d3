import { MillraceError } from '../errors.ts'
import { GraceBuffer } from '../state/grace-buffer.ts'
import { JoinStore } from '../state/join-store.ts'
import { KeyValueStore } from '../state/key-value-store.ts'
import { type SessionEntry, SessionStore } from '../state/session-store.ts'
import { SlidingWindowStore } from '../state/sliding-window-store.ts'
import type { StateStore } from '../state/state-store.ts'
import { UnjoinedStore } from '../state/unjoined-store.ts'
import { VersionedStore } from '../state/versioned-store.ts'
import { WindowStore } from '../state/window-store.ts'
import type { Window } from '../windowed.ts'

export interface StoredValue {
  /** The store's own object: it is not to be changed, and may be another one after the next record. */
  readonly value: unknown
  /** Event time of the value, in milliseconds since 1970. */
  readonly timestamp: number
}

export interface StoredSession extends StoredValue {
  /** Includes its end. */
  readonly window: Window
}

/** Reads the present contents of a store. Stays valid when the driver restarts. */
export class TestStore {
  readonly name: string
  readonly #current: () => StateStore

  /** Made by `TopologyTestDriver.store`. */
  constructor(name: string, current: () => StateStore) {
    this.name = name
    this.#current = current
  }

  /**
   * The value of a key, of versions the latest; in a window store that of a key in the window that starts at `windowStart` (milliseconds since
   * 1970); undefined where there is none.
   * @throws MillraceError INVALID_ARGUMENT where the store is of another kind
   */
  get(key: unknown, windowStart?: number): StoredValue | undefined {
    const store = this.#current()
    if (store instanceof KeyValueStore && windowStart === undefined) return store.get(key)
    if (store instanceof VersionedStore && windowStart === undefined) return store.latest(store.keys.idOfKey(key))
    const hasWindows = store instanceof WindowStore || store instanceof SlidingWindowStore
    if (hasWindows && Number.isSafeInteger(windowStart)) return store.get(key, windowStart as number)
    throw this.#misread(store)
  }

  /**
   * The sessions of a key, by the times of their ends.
   * @throws MillraceError INVALID_ARGUMENT where the store is of another kind
   */
  find(key: unknown): StoredSession[] {
    const store = this.#current()
    if (!(store instanceof SessionStore) || store instanceof SlidingWindowStore) throw this.#misread(store)
    const found: SessionEntry[] = []
    store.find(store.keys.idOfKey(key), Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, found)
    return found.map(({ start, end, value, timestamp }) => ({ window: { start, end }, value, timestamp }))
  }

  #misread(store: StateStore): MillraceError {
    return new MillraceError('INVALID_ARGUMENT', 'The store cannot be read so', {
      at: { store: this.name },
      remedy: wayToRead(store),
    })
  }
}

function wayToRead(store: StateStore): string {
  if (store instanceof VersionedStore) return 'It has versions of a value for each key: read the latest with get(key).'
  if (store instanceof KeyValueStore) return 'It has one value for each key: read it with get(key).'
  if (store instanceof WindowStore || store instanceof SlidingWindowStore) {
    return 'It has a value for each key and window: read it with get(key, windowStart).'
  }
  if (store instanceof SessionStore) return 'It has sessions: read them with find(key).'
  if (store instanceof JoinStore || store instanceof UnjoinedStore || store instanceof GraceBuffer) {
    return 'It has the records that a join keeps or has wait: what becomes of them is read from the output.'
  }
  return 'It holds results back until they are final: they are read from the output.'
}
