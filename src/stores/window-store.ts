import { requireFormat } from '../arguments.ts'
import { readInt64 } from '../bytes/int64.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import { declareLogging, windowedChangelog } from '../state/changelog-config.ts'
import type { StoredRow } from '../state/changelog-layer.ts'
import { encodedKey, justAfter } from '../state/key-bounds.ts'
import { timeKey } from '../state/store-layout.ts'
import { WindowStore as WindowEntries, windowStore as windowEntries } from '../state/window-store.ts'
import type { Windowed } from '../windowed.ts'
import { NumberedKey, numberBytes, numberedKeySerde } from './numbered-key.ts'
import { openedAs, requireKey, requireTime } from './opened-store.ts'
import type { WindowResultStore } from './result-store.ts'
import {
  entryOptions,
  type StoreIterator,
  type StoreWriter,
  type TypedStore,
  type TypedStoreOptions,
} from './typed-store.ts'
import { plainForm, timestampedForm, type ValueAndTimestamp, type ValueForm } from './value-form.ts'

export interface WindowStoreOptions<K, V> extends TypedStoreOptions<K, V> {
  /** The length of the windows. */
  readonly size: Duration
  /** A window is kept until another one starts so long after it, in event time: at least its size. */
  readonly retention: Duration
}

export interface PlainWindowStoreOptions<K, V> extends WindowStoreOptions<K, V> {
  /**
   * Whether all values that are put for a key and window are kept, in their order, and none can be deleted; `fetch` of one window
   * then gives the last. Default: false, a value replaces the one before.
   */
  readonly retainDuplicates?: boolean
}

/** Which windows, by their starts in milliseconds since 1970. */
export interface WindowRange {
  /** The earliest start, included. Default: that of the oldest window. Windows that are expired are left out. */
  readonly from?: number
  /** The latest start, included. Default: no bound. */
  readonly to?: number
  /** From the latest window back. Default: false. */
  readonly reverse?: boolean
}

/** Which windows of which keys, by the order of the keys' bytes. */
export interface WindowKeyRange<K> extends WindowRange {
  /** The least key, included. Default: no bound. */
  readonly keyFrom?: K
  /** The greatest key, included. Default: no bound. */
  readonly keyTo?: K
}

/** Reads a value for each key and window. Objects are the store's own: they are not to be changed. After Kafka Streams' ReadOnlyWindowStore. */
export interface ReadOnlyWindowStore<in out K, out V> {
  /** The value of a key in the window that starts then; undefined where there is none, or the window is expired. */
  fetch(key: K, windowStart: number): V | undefined
  /** The windows of a key, each by its start. */
  fetch(key: K, range: WindowRange): StoreIterator<[windowStart: number, value: V]>
  /** The windows of all keys, or of a range of keys, by their starts and then by the keys' bytes. */
  fetchAll(range: WindowKeyRange<K>): StoreIterator<[key: Windowed<K>, value: V]>
  all(options?: { readonly reverse?: boolean }): StoreIterator<[key: Windowed<K>, value: V]>
}

/** Reads and writes a value for each key and window. After Kafka Streams' WindowStore. */
export interface WindowStore<in out K, in out V> extends ReadOnlyWindowStore<K, V> {
  /** null deletes. Into a window that is expired nothing is put, and that is counted. */
  put(key: K, value: V | null, windowStart: number): void
}

export type TimestampedWindowStore<K, V> = WindowStore<K, ValueAndTimestamp<V>>

type Declared<K, V> = TypedStore<WindowStore<K, V>, ReadOnlyWindowStore<K, V>>

/**
 * Declares a store of one value for each key and window, or of all that are put.
 * @throws MillraceError INVALID_ARGUMENT where windows are kept for less than their size
 */
export function windowStore<K, V>(name: string, options: PlainWindowStoreOptions<K, V>): Declared<K, V> {
  requireFormat(`windowStore('${name}', ...)`, options)
  return declared(name, options, plainForm<V>(), options.retainDuplicates)
}

/**
 * Declares a store of one value and its event time for each key and window, as the windowed aggregations of the DSL have them:
 * those in time windows of its size take it as their `store`, and processors that are given it too reach their results.
 * @throws MillraceError INVALID_ARGUMENT where windows are kept for less than their size
 */
export function timestampedWindowStore<K, V>(
  name: string,
  options: WindowStoreOptions<K, V>,
): Declared<K, ValueAndTimestamp<V>> & WindowResultStore<K, V> {
  requireFormat(`timestampedWindowStore('${name}', ...)`, options)
  const { key, value, logging, hotEntries, retention } = options
  const sizeMs = toMilliseconds(options.size, 'window size')
  const results = { kind: 'windows', key, value, logging, hotEntries, sizeMs, retention } as const
  return { ...declared(name, options, timestampedForm<V>()), results }
}

