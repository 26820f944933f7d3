import { requireFormat } from '../arguments.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import { declareLogging, windowedChangelog } from '../state/changelog-config.ts'
import { encodedKey } from '../state/key-bounds.ts'
import {
  SessionStore as SessionEntries,
  type SessionEntry,
  sessionStore as sessionEntries,
  sessionKey,
} from '../state/session-store.ts'
import type { Windowed } from '../windowed.ts'
import { openedAs, requireKey } from './opened-store.ts'
import type { SessionResultStore } from './result-store.ts'
import {
  entryOptions,
  type StoreIterator,
  type StoreWriter,
  type TypedStore,
  type TypedStoreOptions,
} from './typed-store.ts'

export interface SessionStoreOptions<K, V> extends TypedStoreOptions<K, V> {
  /** A session is kept until another one ends so long after it, in event time. */
  readonly retention: Duration
}

/** Which sessions of a key, in milliseconds since 1970. */
export interface SessionRange {
  /** Sessions that end then or later. Default: all that are not expired. */
  readonly earliestEnd?: number
  /** Sessions that start then or earlier. Default: no bound. */
  readonly latestStart?: number
  /** From the last session back. Default: false. */
  readonly reverse?: boolean
}

/** Which sessions of which keys, by the order of the keys' bytes. */
export interface SessionKeyRange<K> extends SessionRange {
  /** The least key, included. Default: no bound. */
  readonly keyFrom?: K
  /** The greatest key, included. Default: no bound. */
  readonly keyTo?: K
  /** Sessions that end then or earlier. Default: no bound. */
  readonly latestEnd?: number
}

/** Reads the sessions of each key. Objects are the store's own: they are not to be changed. After Kafka Streams' ReadOnlySessionStore. */
export interface ReadOnlySessionStore<in out K, out V> {
  /** The sessions of a key by their ends, then their starts. */
  findSessions(key: K, range: SessionRange): StoreIterator<[session: Windowed<K>, value: V]>
  /** All sessions of a key that are not expired. */
  fetch(key: K, options?: { readonly reverse?: boolean }): StoreIterator<[session: Windowed<K>, value: V]>
  /** One session, by its exact bounds; undefined where there is none. */
  fetchSession(key: K, start: number, end: number): V | undefined
  /** The sessions of all keys, or of a range of keys, by the keys' bytes, then their ends, then their starts. They are gathered before the first is given. */
  fetchAll(range?: SessionKeyRange<K>): StoreIterator<[session: Windowed<K>, value: V]>
}

/** Reads and writes the sessions of each key. After Kafka Streams' SessionStore. */
export interface SessionStore<in out K, in out V> extends ReadOnlySessionStore<K, V> {
  /** Sets the value of a session; null removes it. A session that is expired is not put, and that is counted. */
  put(session: Windowed<K>, value: V | null): void
  remove(session: Windowed<K>): void
}

type Declared<K, V> = TypedStore<SessionStore<K, V>, ReadOnlySessionStore<K, V>>

/**
 * Declares a store of sessions, as the aggregations of sessions of the DSL have them: these take it as their `store`, and
 * processors that are given it too reach their results.
 */
export function sessionStore<K, V>(
  name: string,
  options: SessionStoreOptions<K, V>,
): Declared<K, V> & SessionResultStore<K, V> {
  requireFormat(`sessionStore('${name}', ...)`, options)
  const { key, value, engine, logging, hotEntries, retention } = options
  const retentionMs = toMilliseconds(options.retention, 'retention')
  return {
    name,
    ...declareLogging(windowedChangelog(retentionMs), logging),
    engine,
    create: sessionEntries({ name, ...entryOptions(options), retentionMs }),
    open: (store, writer) => new WritableSessions(openedAs(store, SessionEntries), key, writer),
    openReadOnly: (store) => new ReadableSessions(openedAs(store, SessionEntries), key),
    results: { kind: 'sessions', key, value, logging, hotEntries, retention },
  }
}

class ReadableSessions<K, V> implements ReadOnlySessionStore<K, V> {
  protected readonly sessions: SessionEntries
  readonly #key: Serde<K>

