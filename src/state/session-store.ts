import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'
import type { HotEntry, KeyLayout, StoredRow } from './changelog-layer.ts'
import { EntriesByEnd } from './entries-by-end.ts'
import { EntriesOfKey } from './entries-of-key.ts'
import { LayeredStore, type RowMeasure, sessionRow } from './layered-store.ts'
import type { ChangelogSink } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import { endsInNumbers, timeKey } from './store-layout.ts'
import { afterRows, TimeSegments } from './time-segments.ts'

export interface SessionStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** A session is kept until another one ends so long after it: at least gap and grace period. */
  readonly retentionMs: number
  /**
   * Whether sessions are kept, beyond their retention, until `takeEnded` has handed them out; they are in memory until then.
   * Default: false.
   */
  readonly isHeld?: boolean
  /** How many keys or sessions are kept in memory beyond a commit. Default: 1,000,000. */
  readonly hotEntries?: number
}

/** Makes stores of sessions: Kafka Streams' SessionStore. */
export function sessionStore<K, V>(options: SessionStoreOptions<K, V>): (engine: StoreEngine) => SessionStore {
  return (engine) => new SessionStore(options, engine)
}

/** How the bounds of a session stand in the changelog's keys, behind the key's own bytes. */
export interface BoundsFormat {
  readonly byteLength: number
  readonly measure: RowMeasure
  write(start: number, end: number, out: ByteWriter): void
  /** The end of the session whose bounds are at `at`. */
  readEnd(changelogKey: Buffer, at: number): number
  readStart(changelogKey: Buffer, at: number): number
}

/** Kafka's `end8 ‖ start8`. */
const sessionBounds: BoundsFormat = {
  byteLength: 16,
  measure: sessionRow,
  write(start, end, out) {
    out.writeInt64(end)
    out.writeInt64(start)
  },
  readEnd: (changelogKey, at) => readInt64(changelogKey, at),
  readStart: (changelogKey, at) => readInt64(changelogKey, at + 8),
}

/** One session of one key. Its object is used again for another session after `SessionStore.remove`. */
export class SessionEntry implements HotEntry {
  keyId: number
  start: number
  end: number
  value: unknown = undefined
  timestamp = 0
  dirty = false
  logged = false

  constructor(keyId: number, start: number, end: number) {
    this.keyId = keyId
    this.start = start
    this.end = end
  }
}

/**
 * The sessions of each key, those of the keys in use as lists in memory, ordered by (end, start).
 *
 * Engine: `segment8 ‖ keyLength4 ‖ key ‖ end8 ‖ start8`, where segment is that of the end (see TimeSegments). Changelog: Kafka's `key ‖ end8 ‖ start8`, unless `bounds` says otherwise. Memory is bounded at each commit, as a
 * WindowStore's is.
 */
export class SessionStore extends LayeredStore<SessionEntry> {
  readonly retentionMs: number
  readonly #segments: TimeSegments
  readonly #bounds: BoundsFormat
  /** By key id: the key's sessions, or undefined where the engine has not been asked for them. */
  #sessions: (EntriesOfKey<SessionEntry> | undefined)[] = []
  #entryCount = 0
  /** The end of the session that ends last of all that were put. */
  #latestEnd = -1
  /** Sessions that end before this time are gone. */
  #liveFrom = 0
  /** Sessions that are held; undefined where none are. */
  readonly #held: EntriesByEnd<SessionEntry> | undefined
  /** Until `holdFrom` the held sessions are not known, and none expires. */
  #isHeldKnown = false

  constructor(
    options: SessionStoreOptions<unknown, unknown>,
    engine: StoreEngine,
    bounds: BoundsFormat = sessionBounds,
  ) {
    const layout: KeyLayout<SessionEntry> = {
      writeChangelogKey: (entry, out) => {
        this.keys.write(entry.keyId, out)
        bounds.write(entry.start, entry.end, out)
      },
      writeEngineKey: (changelogKey, out) => this.#writeEngineKey(changelogKey, out),
      isLive: (entry) => entry.end >= this.#liveFrom,
    }
    super({ ...options, layout, measure: bounds.measure }, engine)
    this.retentionMs = options.retentionMs
    this.#bounds = bounds
    this.#held = options.isHeld === true ? new EntriesByEnd<SessionEntry>() : undefined
    this.#segments = new TimeSegments(options.retentionMs, engine)
  }

