import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'
import type { HotEntry, KeyLayout } from './changelog-layer.ts'
import { LayeredStore } from './layered-store.ts'
import type { ChangelogSink } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import type { RecordKey } from './store-keys.ts'
import { endsInNumbers } from './store-layout.ts'
import { type RecordValue, StoredValue, storedValueSerde } from './stored-value.ts'
import { afterRows, TimeSegments } from './time-segments.ts'

export interface JoinStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** How long records are kept, in event time. */
  readonly retentionMs: number
  /** How many keys or records are kept in memory beyond a commit. Default: 1,000,000. */
  readonly hotEntries?: number
}

/** Makes buffers of a stream's records, for a join: Kafka Streams' WindowStore that retains duplicates. */
export function joinStore<K, V>(options: JoinStoreOptions<K, V>): (engine: StoreEngine) => JoinStore {
  return (engine) => new JoinStore(options, engine)
}

/** One record. Its value is a StoredValue. */
export class JoinEntry implements HotEntry {
  keyId: number
  timestamp: number
  /** Tells records of the same key and time apart: 1 for the first. */
  sequence: number
  value: unknown = undefined
  dirty = false
  logged = false

  constructor(keyId: number, timestamp: number, sequence: number) {
    this.keyId = keyId
    this.timestamp = timestamp
    this.sequence = sequence
  }
}

/** The records of one key, by time and then as they came, from `head` on: those before have expired. */
export class JoinRows {
  entries: JoinEntry[] = []
  /** The entries' times, side by side: most of what a look-up reads. */
  times: number[] = []
  head = 0

  /** The index of the first record at or after the time. */
  indexAt(time: number): number {
    const times = this.times
    let from = this.head
    let to = times.length
    // Of most keys all that is left is earlier.
    if (to > from && times[to - 1] < time) return to
    while (from < to) {
      const middle = (from + to) >>> 1
      if (times[middle] < time) from = middle + 1
      else to = middle
    }
    return from
  }

  /** The index behind the last record at or before the time: nearly always the end. */
  indexAfter(time: number): number {
    let at = this.times.length
    while (at > this.head && this.times[at - 1] > time) at--
    return at
  }

  insert(at: number, entry: JoinEntry): void {
    if (at === this.entries.length) {
      this.entries.push(entry)
      this.times.push(entry.timestamp)
    } else {
      this.entries.splice(at, 0, entry)
      this.times.splice(at, 0, entry.timestamp)
    }
  }

  /** Forgets what lies before `head`. */
  dropHead(): void {
    this.entries = this.entries.slice(this.head)
    this.times = this.times.slice(this.head)
    this.head = 0
  }
}

/**
 * All records of each key, also those of the same time, until event time has passed them.
 *
 * Engine: `segment8 ‖ keyLength4 ‖ key ‖ time8 ‖ sequence4` (see TimeSegments). Changelog: Kafka's
 * `key ‖ time8 ‖ sequence4`; the sequence counts within key and time, so that it goes on after a restart. Memory is
 * bounded at each commit: expired records are let go, and beyond `hotEntries` all but uncommitted ones are forgotten and read again from the engine
 * when they are needed.
 */
export class JoinStore extends LayeredStore<JoinEntry> {
  readonly retentionMs: number
  readonly #value: Serde<unknown>
  readonly #segments: TimeSegments
  /** By key id: undefined where the engine has not been asked for them. */
  #rows: (JoinRows | undefined)[] = []
  #entryCount = 0
  /** Records before this time are gone. */
  #liveFrom = 0
  #sweptAt = 0
  #latest = 0
  /** Records up to this time may be in the engine alone; -1 where all live ones are in memory. */
  #forgottenUntil = -1

  constructor(options: JoinStoreOptions<unknown, unknown>, engine: StoreEngine) {
    const layout: KeyLayout<JoinEntry> = {
      writeChangelogKey: (entry, out) => {
        this.keys.write(entry.keyId, out)
        out.writeInt64(entry.timestamp)
        out.writeInt32(entry.sequence)
      },
      writeEngineKey: (changelogKey, out) => this.#writeEngineKey(changelogKey, out),
      isLive: (entry) => entry.timestamp >= this.#liveFrom,
    }
    super({ ...options, value: storedValueSerde(options.value), layout }, engine)
    this.retentionMs = options.retentionMs
    this.#value = options.value
    this.#segments = new TimeSegments(options.retentionMs, engine)
  }

  /** From this time on records are there. */
  get liveFrom(): number {
    return this.#liveFrom
  }

  /** The records of the record's key; undefined where there are none. Valid until the next change. */
  rowsOf(record: RecordKey): JoinRows | undefined {
    if (this.#forgottenUntil < 0) {
      const known = this.keys.find(record)
      return known < 0 ? undefined : this.#rows[known]
    }
    const keyId = this.keys.idOf(record)
    return this.#rows[keyId] ?? this.#load(keyId)
  }

