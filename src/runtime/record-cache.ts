import type { HotEntry } from '../state/changelog-layer.ts'
import type { LayeredStore } from '../state/layered-store.ts'
import { FlowRecord } from '../topology/flow-record.ts'
import type { Processor, WaitingRows } from '../topology/processor.ts'
import type { CacheBound } from './cache-bound.ts'
import { placed } from './task-input.ts'
import { WaitingUpdates } from './waiting-updates.ts'

/** The operator whose rows' updates wait. */
export interface CachedOperator {
  /** Where they go in the end. */
  readonly output: Processor
  /** The operator's name, for error messages. */
  readonly operator: string
  /** Whether updates are handed on with the value before. They always come with it. */
  readonly sendsOldValues: boolean
}

/** Kafka Streams' measure of an update beside key, value, topic and headers: times, places in lists, offset and partition. */
const fixedBytes = 8 + 8 + 8 + 1 + 8 + 8 + 4
/** So many updates of a row are measured each. */
const measuredUpdates = 8

/**
 * The caching layer, the same for every kind of store: stands between an operator and its children, and has updates of its rows
 * wait there. Of each row the last one is handed on, with the value that was handed on before it, at a commit or when the
 * bound is exceeded; rows that came and went in between are not. The store itself has each update at once. After Kafka
 * Streams' ThreadCache, NamedCache and caching stores, whose order this is: by the last update of each row.
 */
export class RecordCache implements Processor, WaitingRows {
  readonly #store: LayeredStore<HotEntry>
  readonly #bound: CacheBound
  #served!: CachedOperator
  readonly #record = new FlowRecord()
  #waiting = new WaitingUpdates()
  /** What is being flushed; otherwise empty. */
  #flushed = new WaitingUpdates()
  /** Where a row was found last. */
  #found = this.#waiting
  #bytes = 0
  #isFlushing = false

  /** The store is the one whose rows' updates wait; of which kind it is makes no difference. */
  constructor(store: LayeredStore<HotEntry>, bound: CacheBound) {
    this.#store = store
    this.#bound = bound
  }

  /** Operators that share a store, as in a cogroup, hand on to the same child, so that it does not matter which of them is served. */
  serve(operator: CachedOperator): void {
    this.#served = operator
  }

  /** How many rows wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** What they count in the bound. */
  get byteLength(): number {
    return this.#bytes
  }

  process(record: FlowRecord): void {
    const { hasWindows, keys } = this.#store
    const keyId = hasWindows ? keys.idOfInner(record) : keys.idOf(record)
    const start = hasWindows ? record.windowStart : 0
    const end = hasWindows ? record.windowEnd : 0
    const waiting = this.#waiting
    let row = waiting.find(keyId, start, end)
    if (row < 0) row = waiting.add(keyId, start, end, record)
    else waiting.postpone(row)
    const updates = waiting.update(row, record)
    const bytes = this.#measure(row, keyId, record, updates)
    const more = bytes - waiting.bytesOf(row)
    waiting.setBytes(row, bytes)
    this.#bytes += more
    this.#bound.usedBytes += more
    if (this.#bound.isExceeded) this.flush()
  }

  /** Hands on everything that waits. */
  flush(): void {
    // Who comes back here from further down finds an empty cache, and what it adds waits for the next time.
    const flushed = this.#waiting
    if (this.#isFlushing || flushed.size === 0) return
    this.#isFlushing = true
    this.#bound.usedBytes -= this.#bytes
    this.#bytes = 0
    this.#waiting = this.#flushed
    this.#flushed = flushed
    for (let row = flushed.first; row >= 0; row = flushed.after(row)) {
      flushed.hide(row)
      if (!flushed.isNothing(row)) this.#handOn(flushed, row)
    }
    flushed.clear()
    this.#isFlushing = false
  }

  find(keyId: number, start: number, end: number): number {
    this.#found = this.#flushed
    if (this.#isFlushing) {
      const row = this.#flushed.find(keyId, start, end)
      if (row >= 0) return row
    }
    this.#found = this.#waiting
    return this.#waiting.find(keyId, start, end)
  }

  handedOn(row: number): unknown {
    return this.#found.beforeOf(row)
  }

  handedOnTimestamp(row: number): number {
    return this.#found.beforeTimestampOf(row)
  }

  #measure(row: number, keyId: number, record: FlowRecord, updates: number): number {
    const { keys, measure } = this.#store
    let bytes = fixedBytes + keys.endOf(keyId) - keys.startOf(keyId) + measure.keyBytes + record.topic.length
    if (record.headerCount > 0) {
      for (const { key, value } of record.headers()) bytes += key.length + (value === null ? 0 : value.length)
    }
    if (!record.hasValue) return bytes
    let valueBytes = this.#waiting.valueBytesOf(row)
    // Encoding costs more than all else here: of a row that is updated often, it is done whenever the updates have doubled.
    if (valueBytes < 0 || updates <= measuredUpdates || (updates & (updates - 1)) === 0) {
      valueBytes = measure.valueBytes + this.#store.bytesOf(record.value())
      this.#waiting.setValueBytes(row, valueBytes)
    }
    return bytes + valueBytes
  }

  #handOn(waiting: WaitingUpdates, row: number): void {
    const record = this.#record
    const { output, operator, sendsOldValues } = this.#served
    waiting.load(row, record)
    if (!sendsOldValues) record.oldValue = undefined
    record.operator = operator
    const { topic, partition, offset } = record
    try {
      output.process(record)
    } catch (error) {
      throw placed(error, { topic, partition, offset, operator: record.operator })
    }
  }
}
