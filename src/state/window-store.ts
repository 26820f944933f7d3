import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import { assert } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import type { HotEntry, KeyLayout, StoredRow } from './changelog-layer.ts'
import { EntryTable } from './entry-table.ts'
import { LayeredStore, windowRow } from './layered-store.ts'
import type { ChangelogSink } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import type { StoreKeys } from './store-keys.ts'
import { endsInNumbers, timeKey } from './store-layout.ts'

export interface WindowStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  readonly sizeMs: number
  /** A window is kept until another one starts so long after it: at least its size and its grace period. */
  readonly retentionMs: number
  /** Whether windows are kept, beyond their retention, until `release`. Default: false. */
  readonly isHeld?: boolean
  /** Whether keys end in a number of four bytes, which in the changelog stands behind the start. Default: false, it is 0. */
  readonly hasNumbers?: boolean
  /** How many keys or values are kept in memory beyond a commit. Default: 1,000,000. */
  readonly hotEntries?: number
}

/** Makes stores of one value for each key and window start: Kafka Streams' TimestampedWindowStore without duplicates. */
export function windowStore<K, V>(options: WindowStoreOptions<K, V>): (engine: StoreEngine) => WindowStore {
  return (engine) => new WindowStore(options, engine)
}

/** The value of one key in one window. Change it by `WindowStore.update` only. */
export class WindowEntry implements HotEntry {
  keyId: number
  readonly windowStart: number
  value: unknown = undefined
  timestamp = 0
  dirty = false
  logged = false

  constructor(keyId: number, windowStart: number) {
    this.keyId = keyId
    this.windowStart = windowStart
  }
}

/** The entries in memory of one window. */
class HotWindow {
  readonly start: number
  /** Whether all entries of the window are in memory, so that the engine need not be asked. */
  readonly complete: boolean
  readonly entries: EntryTable<WindowEntry>

  constructor(start: number, complete: boolean, expected: number) {
    this.entries = new EntryTable<WindowEntry>(expected)
    this.start = start
    this.complete = complete
  }
}

/**
 * A value for each key and window start, with a table of decoded values for each window that is in use. Windows that start
 * `retentionMs` or more before the latest one are dropped whole, as by Kafka Streams' InMemoryWindowStore.
 *
 * Engine: `start8 ‖ key`, so that a window is one range. Changelog: Kafka's `key ‖ start8 ‖ seq4`, where seq is 0.
 * Memory is bounded at each commit: beyond `hotEntries` all entries but those that changed since the flush are forgotten
 * and read again from the engine when they are needed.
 */
export class WindowStore extends LayeredStore<WindowEntry> {
  readonly sizeMs: number
  readonly retentionMs: number
  readonly #windows = new Map<number, HotWindow>()
  #last: HotWindow | undefined = undefined
  #entryCount = 0
  /** The starts of the windows in memory, ascending, from `#head` on: those before are gone. */
  #starts: number[] = []
  #head = 0
  /** The start of the latest window that was written to. */
  #latestStart = -1
  /** Windows that start before this time are gone. */
  #liveFrom = 0
  /** Windows from this start on are kept whatever their retention. */
  #heldFrom: number
  /** No window in the engine, or in a batch on its way there, starts before this time. */
  #oldestWritten = 0
  /** And none starts after this time. */
  #latestWritten: number = Number.POSITIVE_INFINITY

  constructor(options: WindowStoreOptions<unknown, unknown>, engine: StoreEngine) {
    const hasNumbers = options.hasNumbers === true
    const layout: KeyLayout<WindowEntry> = {
      writeChangelogKey: (entry, out) => writeChangelogKey(this.keys, entry, hasNumbers, out),
      writeEngineKey: (changelogKey, out) => writeEngineKey(options.name, changelogKey, hasNumbers, out),
      isLive: (entry) => entry.windowStart >= this.#liveFrom,
    }
    super({ ...options, layout, measure: windowRow }, engine)
    this.sizeMs = options.sizeMs
    this.retentionMs = options.retentionMs
    this.#heldFrom = options.isHeld === true ? 0 : Number.POSITIVE_INFINITY
  }

  override get hasWindows(): boolean {
    return true
  }

  /** The entry of the key in the window; its value is undefined where there is none yet. */
  entry(windowStart: number, keyId: number): WindowEntry {
    const last = this.#last
    const window = last !== undefined && last.start === windowStart ? last : this.#windowAt(windowStart)
    return window.entries.get(keyId) ?? this.#addEntry(window, keyId)
  }