function declared<K, V, S>(
  name: string,
  options: WindowStoreOptions<K, V>,
  form: ValueForm<S>,
  hasNumbers = false,
): Declared<K, S> {
  const { key, engine, logging } = options
  const sizeMs = toMilliseconds(options.size, 'window size')
  const retentionMs = toMilliseconds(options.retention, 'retention')
  if (retentionMs < sizeMs) {
    throw new MillraceError('INVALID_ARGUMENT', `Windows of ${sizeMs} ms are kept for only ${retentionMs} ms`, {
      at: { store: name },
      remedy: 'Keep them at least as long as they are.',
    })
  }
  return {
    name,
    ...declareLogging(windowedChangelog(retentionMs), logging),
    engine,
    create: windowEntries({
      name,
      ...entryOptions<unknown, V>({ ...options, key: hasNumbers ? numberedKeySerde(key as Serde<unknown>) : key }),
      sizeMs,
      retentionMs,
      hasNumbers,
    }),
    open: (store, writer) => {
      const windows = openedAs(store, WindowEntries)
      return hasNumbers
        ? new WritableDuplicates(windows, key, form, writer)
        : new WritableWindows(windows, key, form, writer)
    },
    openReadOnly: (store) => new ReadableWindows(openedAs(store, WindowEntries), key, form, hasNumbers),
  }
}

class ReadableWindows<K, V> implements ReadOnlyWindowStore<K, V> {
  protected readonly windows: WindowEntries
  protected readonly form: ValueForm<V>
  readonly #key: Serde<K>
  /** How many bytes of a row's key stand behind the user's. */
  readonly #numberBytes: number

  constructor(windows: WindowEntries, key: Serde<K>, form: ValueForm<V>, hasNumbers: boolean) {
    this.windows = windows
    this.form = form
    this.#key = key
    this.#numberBytes = hasNumbers ? numberBytes : 0
  }

  fetch(key: K, windowStart: number): V | undefined
  fetch(key: K, range: WindowRange): StoreIterator<[number, V]>
  fetch(key: K, which: number | WindowRange): V | undefined | StoreIterator<[number, V]> {
    requireKey(key, this.windows.name)
    if (typeof which === 'object') return this.#windowsOf(encodedKey(key, this.#key), which)
    const found = this.#numberBytes > 0 ? this.lastOf(key, which) : this.windows.get(key, this.#time(which))
    return found === undefined ? undefined : this.form.shown(found.value, found.timestamp)
  }

