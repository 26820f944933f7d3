import { settleShape } from '../object-shape.ts'
import { type HeaderRange, type RecordHeader, readHeaders } from '../record/headers.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../windowed.ts'

/** Stands where a key or value has not been decoded yet. */
const undecoded: unique symbol = Symbol('undecoded')

/**
 * The record that travels the operators: one object per task, loaded again for each record. Keys and values are decoded
 * when an operator first asks; a record that is only counted or passed on is never decoded. An operator that changes
 * something for its children restores it after they ran (`saved` values on its own stack), because siblings see the same object.
 */
export class FlowRecord {
  /** Event time in milliseconds since 1970. */
  timestamp = 0
  /** Where the input record came from: for error messages and metadata. */
  topic = ''
  partition = -1
  offset = -1
  /** The operator whose user function runs: for error messages. */
  operator = ''
  /** For updates of a table: the value before, where the operator above knows it. */
  oldValue: unknown = undefined
  /** Event time of that value, for a record cache; others do not look at it. */
  oldTimestamp = 0
  /** For updates of a table that keeps versions: false where the update is of an earlier version than the key's latest. */
  isLatest = true

  /** The key's bytes in `keyBytes[keyStart..keyEnd)`, encoded by `keySerde`; `keyStart` is -1 where the key has no bytes. */
  keyBytes: Buffer = emptyBuffer
  keyStart = -1
  keyEnd = -1
  keySerde: Serde<unknown> | undefined = undefined

  valueBytes: Buffer = emptyBuffer
  valueStart = -1
  valueEnd = -1
  valueSerde: Serde<unknown> | undefined = undefined

  /** Where the key is windowed: the bounds. The key's bytes are then those of the key without its window. */
  windowed = false
  windowStart = 0
  windowEnd = 0

  /** How many headers the record has; they stay in the batch's bytes until somebody reads or sets them. */
  headerCount = 0

  #key: unknown = null
  #value: unknown = null
  #headerBytes: Buffer = emptyBuffer
  #headersStart = 0
  #headersEnd = 0
  /** The headers where they were decoded or set. */
  #headers: readonly RecordHeader[] | undefined = undefined

  /** The key is in these bytes (`start` -1: there is no key); it is not windowed. */
  loadKey(bytes: Buffer, start: number, end: number, serde: Serde<unknown>): void {
    // Nearly always they are those of the record before: comparing is cheaper than telling the collector of a reference.
    if (this.keyBytes !== bytes) this.keyBytes = bytes
    if (this.keySerde !== serde) this.keySerde = serde
    this.keyStart = start
    this.keyEnd = end
    this.windowed = false
    this.#key = start < 0 ? null : undecoded
  }

  loadValue(bytes: Buffer, start: number, end: number, serde: Serde<unknown>): void {
    if (this.valueBytes !== bytes) this.valueBytes = bytes
    if (this.valueSerde !== serde) this.valueSerde = serde
    this.valueStart = start
    this.valueEnd = end
    this.#value = start < 0 ? null : undecoded
  }

  /** The record has `count` headers, whole, in these bytes. */
  loadHeaders(bytes: Buffer, start: number, end: number, count: number): void {
    this.headerCount = count
    if (count === 0) return
    this.#headers = undefined
    this.#headerBytes = bytes
    this.#headersStart = start
    this.#headersEnd = end
  }

  get hasKey(): boolean {
    return this.#key !== null
  }

  get hasValue(): boolean {
    return this.#value !== null
  }

  key(): unknown {
    if (this.#key === undecoded) this.#key = this.#decodeKey()
    return this.#key
  }

  value(): unknown {
    if (this.#value === undecoded) {
      this.#value = (this.valueSerde as Serde<unknown>).read(this.valueBytes, this.valueStart, this.valueEnd)
    }
    return this.#value
  }

  /** The record's headers, whose values are copies of the batch's bytes. */
  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return noHeaders
    if (this.#headers === undefined) {
      this.#headers = readHeaders(this.#headerBytes, this.#headersStart, this.#headersEnd, this.headerCount)
    }
    return this.#headers
  }

