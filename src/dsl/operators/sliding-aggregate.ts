import type { SessionEntry } from '../../state/session-store.ts'
import { SlidingWindowStore } from '../../state/sliding-window-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { SlidingWindows } from '../sliding-windows.ts'
import { connectedStore, requireRetention } from './connected-store.ts'
import { EmitThrottle } from './emit-throttle.ts'
import { SavedRecord } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

export interface SlidingAggregateOptions {
  /** The name of a SlidingWindowStore. */
  readonly store: string
  readonly windows: SlidingWindows
  /** The aggregate before the first record of a window; undefined where the first value stands for itself. */
  readonly initializer: () => unknown
  /** Returns the new aggregate; null or undefined deletes. */
  readonly aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
  /** Makes a copy of an aggregate, for a window that begins with what another one has. */
  readonly copy: (aggregate: unknown) => unknown
  /** Whether only the last result of each window is handed on, when the window closes. The store must then be one that holds. */
  readonly isFinal: boolean
  /** How often final results are handed on at most, by the clock on the wall. Default: 0, after every record that closes windows. */
  readonly emitEveryMs?: number
  /** The side child that takes records which came too late for all of their windows. */
  readonly lateChild?: string | undefined
}

/**
 * Aggregates the records of each key in windows that slide with them, and hands on every new result. After Kafka Streams'
 * KStreamSlidingWindowAggregate, whose order of results this is: a record updates the windows that hold it, from the last
 * to the first; then the window behind the record before it is made, the window that ends with it, and the window behind
 * it, as far as other records fall into them. A window is closed when its end is before `stream time - grace`.
 *
 * The window that ends with a record begins with the aggregate of an earlier window that ends after all of the record's
 * predecessors, and the window behind it with the aggregate, before the record, of a window that holds its successors: so
 * no window's records need to be remembered, only its aggregate and the greatest of their timestamps.
 *
 * Final results are handed on once for each window, after the record that closed it, in the order of (start, key bytes).
 */
export function slidingAggregate(options: SlidingAggregateOptions): () => Processor {
  return () => new SlidingAggregate(options)
}

/** Where no record is. */
const none = -1

class SlidingAggregate implements Processor {
  readonly #options: SlidingAggregateOptions
  readonly #aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly #readsValue: boolean
  readonly #readsKey: boolean
  readonly #sizeMs: number
  readonly #graceMs: number
  readonly #isFinal: boolean
  readonly #throttle: EmitThrottle
  readonly #emit = (window: SessionEntry): void => this.#forwardFinal(window)
  readonly #saved = new SavedRecord()
  /** The key's windows that are at hand for the record. */
  readonly #found: SessionEntry[] = []
  #context!: ProcessorContext
  #output!: Processor
  #late: Processor | undefined
  #store!: SlidingWindowStore
  #name = ''

  // The record that is being processed, so that nothing is made for it.
  #record!: FlowRecord
  #keyId = 0
  #timestamp = 0
  #value: unknown
  #key: unknown
  /** Windows that end before this time are closed. */
  #closedUntil = 0
  #taken = 0
  #refused = 0
  /** What the window behind the record begins with, and the greatest timestamp in it; `none` where it is not to be made. */
  #rightValue: unknown
  #rightTimestamp = none
  /** The result of the window that was made last. */
  #made: unknown

