import { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'
import { ChangelogLayer, type HotEntry, type KeyLayout, type StoredRow } from './changelog-layer.ts'
import { EntriesByEnd } from './entries-by-end.ts'
import type { ChangelogRecord, ChangelogSink, ChangelogValue, StateStore } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import { type RecordKey, StoreKeys } from './store-keys.ts'
import { defaultHotEntries, endsInNumbers, timeKey } from './store-layout.ts'

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
  write(start: number, end: number, out: ByteWriter): void
  /** The end of the session whose bounds are at `at`. */
  readEnd(changelogKey: Buffer, at: number): number
  readStart(changelogKey: Buffer, at: number): number
}

/** Kafka's `end8 ‖ start8`. */
const sessionBounds: BoundsFormat = {
  byteLength: 16,
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

/** Time is cut into segments for the engine, half the retention long and at least a minute, as Kafka Streams does. */
const smallestSegmentMs = 60_000
/** Comes after all rows: their first byte is below 0x80. */
const afterRows = Buffer.from([0xff])
/** Holds the segment length that the rows were written with. */
const segmentKey = Buffer.from([0xff, 1])

/**
 * The sessions of each key, those of the keys in use as lists in memory, ordered by (end, start).
 *
 * Engine: `segment8 ‖ keyLength4 ‖ key ‖ end8 ‖ start8`, where segment = floor(end / segment length): the sessions of a
 * key are one short range in each of the two or three segments that are kept, and expired segments are dropped whole.
 * Where the segment length changed with the retention, the engine is emptied, and the changelog restores it.
 * Changelog: Kafka's `key ‖ end8 ‖ start8`, unless `bounds` says otherwise. Memory is bounded at each commit, as a
 * WindowStore's is.
 */
export class SessionStore implements StateStore {
  readonly name: string
  readonly retentionMs: number
  readonly keys: StoreKeys
  readonly #engine: StoreEngine
  readonly #layer: ChangelogLayer<SessionEntry>
  readonly #hotEntries: number
  readonly #segmentMs: number
  readonly #bounds: BoundsFormat
  /** By key id: the key's sessions, or undefined where the engine has not been asked for them. */
  #sessions: (SessionEntry[] | undefined)[] = []
  #entryCount = 0
  /** Segments that have rows in the engine or in the batch on its way there. */
  #segments = new Set<number>()
  /** The end of the session that ends last of all that were put. */
  #latestEnd = -1
  /** Sessions that end before this time are gone. */
  #liveFrom = 0
  /** Sessions that are held; undefined where none are. */
  readonly #held: EntriesByEnd<SessionEntry> | undefined
  /** Until `holdFrom` the held sessions are not known, and none expires. */
  #isHeldKnown = false
  readonly #rangeKey = new ByteWriter(256)

  constructor(
    options: SessionStoreOptions<unknown, unknown>,
    engine: StoreEngine,
    bounds: BoundsFormat = sessionBounds,
  ) {
    this.name = options.name
    this.retentionMs = options.retentionMs
    this.#bounds = bounds
    this.#held = options.isHeld === true ? new EntriesByEnd<SessionEntry>() : undefined
    this.keys = new StoreKeys(options.key)
    this.#engine = engine
    this.#hotEntries = options.hotEntries ?? defaultHotEntries
    this.#segmentMs = Math.max(smallestSegmentMs, Math.ceil(options.retentionMs / 2))
    const layout: KeyLayout<SessionEntry> = {
      writeChangelogKey: (entry, out) => {
        this.keys.write(entry.keyId, out)
        bounds.write(entry.start, entry.end, out)
      },
      writeEngineKey: (changelogKey, out) => this.#writeEngineKey(changelogKey, out),
      isLive: (entry) => entry.end >= this.#liveFrom,
    }
    this.#layer = new ChangelogLayer({ store: this.name, engine, layout, value: options.value })
    this.#requireSegmentLength()
    this.#segments = segmentsOf(engine)
  }

  /** The id of the record's key, valid until the next commit. */
  keyId(record: RecordKey): number {
    return this.keys.idOf(record)
  }

  /** Puts the key's sessions that end at or after `earliestEnd` and start at or before `latestStart` into `found`, by (end, start). */
  find(keyId: number, earliestEnd: number, latestStart: number, found: SessionEntry[]): void {
    found.length = 0
    const sessions = this.#sessions[keyId] ?? this.#load(keyId)
    const liveFrom = this.#liveFrom
    while (sessions.length > 0 && (sessions[0] as SessionEntry).end < liveFrom) {
      sessions.shift()
      this.#entryCount--
    }
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[i] as SessionEntry
      if (session.end >= earliestEnd && session.start <= latestStart) found.push(session)
    }
  }

  /**
   * Adds a session; undefined or null is no session. There is none yet with the same key, start and end. One that ends later
   * than all before it lets the oldest ones expire; false where the session is expired itself, and not kept.
   */
  put(keyId: number, start: number, end: number, value: unknown, timestamp: number = end): boolean {
    if (end > this.#latestEnd) this.observe(end)
    if (end < this.#liveFrom) return false
    if (value === undefined || value === null) return true
    const entry = this.#layer.takeSpare() ?? new SessionEntry(keyId, start, end)
    entry.keyId = keyId
    entry.start = start
    entry.end = end
    this.#layer.update(entry, value, timestamp)
    const sessions = this.#sessions[keyId] ?? this.#load(keyId)
    let at = sessions.length
    while (at > 0 && comesAfter(sessions[at - 1] as SessionEntry, entry)) at--
    sessions.splice(at, 0, entry)
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
    const segment = Math.floor(Math.max(earliestEnd, this.#liveFrom) / this.#segmentMs)
    return this.#layer.rows(timeKey(segment), afterRows)
  }

  /** Removes a session that `find` gave; the object may be used again by the next `put`. */
  remove(session: SessionEntry): void {
    const sessions = this.#sessions[session.keyId] as SessionEntry[]
    sessions.splice(sessions.indexOf(session), 1)
    this.#held?.delete(session)
    this.#entryCount--
    this.#layer.remove(session)
  }

  /** Sets the value of a session that keeps its bounds; undefined or null removes it. */
  update(session: SessionEntry, value: unknown, timestamp: number = session.end): void {
    if (value === undefined || value === null) this.remove(session)
    else this.#layer.update(session, value, timestamp)
  }

  /** Holds the sessions that end at the time or later, and those to come. Called once, when the store is ready. */
  holdFrom(end: number): void {
    const held = this.#held as EntriesByEnd<SessionEntry>
    for (const { key } of [...this.#engine.range(undefined, afterRows)]) {
      const keyId = this.keys.idOfBytes(key, 12, key.length - 16)
      if (this.#sessions[keyId] === undefined) this.#load(keyId)
    }
    for (const session of this.#sessions.flat()) if (session !== undefined && session.end >= end) held.add(session)
    this.#isHeldKnown = true
    this.#expire()
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
    const firstLive = Math.floor(end / this.#segmentMs)
    if (firstLive > Math.floor(this.#liveFrom / this.#segmentMs)) {
      let isDropped = false
      for (const segment of this.#segments) if (segment < firstLive) isDropped = this.#segments.delete(segment)
      if (isDropped) this.#layer.expireRange(timeKey(0), timeKey(firstLive))
    }
    this.#liveFrom = end
  }

  flush(changelog: ChangelogSink): void {
    for (const entry of this.#layer.dirty) {
      if (entry.value !== undefined && entry.end >= this.#liveFrom) {
        this.#segments.add(Math.floor(entry.end / this.#segmentMs))
      }
    }
    this.#layer.flush(changelog)
  }

  commit(changelogPosition: number): void {
    this.#layer.commit(changelogPosition)
    if (this.#entryCount > this.#hotEntries || this.keys.size > this.#hotEntries) this.#forgetClean()
  }

  position(): number {
    return this.#layer.position()
  }

  restore(record: ChangelogRecord): void {
    this.#layer.restore(record)
  }

  committed(key: Buffer): ChangelogValue | undefined {
    return this.#layer.committed(key)
  }

  ready(changelogPosition: number): void {
    this.#layer.ready(changelogPosition)
    this.#segments = segmentsOf(this.#engine)
    if (this.#segments.size > 0) this.#latestEnd = Math.max(this.#latestEnd, this.#lastEnd(Math.max(...this.#segments)))
    this.observe(this.#latestEnd)
  }

  close(): void {
    this.#engine.close()
  }

  /** A session was put that ends later than all before it. */
  protected observe(end: number): void {
    this.#latestEnd = end
    this.#expire()
  }

  #expire(): void {
    // The last millisecond matters where sessions are held: a record may come that makes a session which ends there.
    const firstLive = this.#held === undefined ? 1 : 0
    this.expireBefore(this.#latestEnd - this.retentionMs + firstLive)
  }

  /** The greatest end of a session in the segment. */
  #lastEnd(segment: number): number {
    let end = 0
    for (const { key } of this.#engine.range(timeKey(segment), timeKey(segment + 1))) {
      end = Math.max(end, readInt64(key, key.length - 16))
    }
    return end
  }

  #load(keyId: number): SessionEntry[] {
    const sessions: SessionEntry[] = []
    for (const segment of [...this.#segments].sort((a, b) => a - b)) {
      const from = this.#keyRange(segment, keyId)
      for (const { key, value } of this.#engine.range(from, Buffer.concat([from, afterRows]))) {
        const session = new SessionEntry(keyId, readInt64(key, key.length - 8), readInt64(key, key.length - 16))
        this.#layer.decodeRow(value, session)
        sessions.push(session)
      }
    }
    while (this.#sessions.length <= keyId) this.#sessions.push(undefined)
    this.#sessions[keyId] = sessions
    this.#entryCount += sessions.length
    return sessions
  }

  #keyRange(segment: number, keyId: number): Buffer {
    const out = this.#rangeKey
    out.clear()
    out.writeInt64(segment)
    out.writeInt32(this.keys.endOf(keyId) - this.keys.startOf(keyId))
    this.keys.write(keyId, out)
    return out.toBuffer()
  }

  #writeEngineKey(changelogKey: Buffer, out: ByteWriter): void {
    const bounds = this.#bounds
    const keyEnd = endsInNumbers(this.name, changelogKey, bounds.byteLength)
    const end = bounds.readEnd(changelogKey, keyEnd)
    out.writeInt64(Math.floor(end / this.#segmentMs))
    out.writeInt32(keyEnd)
    out.writeRange(changelogKey, 0, keyEnd)
    out.writeInt64(end)
    out.writeInt64(bounds.readStart(changelogKey, keyEnd))
  }

  #requireSegmentLength(): void {
    const length = timeKey(this.#segmentMs)
    if (this.#engine.get(segmentKey)?.equals(length) === true) return
    this.#engine.clear()
    this.#engine.write({ operations: [{ kind: 'put', key: segmentKey, value: length }], position: 0 })
  }

  /** Keeps the whole lists of the keys that have changes, also of removed sessions: the engine still has those. */
  #forgetClean(): void {
    const changed = this.#held === undefined ? this.#layer.dirty : [...this.#layer.dirty, ...this.#held.all()]
    const lists = changed.map((entry) => this.#sessions[entry.keyId] as SessionEntry[])
    const sessions = [...new Set(lists)].flat()
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

/** The segments that have rows, found by leaping from one to the next. */
function segmentsOf(engine: StoreEngine): Set<number> {
  const segments = new Set<number>()
  for (let next: number | undefined = 0; next !== undefined; ) {
    let found: number | undefined
    for (const { key } of engine.range(timeKey(next), afterRows)) {
      found = readInt64(key, 0)
      segments.add(found)
      break
    }
    next = found === undefined ? undefined : found + 1
  }
  return segments
}

function comesAfter(left: SessionEntry, right: SessionEntry): boolean {
  return left.end > right.end || (left.end === right.end && left.start > right.start)
}