  override get hasWindows(): boolean {
    return true
  }

  /** Puts the key's sessions that end at or after `earliestEnd` and start at or before `latestStart` into `found`, by (end, start). */
  find(keyId: number, earliestEnd: number, latestStart: number, found: SessionEntry[]): void {
    const sessions = this.#sessions[keyId] ?? this.#load(keyId)
    if (sessions.firstEnd < this.#liveFrom) this.#dropExpired(sessions)
    const { entries } = sessions
    let count = 0
    for (let i = sessions.indexOfEnd(earliestEnd); i < entries.length; i++) {
      const session = entries[i]
      if (session.start <= latestStart) found[count++] = session
    }
    // Not before: an array that was emptied would be given new memory for each record.
    if (found.length !== count) found.length = count
  }

  /**
   * Adds a session; undefined or null is no session. There is none yet with the same key, start and end. One that ends later
   * than all before it lets the oldest ones expire; false where the session is expired itself, and not kept.
   */
  put(keyId: number, start: number, end: number, value: unknown, timestamp: number = end): boolean {
    if (end > this.#latestEnd) this.observe(end)
    if (end < this.#liveFrom) return false
    if (value === undefined || value === null) return true
    const entry = this.layer.takeSpare() ?? new SessionEntry(keyId, start, end)
    entry.keyId = keyId
    entry.start = start
    entry.end = end
    this.layer.update(entry, value, timestamp)
    const sessions = this.#sessions[keyId] ?? this.#load(keyId)
    sessions.add(entry)
    this.#held?.add(entry)
    this.#entryCount++
    return true
  }

  /** Sessions that end before this time are expired. */
  get liveFrom(): number {
    return this.#liveFrom
  }

  /** The rows of sessions that end at `earliestEnd` or later, and some that end earlier; keys are read by `sessionKey`. */
  rows(earliestEnd: number): Generator<StoredRow, undefined> {
    const segment = this.#segments.of(Math.max(earliestEnd, this.#liveFrom))
    return this.layer.rows(timeKey(segment), afterRows)
  }

  /** Removes a session that `find` gave; the object may be used again by the next `put`. */
  remove(session: SessionEntry): void {
    this.#sessions[session.keyId]?.remove(session)
    this.#held?.delete(session)
    this.#entryCount--
    this.layer.remove(session)
  }

  /** Sets the value of a session that keeps its bounds; undefined or null removes it. */
  update(session: SessionEntry, value: unknown, timestamp: number = session.end): void {
    if (value === undefined || value === null) this.remove(session)
    else this.layer.update(session, value, timestamp)
  }

  /** Holds the sessions that end at the time or later, and those to come. Called once, when the store is ready. */
  holdFrom(end: number): void {
    const held = this.#held as EntriesByEnd<SessionEntry>
    for (const { key } of [...this.engine.range(undefined, afterRows)]) {
      const keyId = this.keys.idOfBytes(key, 12, key.length - 16)
      if (this.#sessions[keyId] === undefined) this.#load(keyId)
    }
    for (const sessions of this.#sessions) {
      for (const session of sessions?.entries ?? []) if (session.end >= end) held.add(session)
    }
    this.#isHeldKnown = true
    this.#expire()
  }

  /** Event time has come so far, also where a session that ended then is gone again: sessions expire by that. */
  observeTime(time: number): void {
    if (time > this.#latestEnd) this.observe(time)
  }

  /** Hands out the held sessions that end before the time, by (end, start, key bytes): they are held no longer. */
  takeEnded(before: number, emit: (session: SessionEntry) => void): void {
    const held = this.#held as EntriesByEnd<SessionEntry>
    while (held.earliestEnd < before) {
      const sessions = held.takeFirst()
      sessions.sort((left, right) => left.start - right.start || this.keys.compare(left.keyId, right.keyId))
      for (const session of sessions) emit(session)
    }
    this.#expire()
  }

  /** Drops the sessions that end before the time, but for those that are held. */
  expireBefore(time: number): void {
    const end = this.#held === undefined ? time : Math.min(time, this.#isHeldKnown ? this.#held.earliestEnd : 0)
    if (end <= this.#liveFrom) return
    this.#liveFrom = end
    const expired = this.#segments.expireBefore(end)
    if (expired !== undefined) this.layer.expireRange(...expired)
  }

  override flush(changelog: ChangelogSink): void {
    for (const entry of this.layer.dirty) {
      if (entry.value !== undefined && entry.end >= this.#liveFrom) this.#segments.use(entry.end)
    }
    super.flush(changelog)
  }

  override ready(changelogPosition: number): void {
    super.ready(changelogPosition)
    this.#segments.find()
    const last = this.#segments.ascending().at(-1)
    if (last !== undefined) this.#latestEnd = Math.max(this.#latestEnd, this.#lastEnd(last))
    this.observe(this.#latestEnd)
  }

  /** A session was put that ends later than all before it. */
  protected observe(end: number): void {
    this.#latestEnd = end
    this.#expire()
  }

  /** Lets go of the sessions at the head of a key's list that are expired. */
  #dropExpired(sessions: EntriesOfKey<SessionEntry>): void {
    while (sessions.firstEnd < this.#liveFrom) {
      this.layer.letGo(sessions.takeFirst())
      this.#entryCount--
    }
  }

  #expire(): void {
    // The last millisecond matters where sessions are held: a record may come that makes a session which ends there.
    const firstLive = this.#held === undefined ? 1 : 0
    this.expireBefore(this.#latestEnd - this.retentionMs + firstLive)
  }

  /** The greatest end of a session in the segment. */
  #lastEnd(segment: number): number {
    let end = 0
    for (const { key } of this.engine.range(timeKey(segment), timeKey(segment + 1))) {
      end = Math.max(end, readInt64(key, key.length - 16))
    }
    return end
  }

  #load(keyId: number): EntriesOfKey<SessionEntry> {
    const sessions = new EntriesOfKey<SessionEntry>()
    for (const segment of this.#segments.ascending()) {
      for (const { key, value } of this.engine.range(...this.#segments.rangeOf(segment, this.keys, keyId))) {
        const session = new SessionEntry(keyId, readInt64(key, key.length - 8), readInt64(key, key.length - 16))
        this.layer.decodeRow(value, session)
        sessions.add(session)
      }
    }
    while (this.#sessions.length <= keyId) this.#sessions.push(undefined)
    this.#sessions[keyId] = sessions
    this.#entryCount += sessions.length
    return sessions
  }

  #writeEngineKey(changelogKey: Buffer, out: ByteWriter): void {
    const bounds = this.#bounds
    const keyEnd = endsInNumbers(this.name, changelogKey, bounds.byteLength)
    const end = bounds.readEnd(changelogKey, keyEnd)
    this.#segments.writeStart(end, changelogKey, keyEnd, out)
    out.writeInt64(end)
    out.writeInt64(bounds.readStart(changelogKey, keyEnd))
  }

  protected override get entryCount(): number {
    return this.#entryCount
  }

  /** Keeps the whole lists of the keys that have changes, also of removed sessions: the engine still has those. */
  protected override forgetClean(): void {
    const changed = this.#held === undefined ? this.layer.dirty : [...this.layer.dirty, ...this.#held.all()]
    const lists = changed.map((entry) => this.#sessions[entry.keyId] as EntriesOfKey<SessionEntry>)
    const sessions = [...new Set(lists)].flatMap((list) => list.entries)
    this.keys.keepOnly([...new Set([...changed, ...sessions])])
    this.#sessions = []
    for (const [i, entry] of changed.entries()) {
      while (this.#sessions.length <= entry.keyId) this.#sessions.push(undefined)
      this.#sessions[entry.keyId] = lists[i]
    }
    this.#entryCount = sessions.length
  }
}

/** What an engine key of a session says: where the user's key lies in it, and the session. */
export function sessionKey(key: Buffer): { readonly userKey: Buffer; readonly start: number; readonly end: number } {
  const keyEnd = key.length - 16
  return { userKey: key.subarray(12, keyEnd), end: readInt64(key, keyEnd), start: readInt64(key, keyEnd + 8) }
}