  constructor(options: SlidingAggregateOptions) {
    this.#options = options
    this.#aggregator = options.aggregator
    // An aggregator that can see nothing but its first argument, as count's, needs neither value nor key decoded.
    this.#readsValue = takesParameter(options.aggregator, 1)
    this.#readsKey = takesParameter(options.aggregator, 2)
    this.#sizeMs = options.windows.differenceMs
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
    this.#store = connectedStore(context, store, SlidingWindowStore)
    requireRetention(context, store, this.#store.retentionMs, 2 * this.#sizeMs + this.#graceMs)
    if (this.#isFinal) this.#store.holdFrom(context.streamTime.emitted)
    this.#store.expireBefore(context.streamTime.observed - this.#store.retentionMs)
  }

  process(record: FlowRecord): void {
    const context = this.#context
    if (!record.hasKey) {
      context.drop('null-key')
      return
    }
    if (!record.hasValue) {
      context.drop('null-value')
      return
    }
    const timestamp = record.timestamp
    const streamTime = context.streamTime
    if (timestamp > streamTime.observed) {
      streamTime.observed = timestamp
      this.#store.expireBefore(timestamp - this.#store.retentionMs)
    }
    this.#closedUntil = streamTime.observed - this.#graceMs
    const isInTime = timestamp + this.#sizeMs >= this.#closedUntil
    this.#take(record, timestamp, isInTime)
    // Late records close nothing, early ones neither: in Kafka Streams no interval begins with them.
    const mayClose = this.#isFinal && isInTime && timestamp >= this.#sizeMs
    if (mayClose && this.#throttle.isDue(context.task)) this.#emitClosed(record)
  }

  #take(record: FlowRecord, timestamp: number, isInTime: boolean): void {
    this.#taken = 0
    this.#refused = 0
    if (isInTime) this.#update(record, timestamp)
    if (this.#taken === 0) {
      this.#context.drop('late')
      this.#late?.process(record)
    } else if (this.#refused > 0) this.#context.drop('late-for-some')
  }

  #update(record: FlowRecord, timestamp: number): void {
    const store = this.#store
    const keyId = store.keyId(record)
    this.#record = record
    this.#keyId = keyId
    this.#timestamp = timestamp
    this.#value = this.#readsValue ? record.value() : undefined
    this.#key = this.#readsKey ? store.keys.key(keyId) : undefined
    this.#rightValue = undefined
    this.#rightTimestamp = none
    this.#saved.save(record)
    store.keys.loadOwn(keyId, record)
    const size = this.#sizeMs
    store.find(keyId, Math.max(0, timestamp - 2 * size) + size, timestamp + 1, this.#found)
    if (timestamp < size) this.#updateEarly()
    else this.#updateUsual()
    this.#saved.restore(record)
  }

  #updateUsual(): void {
    const found = this.#found
    const timestamp = this.#timestamp
    let before: SessionEntry | undefined
    let previous = none
    let hasLeft = false
    let hasRight = false
    let isRightKnown = false
    for (let i = found.length - 1; i >= 0; i--) {
      const window = found[i] as SessionEntry
      const latest = window.timestamp
      if (window.start === timestamp + 1) hasRight = true
      else if (window.end > timestamp) {
        if (!isRightKnown && !hasRight) this.#keepForRight(window)
        isRightKnown = true
        this.#updateWindow(window)
      } else if (window.end === timestamp) {
        hasLeft = true
        this.#updateWindow(window)
        // Another record of this time has made all windows that this one could make.
        if (latest >= timestamp) return
        previous = latest
      } else {
        before = window
        previous = latest
        break
      }
    }
    const size = this.#sizeMs
    const makesPrevious = previous !== none && previous + 1 + size >= timestamp && !this.#hasWindowAt(previous + 1)
    if (makesPrevious) this.#makeWindow(previous + 1, undefined)
    const left = timestamp - size
    if (makesPrevious && previous + 1 === left) this.#forwardAgain(left)
    else if (!hasLeft) this.#makeWindow(left, previous >= left ? before : undefined)
    this.#makeRight()
  }

  /** Of records earlier than the size of a window: they share the window from 0 on, which would otherwise begin before 1970. */
  #updateEarly(): void {
    const found = this.#found
    const timestamp = this.#timestamp
    let shared: SessionEntry | undefined
    let last: SessionEntry | undefined
    let previous = none
    let hasRight = false
    for (let i = 0; i < found.length; i++) {
      const window = found[i] as SessionEntry
      if (window.start === timestamp + 1) hasRight = true
      else last = window
      if (window.start !== 0) continue
      shared = window
      if (window.timestamp < timestamp) previous = window.timestamp
    }
    if (last !== undefined && !hasRight) this.#keepForRight(last)
    for (let i = 0; i < found.length; i++) {
      const window = found[i] as SessionEntry
      if (window.start > 0 && window.start <= timestamp) this.#updateWindow(window)
    }
    const makesPrevious = previous !== none && !this.#hasWindowAt(previous + 1)
    this.#makeRight()
    if (makesPrevious) this.#makeWindow(previous + 1, undefined)
    if (shared === undefined) this.#makeWindow(0, undefined)
    else this.#updateWindow(shared)
  }

  #hasWindowAt(start: number): boolean {
    for (let i = 0; i < this.#found.length; i++) {
      if ((this.#found[i] as SessionEntry).start === start) return true
    }
    return false
  }

  /** The window's other records that are after this one are those of the window behind it. */
  #keepForRight(window: SessionEntry): void {
    if (window.timestamp <= this.#timestamp) return
    this.#rightValue = this.#options.copy(window.value)
    this.#rightTimestamp = window.timestamp
  }

  #makeRight(): void {
    if (this.#rightTimestamp === none) return
    const start = this.#timestamp + 1
    this.#store.put(this.#keyId, start, start + this.#sizeMs, this.#rightValue, this.#rightTimestamp)
    this.#forward(start, this.#rightValue, undefined, this.#rightTimestamp)
  }

  #updateWindow(window: SessionEntry): void {
    if (window.end < this.#closedUntil) {
      this.#refused++
      return
    }
    this.#taken++
    const { start, value: before } = window
    const oldTimestamp = window.timestamp
    const timestamp = Math.max(this.#timestamp, oldTimestamp)
    const after = this.#aggregate(before)
    this.#store.update(window, after, timestamp)
    this.#record.oldTimestamp = oldTimestamp
    this.#forward(start, after, before, timestamp)
  }

  /** Makes the window of that start with what `other` has, and the record. */
  #makeWindow(start: number, other: SessionEntry | undefined): void {
    const end = start + this.#sizeMs
    if (end < this.#closedUntil) {
      this.#refused++
      return
    }
    this.#taken++
    const { copy, initializer } = this.#options
    const after = this.#aggregate(other === undefined ? initializer() : copy(other.value))
    this.#made = after
    this.#store.put(this.#keyId, start, end, after, this.#timestamp)
    this.#forward(start, after, undefined, this.#timestamp)
  }

  /** The window behind the record before can be the one that ends with this record: Kafka Streams hands it on for both. */
  #forwardAgain(start: number): void {
    if (start + this.#sizeMs >= this.#closedUntil) this.#forward(start, this.#made, this.#made, this.#timestamp)
  }

  #aggregate(before: unknown): unknown {
    this.#record.operator = this.#name
    const aggregator = this.#aggregator
    return aggregator(before, this.#value, this.#key)
  }

  #emitClosed(record: FlowRecord): void {
    const { streamTime } = this.#context
    if (this.#closedUntil <= streamTime.emitted) return
    streamTime.emitted = this.#closedUntil
    this.#saved.save(record)
    this.#record = record
    this.#store.takeEnded(this.#closedUntil, this.#emit)
    this.#saved.restore(record)
    this.#store.expireBefore(streamTime.observed - this.#store.retentionMs)
  }

  #forwardFinal({ keyId, start, end, value, timestamp }: SessionEntry): void {
    const record = this.#record
    this.#store.keys.load(keyId, record)
    record.setWindow(start, end)
    record.setValue(value)
    record.oldValue = undefined
    record.timestamp = timestamp
    this.#output.process(record)
  }

  #forward(start: number, value: unknown, oldValue: unknown, timestamp: number): void {
    if (this.#isFinal) return
    const record = this.#record
    record.setWindow(start, start + this.#sizeMs)
    record.setValue(value)
    record.oldValue = oldValue
    record.timestamp = timestamp
    this.#output.process(record)
  }
}
