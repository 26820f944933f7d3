import { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import { assert, MillraceError, messageOf } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import { bytesOf, textOf } from './byte-text.ts'
import { scanEngine } from './engine-scan.ts'
import { OperationList } from './operation-list.ts'
import type { ChangelogRecord, ChangelogSink, ChangelogValue } from './state-store.ts'
import type { EngineEntry, EngineOperation, StoreEngine } from './store-engine.ts'
import { UncommittedRows } from './uncommitted-rows.ts'

/** An entry of a store's hot layer: a decoded value that operators update in place. */
export interface HotEntry {
  /** undefined where there is no row. */
  value: unknown
  /** Event time of the value. */
  timestamp: number
  /** Whether the entry waits for the next flush. */
  dirty: boolean
  /** Whether changelog and engine (or the batch on its way there) have a row for it. */
  logged: boolean
}

/** How a store arranges its rows: the only thing in which the kinds of stores differ towards changelog and engine. */
export interface KeyLayout<E extends HotEntry> {
  /** Appends the changelog's key of the entry: Kafka Streams' bytes. */
  writeChangelogKey(entry: E, out: ByteWriter): void
  /** Appends the engine's key for the changelog's key. Without it the engine has the changelog's keys. */
  writeEngineKey?(changelogKey: Buffer, out: ByteWriter): void
  /** False for entries that event time has passed: their values are not written any more. Without it all are live. */
  isLive?(entry: E): boolean
  /**
   * Logs what changed of the entry since the last flush, where that is not the row itself; the entry's key is at hand, and a
   * writer for values. Without it the row's value is logged.
   */
  logEntry?(entry: E, key: Buffer, scratch: ByteWriter, changelog: ChangelogSink): void
}

/** A row as operators see it now. */
export interface StoredRow {
  /** The engine's key. */
  readonly key: Buffer
  readonly value: unknown
  readonly timestamp: number
}

export interface ChangelogLayerOptions<E extends HotEntry> {
  readonly store: string
  readonly engine: StoreEngine
  readonly layout: KeyLayout<E>
  readonly value: Serde<unknown>
}

/** Restored records are written to the engine in batches of at most so many records and bytes. */
const restoreRecords = 1_000
const restoreBytes = 8 * 1024 * 1024
/** Bytes of the timestamp before each value in the engine. */
const timestampBytes = 8
/** Entries that are looked at together before they are written: few enough to stay in the nearest cache. */
const flushedAtOnce = 64

/**
 * What lies between a store's hot entries and its changelog and engine, the same for every kind of store: which entries
 * changed, the batch that was flushed but not committed, restoring, and what was committed. Engine rows are
 * `timestamp8 ‖ value`; the changelog has the plain value and the timestamp in its record.
 *
 * Invariant: the engine is written by `commit` and by restoring only, so it equals the changelog up to its position.
 */
export class ChangelogLayer<E extends HotEntry> {
  readonly #store: string
  readonly #engine: StoreEngine
  readonly #layout: KeyLayout<E>
  readonly #value: Serde<unknown>
  #dirty: E[] = []
  /** Whether any of them may be without a value. */
  #hasDeletions = false
  /** Entries that were flushed and not committed yet. */
  #flushed: E[] = []
  /** From the first range on: what of the store the engine does not have. */
  #uncommitted: UncommittedRows<E> | undefined = undefined
  #commits = 0
  readonly #spare: E[] = []
  /** Operations beside those of entries since the last flush: they may not be committed earlier than what is flushed with them. */
  readonly #beside: EngineOperation[] = []
  readonly #pending = new OperationList()
  readonly #restored = new OperationList()
  readonly #key = new ByteWriter(256)
  readonly #engineKey = new ByteWriter(256)
  readonly #row = new ByteWriter(1024)

  constructor(options: ChangelogLayerOptions<E>) {
    this.#store = options.store
    this.#engine = options.engine
    this.#layout = options.layout
    this.#value = options.value
  }

  /** Entries that changed since the last flush. */
  get dirty(): readonly E[] {
    return this.#dirty
  }

  /** Sets the entry's value; undefined or null deletes. */
  update(entry: E, value: unknown, timestamp: number): void {
    entry.value = value === null ? undefined : value
    if (entry.value === undefined) this.#hasDeletions = true
    entry.timestamp = timestamp
    if (entry.dirty) return
    entry.dirty = true
    this.#dirty.push(entry)
    if (this.#uncommitted !== undefined) this.#order(entry, this.#uncommitted)
  }

  /** Deletes the entry for good: the store forgets it, and may get the object again from `takeSpare`. */
  remove(entry: E): void {
    if (entry.logged || !entry.dirty) this.update(entry, undefined, entry.timestamp)
    else {
      entry.value = undefined
      this.#hasDeletions = true
      // An entry that is ordered by its key may not change it.
      if (this.#uncommitted === undefined) this.#spare.push(entry)
    }
  }

  /**
   * Event time has passed the entry, and the store has let go of it. Where it was added since the last flush, nothing will be written of it, and it
   * may be used again: so what comes and goes between two commits is not as many objects.
   */
  letGo(entry: E): void {
    if (entry.logged || !entry.dirty || this.#uncommitted !== undefined) return
    entry.value = undefined
    this.#spare.push(entry)
  }

  /** An entry that was added and removed since the last flush, to be used again under another key; it is dirty already. */
  takeSpare(): E | undefined {
    return this.#spare.pop()
  }

  /** Deletes the engine's keys with `from <= key < to` at the commit of the next flush; the changelog's retention does it there. */
  expireRange(from: Buffer, to: Buffer): void {
    this.#beside.push({ kind: 'delete-range', from, to })
  }

  /** Has the engine apply an operation that belongs to no entry at the commit of the next flush. */
  writeWithNextFlush(operation: EngineOperation): void {
    this.#beside.push(operation)
  }

  /** Loads the entry's committed value from the engine; false where there is none. */
  load(entry: E): boolean {
    const row = this.#engine.get(this.#engineKeyOf(this.#changelogKeyOf(entry)))
    if (row === undefined) return false
    this.decodeRow(row, entry)
    return true
  }

  /** Sets the entry to what an engine row holds. */
  decodeRow(row: Buffer, entry: E): void {
    entry.value = this.#decode(row)
    entry.timestamp = readInt64(row, 0)
    entry.logged = true
  }

  /**
   * The rows with `from <= key < to` in the order of the engine's keys. These are the keys that there are at the call,
   * without those that are deleted before the iteration comes to them, and each with its value at that moment.
   * @throws MillraceError CLOSED where the iteration is kept beyond a commit
   */
  rows(from: Buffer | undefined, to: Buffer | undefined, isReverse = false): Generator<StoredRow, undefined> {
    const uncommitted = this.#uncommitted ?? this.#orderUncommitted()
    const low = from === undefined ? '' : textOf(from)
    const hot = uncommitted.range(low, to === undefined ? undefined : textOf(to), isReverse)
    return this.#merged(hot, scanEngine(this.#engine, from, to, isReverse), uncommitted, isReverse)
  }

  /** About how many rows there are: what is flushed and not committed yet may be counted twice. */
  approximateSize(): number {
    let size = this.#engine.size()
    for (const entry of this.#dirty) {
      if (entry.value === undefined) size -= entry.logged ? 1 : 0
      else if (!entry.logged) size++
    }
    for (const entry of this.#flushed) if (entry.value !== undefined && !entry.dirty) size++
    return Math.max(0, size)
  }

  /**
   * Deletions go first: an entry that was removed and one that was added since may be of the same key, in either order.
   */
  flush(changelog: ChangelogSink): void {
    const dirty = this.#dirty
    for (let i = 0; this.#hasDeletions && i < dirty.length; i++) {
      const entry = dirty[i] as E
      if (entry.value === undefined) this.#flushDeletion(entry, changelog)
    }
    this.#hasDeletions = false
    for (let from = 0; from < dirty.length; from += flushedAtOnce) {
      this.#flushValues(from, Math.min(from + flushedAtOnce, dirty.length), changelog)
    }
    this.#takeFlushed(dirty)
    this.#spare.length = 0
    for (const operation of this.#beside) this.#pending.add(operation)
    this.#beside.length = 0
  }

  /** The engine's key of the entry, lent until the next call. */
  keyOf(entry: E): Buffer {
    return this.#engineKeyOf(this.#changelogKeyOf(entry))
  }

  /** How many bytes the value of a row takes, without its timestamp. */
  bytesOf(value: unknown): number {
    this.#row.clear()
    this.#write(value, this.#value, this.#row)
    return this.#row.length
  }

  /** The bytes of a value, the caller's own. */
  encode(value: unknown, serde: Serde<unknown>): Buffer {
    this.#row.clear()
    this.#write(value, serde, this.#row)
    return this.#row.toBuffer()
  }

  /** Writes all that was flushed to the engine. */
  commit(changelogPosition: number): void {
    this.#flushed = []
    if (this.#uncommitted !== undefined) this.#orderUncommitted()
    this.#commits++
    if (this.#pending.length === 0 && changelogPosition === this.#engine.position()) return
    this.#engine.write({ operations: this.#pending, position: changelogPosition })
    this.#pending.clear()
  }

  position(): number {
    return this.#engine.position()
  }

  /** The batches on the way keep the old position: a crash between them restores from there again, to the same result. */
  restore(record: ChangelogRecord): void {
    const restored = this.#restored
    const keyEnd = this.#beginOperation(restored, record.key, record.key.length)
    if (record.value === null) restored.complete('delete', keyEnd)
    else {
      restored.out.writeInt64(record.timestamp)
      restored.out.writeBytes(record.value)
      restored.complete('put', keyEnd)
    }
    if (restored.length >= restoreRecords || restored.out.length >= restoreBytes) this.#writeRestored()
  }

  committed(key: Buffer): ChangelogValue | undefined {
    if (this.#restored.length > 0) this.#writeRestored()
    const row = this.#engine.get(this.#engineKeyOf(key))
    if (row === undefined) return undefined
    return { value: Buffer.from(row.subarray(timestampBytes)), timestamp: readInt64(row, 0) }
  }

  ready(changelogPosition: number): void {
    if (this.#restored.length > 0 || changelogPosition !== this.#engine.position()) {
      this.#writeRestored(changelogPosition)
    }
  }

  *#merged(
    hot: Iterator<[string, E]>,
    committed: Iterable<EngineEntry>,
    uncommitted: UncommittedRows<E>,
    isReverse: boolean,
  ): Generator<StoredRow, undefined> {
    const commits = this.#commits
    const changes = uncommitted.changes
    const isPast = (key: string | undefined, end: string): boolean =>
      key === undefined || (isReverse ? key <= end : key >= end)
    let next = hot.next()
    for (const row of committed) {
      const key = textOf(row.key)
      for (; !isPast(keyOf(next), key); next = hot.next()) {
        yield* this.#present(next.value[0], uncommitted)
        this.#requireSameCommit(commits)
      }
      const isHot = keyOf(next) === key
      if (isHot) next = hot.next()
      if (isHot || (uncommitted.changes !== changes && uncommitted.get(key) !== undefined)) {
        yield* this.#present(key, uncommitted)
      } else yield { key: row.key, value: this.#decode(row.value), timestamp: readInt64(row.value, 0) }
      this.#requireSameCommit(commits)
    }
    for (; next.done !== true; next = hot.next()) {
      yield* this.#present(next.value[0], uncommitted)
      this.#requireSameCommit(commits)
    }
    return undefined
  }

  /** The uncommitted row of the key, if it is not a deletion. */
  *#present(key: string, uncommitted: UncommittedRows<E>): Generator<StoredRow> {
    const entry = uncommitted.get(key)
    if (entry?.value !== undefined) yield { key: bytesOf(key), value: entry.value, timestamp: entry.timestamp }
  }

  #requireSameCommit(commits: number): void {
    if (commits === this.#commits) return
    throw new MillraceError('CLOSED', 'The iteration over the store was kept beyond a commit', {
      at: { store: this.#store },
      remedy: 'Use it up in the call that began it, or copy what is needed into an array.',
    })
  }

  /** Makes the order of all entries that the engine does not have. */
  #orderUncommitted(): UncommittedRows<E> {
    const uncommitted = this.#uncommitted ?? new UncommittedRows<E>()
    this.#uncommitted = uncommitted
    uncommitted.clear()
    for (const entry of this.#flushed) this.#order(entry, uncommitted)
    for (const entry of this.#dirty) this.#order(entry, uncommitted)
    // Those may be among the dirty ones: from here on they stay what they are.
    this.#spare.length = 0
    return uncommitted
  }

  #order(entry: E, uncommitted: UncommittedRows<E>): void {
    const key = textOf(this.#engineKeyOf(this.#changelogKeyOf(entry)))
    // Of two entries of one key the one without a value is the older one, which was removed.
    const other = uncommitted.get(key)
    if (other === undefined || other.value === undefined || entry.value !== undefined) uncommitted.set(key, entry)
  }

  #writeRestored(position: number = this.#engine.position()): void {
    this.#engine.write({ operations: this.#restored, position })
    this.#restored.clear()
  }

  #flushDeletion(entry: E, changelog: ChangelogSink): void {
    if (!entry.logged && this.#layout.logEntry === undefined) return
    // Also where event time has passed the entry: a restart may find it in the changelog, and not know that.
    const key = this.#writeChangelogKey(entry)
    if (this.#layout.logEntry === undefined) changelog.append(key.buffer, 0, key.length, null, 0, 0, entry.timestamp)
    else this.#logEntry(entry, this.#written(key), changelog)
    if (entry.logged) {
      this.#pending.complete('delete', this.#beginOperation(this.#pending, key.buffer, key.length))
    }
    entry.logged = false
  }

  /**
   * Looks at all of the entries first: what has to come from memory then comes at once, and not one after the other. That they
   * are dirty is checked only so that this is not left out.
   */
  #flushValues(from: number, to: number, changelog: ChangelogSink): void {
    const dirty = this.#dirty
    let count = from
    for (let i = from; i < to; i++) if ((dirty[i] as E).dirty) count++
    assert(count === to, 'every entry that waits is dirty')
    for (let i = from; i < to; i++) {
      const entry = dirty[i] as E
      if (entry.value !== undefined) this.#flushValue(entry, changelog)
      entry.dirty = false
    }
  }

  /** The entries wait for the commit: as the array that they are in, unless others wait already. */
  #takeFlushed(entries: E[]): void {
    if (this.#flushed.length > 0) for (const entry of entries) this.#flushed.push(entry)
    else this.#flushed = entries
    this.#dirty = []
  }

  #flushValue(entry: E, changelog: ChangelogSink): void {
    if (this.#layout.isLive?.(entry) === false) return
    entry.logged = true
    const { timestamp } = entry
    if (this.#layout.logEntry === undefined && this.#layout.writeEngineKey === undefined) {
      this.#flushPlainValue(entry, timestamp, changelog)
      return
    }
    const key = this.#writeChangelogKey(entry)
    if (this.#layout.logEntry !== undefined) this.#logEntry(entry, this.#written(key), changelog)
    const pending = this.#pending
    const keyEnd = this.#beginOperation(pending, key.buffer, key.length)
    this.#completePut(entry, timestamp, keyEnd)
    if (this.#layout.logEntry !== undefined) return
    const { buffer, length } = pending.out
    changelog.append(key.buffer, 0, key.length, buffer, keyEnd + timestampBytes, length, timestamp)
  }

  /** The changelog has the engine's key: it is written once. */
  #flushPlainValue(entry: E, timestamp: number, changelog: ChangelogSink): void {
    const { out } = this.#pending
    const start = this.#pending.begin()
    this.#layout.writeChangelogKey(entry, out)
    const keyEnd = out.length
    this.#completePut(entry, timestamp, keyEnd)
    const { buffer, length } = out
    changelog.append(buffer, start, keyEnd, buffer, keyEnd + timestampBytes, length, timestamp)
  }

  #completePut(entry: E, timestamp: number, keyEnd: number): void {
    const { out } = this.#pending
    out.writeInt64(timestamp)
    this.#write(entry.value, this.#value, out)
    this.#pending.complete('put', keyEnd)
  }

  /** Begins an operation on the row of the changelog's key in `bytes[0..end)`; returns where its own key ends. */
  #beginOperation(operations: OperationList, bytes: Buffer, end: number): number {
    const { out } = operations
    operations.begin()
    if (this.#layout.writeEngineKey === undefined) out.writeRange(bytes, 0, end)
    else this.#layout.writeEngineKey(bytes.subarray(0, end), out)
    return out.length
  }

  #logEntry(entry: E, key: Buffer, changelog: ChangelogSink): void {
    try {
      this.#layout.logEntry?.(entry, key, this.#row, changelog)
    } catch (cause) {
      throw this.#serdeFailure('write', cause)
    }
  }

  #write(value: unknown, serde: Serde<unknown>, out: ByteWriter): void {
    try {
      serde.write(value, out)
    } catch (cause) {
      throw this.#serdeFailure('write', cause)
    }
  }

  #changelogKeyOf(entry: E): Buffer {
    return this.#written(this.#writeChangelogKey(entry))
  }

  #writeChangelogKey(entry: E): ByteWriter {
    this.#key.clear()
    this.#layout.writeChangelogKey(entry, this.#key)
    return this.#key
  }

  #decode(row: Buffer): unknown {
    try {
      return this.#value.read(row, timestampBytes, row.length)
    } catch (cause) {
      throw this.#serdeFailure('read', cause)
    }
  }

  #engineKeyOf(changelogKey: Buffer): Buffer {
    if (this.#layout.writeEngineKey === undefined) return changelogKey
    this.#engineKey.clear()
    this.#layout.writeEngineKey(changelogKey, this.#engineKey)
    return this.#written(this.#engineKey)
  }

  #written(writer: ByteWriter): Buffer {
    return writer.buffer.subarray(0, writer.length)
  }

  #serdeFailure(action: 'read' | 'write', cause: unknown): MillraceError {
    if (cause instanceof MillraceError) return cause
    const what = `The serde '${this.#value.name}' could not ${action} a value of the store: ${messageOf(cause)}`
    return new MillraceError('SERDE_FAILED', what, { at: { store: this.#store }, cause })
  }
}

function keyOf(next: IteratorResult<[string, unknown]>): string | undefined {
  return next.done === true ? undefined : next.value[0]
}