  /** The headers as a batch takes them: in their bytes where these are at hand; undefined where there are none. */
  headersToWrite(): readonly RecordHeader[] | HeaderRange | undefined {
    if (this.headerCount === 0) return undefined
    if (this.#headers !== undefined) return this.#headers
    const { headerCount: count } = this
    return { bytes: this.#headerBytes, start: this.#headersStart, end: this.#headersEnd, count }
  }

  setHeaders(headers: readonly RecordHeader[]): void {
    this.headerCount = headers.length
    this.#headers = headers
  }

  /** Gives the record a key that has no bytes yet. `undefined` counts as no key. */
  setKey(key: unknown): void {
    this.#key = key === undefined ? null : key
    this.keyStart = -1
    this.windowed = false
  }

  /** Gives the record a value that has no bytes yet. `undefined` counts as no value. */
  setValue(value: unknown): void {
    this.#value = value === undefined ? null : value
    this.valueStart = -1
  }

  /** Puts the record's key into a window; its bytes stay as they are. */
  setWindow(start: number, end: number): void {
    this.windowed = true
    this.windowStart = start
    this.windowEnd = end
    if (this.keyStart >= 0) this.#key = undecoded
    else this.#key = { key: this.#key, window: { start, end } } satisfies Windowed<unknown>
  }

  /** The record comes from where the other one comes from. */
  takeOrigin(from: Pick<FlowRecord, 'topic' | 'partition' | 'offset'>): void {
    this.topic = from.topic
    this.partition = from.partition
    this.offset = from.offset
  }

  /** Takes over the other record's key, with its window and its bytes as far as it has them. */
  takeKey(from: FlowRecord): void {
    this.keyBytes = from.keyBytes
    this.keyStart = from.keyStart
    this.keyEnd = from.keyEnd
    this.keySerde = from.keySerde
    this.windowed = from.windowed
    this.windowStart = from.windowStart
    this.windowEnd = from.windowEnd
    this.#key = from.#key
  }

  takeValue(from: FlowRecord): void {
    this.valueBytes = from.valueBytes
    this.valueStart = from.valueStart
    this.valueEnd = from.valueEnd
    this.valueSerde = from.valueSerde
    this.#value = from.#value
  }

  takeHeaders(from: FlowRecord): void {
    this.headerCount = from.headerCount
    this.#headers = from.#headers
    this.#headerBytes = from.#headerBytes
    this.#headersStart = from.#headersStart
    this.#headersEnd = from.#headersEnd
  }

  /** What is needed to undo changes of the value. */
  saveValue(into: SavedValue): void {
    into.value = this.#value
    into.bytes = this.valueBytes
    into.start = this.valueStart
    into.end = this.valueEnd
    into.serde = this.valueSerde
    into.oldValue = this.oldValue
  }

  restoreValue(from: SavedValue): void {
    this.#value = from.value
    this.valueBytes = from.bytes
    this.valueStart = from.start
    this.valueEnd = from.end
    this.valueSerde = from.serde
    this.oldValue = from.oldValue
  }

  /** What is needed to undo changes of the key, its window and the timestamp. */
  saveKey(into: SavedKey): void {
    into.key = this.#key
    into.bytes = this.keyBytes
    into.start = this.keyStart
    into.end = this.keyEnd
    into.serde = this.keySerde
    into.windowed = this.windowed
    into.windowStart = this.windowStart
    into.windowEnd = this.windowEnd
    into.timestamp = this.timestamp
  }

  restoreKey(from: SavedKey): void {
    this.#key = from.key
    this.keyBytes = from.bytes
    this.keyStart = from.start
    this.keyEnd = from.end
    this.keySerde = from.serde
    this.windowed = from.windowed
    this.windowStart = from.windowStart
    this.windowEnd = from.windowEnd
    this.timestamp = from.timestamp
  }

  /** What is needed to undo changes of the headers. */
  saveHeaders(into: SavedHeaders): void {
    into.count = this.headerCount
    into.headers = this.#headers
    into.bytes = this.#headerBytes
    into.start = this.#headersStart
    into.end = this.#headersEnd
  }

  restoreHeaders(from: SavedHeaders): void {
    this.headerCount = from.count
    this.#headers = from.headers
    this.#headerBytes = from.bytes
    this.#headersStart = from.start
    this.#headersEnd = from.end
  }

  #decodeKey(): unknown {
    const key = (this.keySerde as Serde<unknown>).read(this.keyBytes, this.keyStart, this.keyEnd)
    if (!this.windowed) return key
    return { key, window: { start: this.windowStart, end: this.windowEnd } } satisfies Windowed<unknown>
  }
}

const emptyBuffer: Buffer = Buffer.alloc(0)
const noHeaders: readonly RecordHeader[] = Object.freeze([])

export interface SavedHeaders {
  count: number
  headers: readonly RecordHeader[] | undefined
  bytes: Buffer
  start: number
  end: number
}

export interface SavedValue {
  value: unknown
  bytes: Buffer
  start: number
  end: number
  serde: Serde<unknown> | undefined
  oldValue: unknown
}

export interface SavedKey {
  key: unknown
  bytes: Buffer
  start: number
  end: number
  serde: Serde<unknown> | undefined
  windowed: boolean
  windowStart: number
  windowEnd: number
  timestamp: number
}

settleShape(() => new FlowRecord())