  /** The entry of the key in a window that may be gone, and then is undefined; its value is undefined where there is none. */
  find(windowStart: number, keyId: number): WindowEntry | undefined {
    return windowStart < this.#liveFrom ? undefined : this.entry(windowStart, keyId)
  }

  /** Sets the entry's value; undefined or null deletes. A window later than all before it lets the oldest ones expire. */
  update(entry: WindowEntry, value: unknown, timestamp: number): void {
    if (entry.windowStart > this.#latestStart) this.#observe(entry.windowStart)
    this.layer.update(entry, value, timestamp)
  }

  /** Sets the value of a key in a window; false where the window is expired, and nothing is kept. */
  put(windowStart: number, keyId: number, value: unknown, timestamp: number): boolean {
    if (windowStart > this.#latestStart) this.#observe(windowStart)
    if (windowStart < this.#liveFrom) return false
    this.update(this.entry(windowStart, keyId), value, timestamp)
    return true
  }

  /** Windows that start before this time are expired. */
  get liveFrom(): number {
    return this.#liveFrom
  }

  /** The rows with `from <= engine key < to`, where the engine's keys are `start8 ‖ key`; see ChangelogLayer. */
  rows(from: Buffer, to: Buffer | undefined, isReverse: boolean): Generator<StoredRow, undefined> {
    return this.layer.rows(from, to, isReverse)
  }

  /** The value of a key in a window, as operators see it now. */
  get(key: unknown, windowStart: number): { readonly value: unknown; readonly timestamp: number } | undefined {
    if (windowStart < this.#liveFrom) return undefined
    const entry = this.entry(windowStart, this.keys.idOfKey(key))
    return entry.value === undefined ? undefined : { value: entry.value, timestamp: entry.timestamp }
  }

  /** Puts the values of all windows with `from <= start <= to` into `found`, by (start, key bytes). */
  collect(from: number, to: number, found: WindowEntry[]): void {
    found.length = 0
    for (const start of this.#startsBetween(Math.max(from, this.#liveFrom), to)) this.#collectWindow(start, found)
  }

  /** Windows that start before the time need not be held any longer. */
  release(windowStart: number): void {
    this.#heldFrom = windowStart
    this.#expire()
  }

  /** Drops the windows that start before the time, but for those that are held. */
  expireBefore(time: number): void {
    const windowStart = Math.min(time, this.#heldFrom)
    if (windowStart <= this.#liveFrom) return
    this.#liveFrom = windowStart
    if (this.#head < this.#starts.length && (this.#starts[this.#head] as number) < windowStart) this.#dropExpired()
  }

  override flush(changelog: ChangelogSink): void {
    for (const { windowStart } of this.layer.dirty) {
      if (windowStart < this.#oldestWritten) this.#oldestWritten = windowStart
      if (windowStart > this.#latestWritten) this.#latestWritten = windowStart
    }
    if (this.#oldestWritten < this.#liveFrom) {
      this.layer.expireRange(timeKey(0), timeKey(this.#liveFrom))
      this.#oldestWritten = this.#liveFrom
    }
    super.flush(changelog)
  }

  override ready(changelogPosition: number): void {
    super.ready(changelogPosition)
    this.#oldestWritten = firstStart(this.engine, 0, undefined) ?? Number.MAX_SAFE_INTEGER
    this.#latestWritten = -1
    for (const { key } of this.engine.range(undefined, undefined, { reverse: true })) {
      this.#latestWritten = readInt64(key, 0)
      break
    }
    this.#latestStart = Math.max(this.#latestStart, this.#latestWritten)
    this.#observe(this.#latestStart)
  }

  /** A window that starts then was there, also where nothing is in it any more: windows expire by that. */
  observeStart(windowStart: number): void {
    if (windowStart > this.#latestStart) this.#observe(windowStart)
  }

  #observe(windowStart: number): void {
    this.#latestStart = windowStart
    this.#expire()
  }

  #expire(): void {
    this.expireBefore(this.#latestStart - this.retentionMs + 1)
  }

  #windowAt(windowStart: number): HotWindow {
    assert(windowStart >= this.#liveFrom, 'operators ask for windows that are kept only')
    let window = this.#windows.get(windowStart)
    if (window === undefined) {
      const isNew = windowStart > this.#latestWritten
      const complete = isNew || firstStart(this.engine, windowStart, windowStart + 1) === undefined
      window = new HotWindow(windowStart, complete, this.#last?.entries.size ?? 0)
      this.#windows.set(windowStart, window)
      this.#insertStart(windowStart)
    }
    this.#last = window
    return window
  }

  /** The starts of windows in memory or in the engine, ascending. */
  #startsBetween(from: number, to: number): number[] {
    const starts = new Set<number>()
    for (let i = this.#head; i < this.#starts.length; i++) {
      const start = this.#starts[i] as number
      if (start > to) break
      if (start >= from) starts.add(start)
    }
    for (let next: number | undefined = from; next !== undefined && next <= to; ) {
      const start: number | undefined = firstStart(this.engine, next, to + 1)
      if (start !== undefined) starts.add(start)
      next = start === undefined ? undefined : start + 1
    }
    return [...starts].sort((left, right) => left - right)
  }

  #collectWindow(start: number, found: WindowEntry[]): void {
    const window = this.#windowAt(start)
    if (!window.complete) {
      for (const { key } of [...this.engine.range(timeKey(start), timeKey(start + 1))]) {
        this.entry(start, this.keys.idOfBytes(key, 8, key.length))
      }
    }
    const first = found.length
    window.entries.collect(found)
    const entries = found.splice(first).filter((entry) => entry.value !== undefined)
    entries.sort((left, right) => this.keys.compare(left.keyId, right.keyId))
    for (const entry of entries) found.push(entry)
  }

  #addEntry(window: HotWindow, keyId: number): WindowEntry {
    const entry = new WindowEntry(keyId, window.start)
    if (!window.complete) this.layer.load(entry)
    window.entries.add(entry)
    this.#entryCount++
    return entry
  }

  #insertStart(windowStart: number): void {
    const starts = this.#starts
    let from = this.#head
    let to = starts.length
    // Nearly always it belongs at the end.
    if (to > from && (starts[to - 1] as number) < windowStart) from = to
    while (from < to) {
      const middle = (from + to) >> 1
      if ((starts[middle] as number) < windowStart) from = middle + 1
      else to = middle
    }
    starts.splice(from, 0, windowStart)
  }

  #dropExpired(): void {
    const starts = this.#starts
    for (; this.#head < starts.length && (starts[this.#head] as number) < this.#liveFrom; this.#head++) {
      const start = starts[this.#head] as number
      this.#entryCount -= this.#windows.get(start)?.entries.size ?? 0
      this.#windows.delete(start)
      if (this.#last?.start === start) this.#last = undefined
    }
    if (this.#head < 1_024 || this.#head * 2 < starts.length) return
    this.#starts = starts.slice(this.#head)
    this.#head = 0
  }

  protected override get entryCount(): number {
    return this.#entryCount
  }

  protected override forgetClean(): void {
    const { dirty } = this.layer
    this.keys.keepOnly(dirty)
    const kept = dirty.filter((entry) => entry.windowStart >= this.#liveFrom)
    this.#windows.clear()
    this.#starts = []
    this.#head = 0
    this.#last = undefined
    this.#entryCount = kept.length
    for (const entry of kept) this.#windowAt(entry.windowStart).entries.add(entry)
  }
}

/** The start of the first window in the engine with `from <= start < to`. */
function firstStart(engine: StoreEngine, from: number, to: number | undefined): number | undefined {
  for (const { key } of engine.range(timeKey(from), to === undefined ? undefined : timeKey(to))) {
    return readInt64(key, 0)
  }
  return undefined
}

function writeChangelogKey(keys: StoreKeys, entry: WindowEntry, hasNumbers: boolean, out: ByteWriter): void {
  keys.write(entry.keyId, out)
  out.writeInt64(entry.windowStart)
  if (!hasNumbers) {
    out.writeInt32(0)
    return
  }
  // The start goes in front of the number that the key ends in.
  const numberAt = out.length - 12
  const number = out.buffer.readInt32BE(numberAt)
  out.buffer.copyWithin(numberAt, numberAt + 4, out.length)
  out.buffer.writeInt32BE(number, out.length - 4)
}

function writeEngineKey(store: string, changelogKey: Buffer, hasNumbers: boolean, out: ByteWriter): void {
  const keyEnd = endsInNumbers(store, changelogKey, 12)
  out.writeRange(changelogKey, keyEnd, keyEnd + 8)
  out.writeRange(changelogKey, 0, keyEnd)
  if (hasNumbers) out.writeRange(changelogKey, keyEnd + 8, keyEnd + 12)
}