  constructor(sessions: SessionEntries, key: Serde<K>) {
    this.sessions = sessions
    this.#key = key
  }

  findSessions(key: K, { earliestEnd = 0, latestStart = Infinity, reverse = false }: SessionRange) {
    const found = this.find(key, earliestEnd, latestStart)
    if (reverse) found.reverse()
    return this.#present(key, found)
  }

  fetch(key: K, options: { readonly reverse?: boolean } = {}): StoreIterator<[Windowed<K>, V]> {
    return this.findSessions(key, options)
  }

  fetchSession(key: K, start: number, end: number): V | undefined {
    return this.session(key, start, end)?.value as V | undefined
  }

  fetchAll(range: SessionKeyRange<K> = {}): StoreIterator<[Windowed<K>, V]> {
    const { earliestEnd = 0, latestEnd = Infinity, latestStart = Infinity, reverse = false } = range
    const { name, liveFrom } = this.sessions
    const keyFrom = range.keyFrom === undefined ? undefined : encodedKey(requireKey(range.keyFrom, name), this.#key)
    const keyTo = range.keyTo === undefined ? undefined : encodedKey(requireKey(range.keyTo, name), this.#key)
    const found: (ReturnType<typeof sessionKey> & { readonly value: unknown })[] = []
    for (const row of this.sessions.rows(earliestEnd)) {
      const session = sessionKey(row.key)
      const { userKey, start, end } = session
      if (end < earliestEnd || end < liveFrom || end > latestEnd || start > latestStart) continue
      if (keyFrom !== undefined && userKey.compare(keyFrom) < 0) continue
      if (keyTo !== undefined && userKey.compare(keyTo) > 0) continue
      found.push({ ...session, value: row.value })
    }
    found.sort((a, b) => a.userKey.compare(b.userKey) || a.end - b.end || a.start - b.start)
    if (reverse) found.reverse()
    return found.values().map(({ userKey, start, end, value }): [Windowed<K>, V] => {
      return [{ key: this.#key.read(userKey, 0, userKey.length), window: { start, end } }, value as V]
    })
  }

  protected find(key: K, earliestEnd: number, latestStart: number): SessionEntry[] {
    const found: SessionEntry[] = []
    const keyId = this.sessions.keys.idOfKey(requireKey(key, this.sessions.name))
    this.sessions.find(keyId, earliestEnd, latestStart, found)
    return found
  }

  protected session(key: K, start: number, end: number): SessionEntry | undefined {
    return this.find(key, end, start).find((session) => session.start === start && session.end === end)
  }

  /** The object of a session that is removed may become another one's: what was found is known by its bounds. */
  *#present(key: K, found: readonly SessionEntry[]): Generator<[Windowed<K>, V], undefined> {
    const sessions = found.map((entry) => ({ entry, keyId: entry.keyId, start: entry.start, end: entry.end }))
    for (const { entry, keyId, start, end } of sessions) {
      if (entry.value === undefined || entry.keyId !== keyId || entry.start !== start || entry.end !== end) continue
      yield [{ key, window: { start, end } }, entry.value as V]
    }
    return undefined
  }
}

class WritableSessions<K, V> extends ReadableSessions<K, V> implements SessionStore<K, V> {
  readonly #writer: StoreWriter

  constructor(sessions: SessionEntries, key: Serde<K>, writer: StoreWriter) {
    super(sessions, key)
    this.#writer = writer
  }

  put({ key, window: { start, end } }: Windowed<K>, value: V | null): void {
    const { sessions } = this
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
      throw new MillraceError('INVALID_ARGUMENT', `There is no session from ${start} to ${end}`, {
        at: { store: sessions.name },
        remedy: 'Give milliseconds since 1970, as whole numbers; a session may end when it starts.',
      })
    }
    const existing = this.session(key, start, end)
    if (existing !== undefined) sessions.update(existing, value)
    else if (!sessions.put(sessions.keys.idOfKey(key), start, end, value)) this.#writer.expired()
  }

  remove({ key, window: { start, end } }: Windowed<K>): void {
    const existing = this.session(key, start, end)
    if (existing !== undefined) this.sessions.remove(existing)
  }
}
