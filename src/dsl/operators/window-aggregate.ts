import { WindowEntry, WindowStore } from '../../state/window-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore, requireRetention } from './connected-store.ts'
import { EmitThrottle } from './emit-throttle.ts'
import { SavedRecord } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

/** Windows of one size, one of which begins every `advanceMs`. */
export interface WindowAssigner {
  /** Infinite for a window that never ends. */
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
  /** The start of the earliest window that holds the timestamp; after it where none does. */
  firstStart(timestamp: number): number
}

export interface WindowAggregateOptions {
  /** The name of a WindowStore. */
  readonly store: string
  readonly windows: WindowAssigner
  /** The aggregate before the first record of a window; undefined where the first value stands for itself. */
  readonly initializer: () => unknown
  /** Returns the new aggregate; null or undefined deletes. */
  readonly aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
  /** Whether records without a value are dropped; otherwise the aggregator is given null. */
  readonly skipsNullValues: boolean
  /** Whether only the last result of each window is handed on, when the window closes. The store must then be one that holds. */
  readonly isFinal: boolean
  /** How often final results are handed on at most, by the clock on the wall. Default: 0, after every record that closes windows. */
  readonly emitEveryMs?: number
  /** The side child that takes records which came too late for all of their windows. */
  readonly lateChild?: string | undefined
}

/**
 * Aggregates the records of each key in each window, and hands on every new result. After Kafka Streams'
 * KStreamWindowAggregate: a window is closed when its end is at most `stream time - grace`, where stream time includes
 * the record; a result's timestamp is the greatest of its records.
 *
 * Final results are handed on once for each window, after the record that closed it, in the order of (start, key bytes), as
 * Kafka Streams' `EmitStrategy.onWindowClose()` has it with a persistent store; and none is lost, because the store keeps
 * windows until they are handed on.
 *
 * Counted, once for each record (Kafka Streams counts once for each window): as `late` where all of its windows were closed,
 * as `late-for-some` where it is only in some of its windows. The aggregator may change the aggregate in place and return it:
 * then the old value handed on is that same object.
 */
export function windowAggregate(options: WindowAggregateOptions): () => Processor {
  return () => new WindowAggregate(options)
}

class WindowAggregate implements Processor {
  readonly #options: WindowAggregateOptions
  readonly #aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly #readsValue: boolean
  readonly #readsKey: boolean
  readonly #sizeMs: number
  readonly #advanceMs: number
  readonly #graceMs: number
  readonly #isFinal: boolean
  readonly #throttle: EmitThrottle
  readonly #closed: WindowEntry[] = []
  readonly #saved = new SavedRecord()
  #context!: ProcessorContext
  #output!: Processor
  #late: Processor | undefined
  #store!: WindowStore
  #name = ''

  constructor(options: WindowAggregateOptions) {
    this.#options = options
    this.#aggregator = options.aggregator
    // An aggregator that can see nothing but its first argument, as count's, needs neither value nor key decoded.
    this.#readsValue = takesParameter(options.aggregator, 1)
    this.#readsKey = takesParameter(options.aggregator, 2)
    this.#sizeMs = options.windows.sizeMs
    this.#advanceMs = options.windows.advanceMs
    this.#graceMs = options.windows.graceMs
    this.#isFinal = options.isFinal
    this.#throttle = new EmitThrottle(options.emitEveryMs ?? 0)
  }