  fetchAll({ keyFrom, keyTo, ...range }: WindowKeyRange<K>): StoreIterator<[Windowed<K>, V]> {
    const low = keyFrom === undefined ? undefined : encodedKey(requireKey(keyFrom, this.windows.name), this.#key)
    const high = keyTo === undefined ? undefined : encodedKey(requireKey(keyTo, this.windows.name), this.#key)
    const rows = low === undefined && high === undefined ? this.#rowsBetween(range) : this.#rowsOf(low, high, range)
    return rows.map(({ key, value, timestamp }): [Windowed<K>, V] => {
      const start = readInt64(key, 0)
      const userKey = this.#key.read(key, 8, key.length - this.#numberBytes)
      const windowed = { key: userKey, window: { start, end: start + this.windows.sizeMs } }
      return [windowed, this.form.shown(value, timestamp)]
    })
  }

  all({ reverse = false }: { readonly reverse?: boolean } = {}): StoreIterator<[Windowed<K>, V]> {
    return this.fetchAll({ reverse })
  }

  /** The row of the last value that was put for the key and window. */
  protected lastOf(key: K, windowStart: number): StoredRow | undefined {
    const encoded = encodedKey(key, this.#key)
    for (const row of this.#rowsOf(encoded, encoded, { from: windowStart, to: windowStart, reverse: true })) return row
    return undefined
  }

  #windowsOf(key: Buffer, range: WindowRange): StoreIterator<[number, V]> {
    return this.#rowsOf(key, key, range).map((row): [number, V] => [
      readInt64(row.key, 0),
      this.form.shown(row.value, row.timestamp),
    ])
  }

  #rowsBetween({ from, to, reverse = false }: WindowRange): Generator<StoredRow, undefined> {
    const low = this.#earliest(from)
    return this.windows.rows(timeKey(low), afterStart(Math.max(low - 1, this.#latest(to))), reverse)
  }

  /** Goes from window to window, and in each of them straight to the keys. */
  *#rowsOf(
    keyFrom: Buffer | undefined,
    keyTo: Buffer | undefined,
    { from, to, reverse = false }: WindowRange,
  ): Generator<StoredRow, undefined> {
    if (keyFrom !== undefined && keyTo !== undefined && keyFrom.compare(keyTo) > 0) return undefined
    let low = this.#earliest(from)
    let high = this.#latest(to)
    while (low <= high) {
      const start = this.#firstStart(low, high, reverse)
      if (start === undefined) return undefined
      const time = timeKey(start)
      const least = keyFrom === undefined ? time : Buffer.concat([time, keyFrom])
      if (this.#numberBytes > 0) yield* this.#numberedRows(least, start, keyFrom, keyTo, reverse)
      else {
        const end = keyTo === undefined ? afterStart(start) : justAfter(Buffer.concat([time, keyTo]))
        yield* this.windows.rows(least, end, reverse)
      }
      if (reverse) high = start - 1
      else low = start + 1
    }
    return undefined
  }

  /** Keys with their numbers are in another order than the keys, where one begins with another: so each is looked at. */
  *#numberedRows(
    least: Buffer,
    start: number,
    keyFrom: Buffer | undefined,
    keyTo: Buffer | undefined,
    isReverse: boolean,
  ): Generator<StoredRow, undefined> {
    const isOne = keyTo !== undefined && keyFrom?.equals(keyTo) === true
    const end = isOne ? justAfter(Buffer.concat([timeKey(start), keyTo, greatestNumber])) : afterStart(start)
    for (const row of this.windows.rows(least, end, isReverse)) {
      const key = row.key.subarray(8, row.key.length - numberBytes)
      if ((keyFrom?.compare(key) ?? 0) <= 0 && (keyTo?.compare(key) ?? 0) >= 0) yield row
    }
    return undefined
  }

  /** The first window, in the direction, of those that start from `low` to `high`. */
  #firstStart(low: number, high: number, isReverse: boolean): number | undefined {
    for (const { key } of this.windows.rows(timeKey(low), afterStart(high), isReverse)) return readInt64(key, 0)
    return undefined
  }

  #earliest(from: number | undefined): number {
    return Math.max(this.windows.liveFrom, from === undefined ? 0 : this.#time(from))
  }

  #latest(to: number | undefined): number {
    return to === undefined ? Number.MAX_SAFE_INTEGER : this.#time(to)
  }

  #time(windowStart: number): number {
    return requireTime(windowStart, 'start of a window', this.windows.name)
  }
}

class WritableWindows<K, V> extends ReadableWindows<K, V> implements WindowStore<K, V> {
  readonly #writer: StoreWriter
  readonly #present: () => number

  constructor(windows: WindowEntries, key: Serde<K>, form: ValueForm<V>, writer: StoreWriter) {
    super(windows, key, form, false)
    this.#writer = writer
    this.#present = () => writer.timestamp()
  }

  put(key: K, value: V | null, windowStart: number): void {
    const { windows, form } = this
    requireTime(windowStart, 'start of a window', windows.name)
    const keyId = windows.keys.idOfKey(requireKey(key, windows.name))
    const isDeletion = value === null || value === undefined
    const kept = isDeletion ? undefined : form.valueOf(value)
    const timestamp = isDeletion ? this.#present() : form.timestampOf(value, this.#present)
    if (!windows.put(windowStart, keyId, kept, timestamp)) this.#writer.expired()
  }
}

class WritableDuplicates<K, V> extends ReadableWindows<K, V> implements WindowStore<K, V> {
  readonly #writer: StoreWriter
  readonly #present: () => number

  constructor(windows: WindowEntries, key: Serde<K>, form: ValueForm<V>, writer: StoreWriter) {
    super(windows, key, form, true)
    this.#writer = writer
    this.#present = () => writer.timestamp()
  }

  put(key: K, value: V | null, windowStart: number): void {
    const { windows, form } = this
    requireTime(windowStart, 'start of a window', windows.name)
    requireKey(key, windows.name)
    // As in Kafka Streams: nothing says which of the values.
    if (value === null || value === undefined) return
    const last = this.lastOf(key, windowStart)
    const number = last === undefined ? 1 : last.key.readInt32BE(last.key.length - numberBytes) + 1
    const keyId = windows.keys.idOfKey(new NumberedKey(key, number))
    const timestamp = form.timestampOf(value, this.#present)
    if (!windows.put(windowStart, keyId, form.valueOf(value), timestamp)) this.#writer.expired()
  }
}

const greatestNumber = Buffer.from([0xff, 0xff, 0xff, 0xff])

/** The engine's keys of windows that start at the time or before are below this; undefined where all are. */
function afterStart(start: number): Buffer | undefined {
  return start >= Number.MAX_SAFE_INTEGER ? undefined : timeKey(start + 1)
}
