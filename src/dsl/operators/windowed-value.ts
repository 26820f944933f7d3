import { type SessionEntry, SessionStore } from '../../state/session-store.ts'
import type { StoreKeys } from '../../state/store-keys.ts'
import { type SuppressEntry, SuppressStore } from '../../state/suppress-store.ts'
import { WindowStore } from '../../state/window-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { WaitingRows } from '../../topology/processor.ts'
import type { Windowed } from '../../windowed.ts'
import { connectedStore } from './connected-store.ts'
import { type SeenRows, StoreGetter, unseenRows, type ValueGetter, type ValueGetterFactory } from './value-getter.ts'

/** Reads the store of results of time windows, by the key and the start of its window; what is no longer kept is not there. */
export function windowValue(store: string, seen: SeenRows): ValueGetterFactory {
  return (context) => new WindowValue(connectedStore(context, store, WindowStore), unseenRows(context, store, seen))
}

/** Reads the store of results of sessions or sliding windows, by the key and the bounds of its window. */
export function sessionValue(store: string, seen: SeenRows): ValueGetterFactory {
  return (context) => new SessionValue(connectedStore(context, store, SessionStore), unseenRows(context, store, seen))
}

/** For rows whose updates are held back: while one waits, the value that was handed on before it, otherwise the parent's. */
export function suppressedValue(parent: ValueGetterFactory, store: string): ValueGetterFactory {
  return (context) => new SuppressedValue(parent(context), connectedStore(context, store, SuppressStore))
}

/** The window of the record's key, which is in `record.key()` where the key was read from a topic. */
function windowedKey(record: FlowRecord): Windowed<unknown> | undefined {
  return record.windowed ? undefined : (record.key() as Windowed<unknown>)
}

/** What getters over results of windows have in common: the row of the record's key and window. */
class WindowedGetter extends StoreGetter {
  protected keyId = 0
  protected start = 0
  protected end = 0

  /** Finds out which row it is, and whether that waits. */
  protected seeks(record: FlowRecord, keys: StoreKeys): boolean {
    const whole = windowedKey(record)
    this.keyId = whole === undefined ? keys.idOfInner(record) : keys.idOfKey(whole.key)
    this.start = whole === undefined ? record.windowStart : whole.window.start
    this.end = whole === undefined ? record.windowEnd : whole.window.end
    return this.waits(this.keyId, this.start, this.end)
  }
}

class WindowValue extends WindowedGetter implements ValueGetter {
  readonly #store: WindowStore

  constructor(store: WindowStore, unseen: WaitingRows | undefined) {
    super(unseen)
    this.#store = store
  }

  get(record: FlowRecord): unknown {
    if (this.seeks(record, this.#store.keys)) return this.handedOn
    const entry = this.#store.find(this.start, this.keyId)
    if (entry === undefined) return undefined
    this.timestamp = entry.timestamp
    return entry.value
  }
}

class SessionValue extends WindowedGetter implements ValueGetter {
  readonly #store: SessionStore
  readonly #found: SessionEntry[] = []

  constructor(store: SessionStore, unseen: WaitingRows | undefined) {
    super(unseen)
    this.#store = store
  }

  get(record: FlowRecord): unknown {
    if (this.seeks(record, this.#store.keys)) return this.handedOn
    const { start, end } = this
    this.#store.find(this.keyId, end, start, this.#found)
    for (let i = 0; i < this.#found.length; i++) {
      const session = this.#found[i]
      if (session.start !== start || session.end !== end) continue
      this.timestamp = session.timestamp
      return session.value
    }
    return undefined
  }
}

class SuppressedValue implements ValueGetter {
  /** Of a value that was handed on before, Kafka Streams does not know the time either. */
  timestamp = -1
  readonly #parent: ValueGetter
  readonly #store: SuppressStore

  constructor(parent: ValueGetter, store: SuppressStore) {
    this.#parent = parent
    this.#store = store
  }

  get(record: FlowRecord): unknown {
    const waiting = this.#waiting(record)
    if (waiting !== undefined) {
      this.timestamp = -1
      return waiting.value?.prior
    }
    const value = this.#parent.get(record)
    this.timestamp = this.#parent.timestamp
    return value
  }

  #waiting(record: FlowRecord): SuppressEntry | undefined {
    const store = this.#store
    if (!store.hasWindows) return store.find(store.keyId(record), 0, 0)
    const whole = windowedKey(record)
    if (whole === undefined) return store.find(store.keyId(record), record.windowStart, record.windowEnd)
    return store.find(store.keys.idOfKey(whole.key), whole.window.start, whole.window.end)
  }
}