  init(context: ProcessorContext): void {
    const { store, lateChild } = this.#options
    this.#context = context
    this.#name = context.name
    this.#output = this.#isFinal ? context.output : (context.cacheOf(store, true) ?? context.output)
    this.#late = lateChild === undefined ? undefined : context.outputTo(lateChild)
    this.#store = connectedStore(context, store, WindowStore)
    requireRetention(context, store, this.#store.retentionMs, this.#sizeMs + this.#graceMs)
    if (this.#isFinal) this.#store.release(this.#firstUnemitted())
    // After a restart the store knows but the windows that it has.
    const { observed } = context.streamTime
    if (observed >= 0 && this.#advanceMs < Infinity) this.#store.observeStart(observed - (observed % this.#advanceMs))
  }

  process(record: FlowRecord): void {
    const context = this.#context
    if (!record.hasKey) {
      context.drop('null-key')
      return
    }
    if (this.#options.skipsNullValues && !record.hasValue) {
      context.drop('null-value')
      return
    }
    const timestamp = record.timestamp
    const streamTime = context.streamTime
    if (timestamp > streamTime.observed) streamTime.observed = timestamp
    this.#take(record, timestamp)
    if (this.#isFinal && this.#throttle.isDue(context.task)) this.#emitClosed(record)
  }

  #take(record: FlowRecord, timestamp: number): void {
    const context = this.#context
    const first = this.#options.windows.firstStart(timestamp)
    if (first > timestamp) {
      context.drop('before-window')
      return
    }
    const open = this.#firstOpen(first, timestamp, context.streamTime.observed - this.#graceMs)
    if (open > timestamp) {
      context.drop('late')
      this.#late?.process(record)
      return
    }
    if (open !== first) context.drop('late-for-some')
    this.#update(record, open, timestamp)
  }

  /** The start of the record's first window that ends after `closedUntil`; beyond its timestamp where all are closed. */
  #firstOpen(first: number, timestamp: number, closedUntil: number): number {
    let start = first
    while (start <= timestamp && start + this.#sizeMs <= closedUntil) start += this.#advanceMs
    return start
  }

  #update(record: FlowRecord, firstStart: number, timestamp: number): void {
    const store = this.#store
    const keyId = store.keyId(record)
    const value = this.#readsValue ? record.value() : undefined
    const key = this.#readsKey ? store.keys.key(keyId) : undefined
    this.#saved.save(record)
    store.keys.loadOwn(keyId, record)
    for (let start = firstStart; start <= timestamp; start += this.#advanceMs) {
      const kept = store.find(start, keyId)
      const entry = kept ?? new WindowEntry(keyId, start)
      const { value: oldValue, timestamp: oldTimestamp } = entry
      this.#aggregate(record, entry, value, key, timestamp)
      // Another operator over the same store, as in a cogroup, may have let the window expire: then the result is only handed on.
      if (kept !== undefined) store.update(entry, entry.value, entry.timestamp)
      record.oldTimestamp = oldTimestamp
      if (!this.#isFinal) this.#forward(record, entry, oldValue)
    }
    this.#saved.restore(record)
  }

  #forward(record: FlowRecord, entry: WindowEntry, oldValue: unknown): void {
    const start = entry.windowStart
    record.setWindow(start, Math.min(start + this.#sizeMs, Number.MAX_SAFE_INTEGER))
    record.setValue(entry.value)
    record.oldValue = oldValue
    record.timestamp = entry.timestamp
    this.#output.process(record)
  }

  /** The earliest time at which a window may start that was not handed on. */
  #firstUnemitted(): number {
    return Math.max(0, this.#context.streamTime.emitted - this.#sizeMs + 1)
  }

  #emitClosed(record: FlowRecord): void {
    const { streamTime } = this.#context
    const closedUntil = streamTime.observed - this.#graceMs
    const from = this.#firstUnemitted()
    const to = closedUntil - this.#sizeMs
    if (to < 0 || closedUntil <= streamTime.emitted) return
    streamTime.emitted = closedUntil
    // Nearly always no window starts between the two.
    if (Math.floor(to / this.#advanceMs) === Math.floor((from - 1) / this.#advanceMs)) return
    const store = this.#store
    store.collect(from, to, this.#closed)
    this.#saved.save(record)
    for (let i = 0; i < this.#closed.length; i++) {
      const entry = this.#closed[i] as WindowEntry
      store.keys.load(entry.keyId, record)
      this.#forward(record, entry, undefined)
    }
    this.#saved.restore(record)
    this.#closed.length = 0
    store.release(to + 1)
  }

  #aggregate(record: FlowRecord, entry: WindowEntry, value: unknown, key: unknown, timestamp: number): void {
    const oldValue = entry.value
    record.operator = this.#name
    const before = oldValue === undefined ? this.#options.initializer() : oldValue
    const aggregator = this.#aggregator
    const after = aggregator(before, value, key)
    entry.value = after === null ? undefined : after
    if (oldValue === undefined || entry.timestamp < timestamp) entry.timestamp = timestamp
  }
}