  /** Adds a record, which has a key and a value, unless event time has passed it. */
  put(record: RecordKey & RecordValue & { readonly timestamp: number }): void {
    const { timestamp } = record
    if (timestamp < this.#liveFrom) return
    if (timestamp > this.#latest) this.#latest = timestamp
    const keyId = this.keys.idOf(record)
    const rows = this.#rows[keyId] ?? this.#load(keyId)
    this.#prune(rows)
    const at = rows.indexAfter(timestamp)
    const follows = at > rows.head && rows.times[at - 1] === timestamp
    const entry = this.layer.takeSpare() ?? new JoinEntry(keyId, timestamp, 1)
    entry.keyId = keyId
    entry.timestamp = timestamp
    entry.sequence = follows ? rows.entries[at - 1].sequence + 1 : 1
    this.layer.update(entry, StoredValue.of(record, this.#value), timestamp)
    rows.insert(at, entry)
    this.#entryCount++
  }

  /** Drops the records before the time. */
  expireBefore(time: number): void {
    if (time <= this.#liveFrom) return
    this.#liveFrom = time
    const expired = this.#segments.expireBefore(time)
    if (expired !== undefined) this.layer.expireRange(...expired)
    if (this.#forgottenUntil < time) this.#forgottenUntil = -1
  }

  override flush(changelog: ChangelogSink): void {
    for (const { timestamp } of this.layer.dirty) if (timestamp >= this.#liveFrom) this.#segments.use(timestamp)
    super.flush(changelog)
  }

  protected override boundMemory(): void {
    if (this.#liveFrom - this.#sweptAt > this.retentionMs / 2) this.#sweep()
    super.boundMemory()
  }

  protected override get entryCount(): number {
    return this.#entryCount
  }

  /** Reads the records back into memory, as far as they may stay there. */
  override ready(changelogPosition: number): void {
    super.ready(changelogPosition)
    this.#segments.find()
    for (const { key, value } of this.engine.range(undefined, afterRows)) {
      const keyId = this.keys.idOfBytes(key, 12, key.length - 12)
      this.#append(this.#rows[keyId] ?? this.#open(keyId), this.#entryOf(keyId, key, value))
      if (this.#entryCount > this.hotEntries) {
        this.#forgetAll()
        return
      }
    }
  }

  #open(keyId: number): JoinRows {
    const rows = new JoinRows()
    while (this.#rows.length <= keyId) this.#rows.push(undefined)
    this.#rows[keyId] = rows
    return rows
  }

  #load(keyId: number): JoinRows {
    const rows = this.#open(keyId)
    if (this.#forgottenUntil < 0) return rows
    for (const segment of this.#segments.ascending()) {
      for (const { key, value } of this.engine.range(...this.#segments.rangeOf(segment, this.keys, keyId))) {
        this.#append(rows, this.#entryOf(keyId, key, value))
      }
    }
    return rows
  }

  /** Segments come one after the other, and within one the rows of a key by their time. */
  #append(rows: JoinRows, entry: JoinEntry): void {
    rows.insert(rows.entries.length, entry)
    this.#entryCount++
    if (entry.timestamp > this.#latest) this.#latest = entry.timestamp
  }

  #entryOf(keyId: number, key: Buffer, row: Buffer): JoinEntry {
    const entry = new JoinEntry(keyId, readInt64(key, key.length - 12), key.readInt32BE(key.length - 4))
    this.layer.decodeRow(row, entry)
    return entry
  }

  #prune(rows: JoinRows): void {
    const { entries, times } = rows
    const first = rows.head
    while (rows.head < times.length && times[rows.head] < this.#liveFrom) this.layer.letGo(entries[rows.head++])
    this.#entryCount -= rows.head - first
    if (rows.head >= 64 && rows.head * 2 >= entries.length) rows.dropHead()
  }

  #writeEngineKey(changelogKey: Buffer, out: ByteWriter): void {
    const keyEnd = endsInNumbers(this.name, changelogKey, 12)
    this.#segments.writeStart(readInt64(changelogKey, keyEnd), changelogKey, keyEnd, out)
    out.writeRange(changelogKey, keyEnd, changelogKey.length)
  }

  /** Lets go of expired records, and of keys that have none any more. */
  #sweep(): void {
    this.#sweptAt = this.#liveFrom
    const live: JoinRows[] = []
    for (const rows of this.#rows) {
      if (rows === undefined) continue
      this.#prune(rows)
      if (rows.head < rows.entries.length) live.push(rows)
    }
    if (this.keys.isMostlyIdle(live.length)) this.#keepOnly(live)
  }

  /** Keeps the whole lists of the keys that have changes. */
  protected override forgetClean(): void {
    const changed = new Set<JoinRows>()
    for (const entry of this.layer.dirty) {
      // What event time has passed may be of a key that was forgotten.
      const rows = entry.value === undefined ? undefined : this.#rows[entry.keyId]
      if (rows !== undefined) changed.add(rows)
    }
    this.#forgottenUntil = this.#latest
    this.#keepOnly([...changed].filter((rows) => rows.head < rows.entries.length))
    this.#entryCount = this.#rows.reduce(
      (sum, rows) => sum + (rows === undefined ? 0 : rows.entries.length - rows.head),
      0,
    )
  }

  #forgetAll(): void {
    this.#rows = []
    this.#entryCount = 0
    this.keys.keepOnly([])
    this.#forgottenUntil = this.#segments.end
  }

  #keepOnly(live: readonly JoinRows[]): void {
    const firsts = live.map((rows) => rows.entries[rows.head])
    this.keys.keepOnly(firsts)
    // Ids are given anew in the order of `live`, so that the array stays dense.
    this.#rows = [...live]
    for (const [i, rows] of live.entries()) {
      // Those that have expired may be in use under other keys.
      rows.dropHead()
      for (const entry of rows.entries) entry.keyId = firsts[i].keyId
    }
  }
}
