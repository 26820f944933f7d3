import type { RecordHeader } from '../../record/headers.ts'
import { type SessionEntry, SessionStore } from '../../state/session-store.ts'
import type { FlowRecord, SavedHeaders } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { SessionWindows } from '../windows.ts'
import { connectedStore, requireRetention } from './connected-store.ts'
import { EmitThrottle } from './emit-throttle.ts'
import { emptySavedHeaders, SavedRecord } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

const noHeaders: readonly RecordHeader[] = Object.freeze([])

export interface SessionAggregateOptions {
  /** The name of a SessionStore. */
  readonly store: string
  readonly windows: SessionWindows
  /** The aggregate before a record joins any session; undefined where the first value stands for itself. */
  readonly initializer: () => unknown
  /** Returns the new aggregate; null or undefined removes the session. */
  readonly aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
  /** Makes one aggregate of two; the first is the initializer's at the first session that a record joins. */
  readonly merger: (left: unknown, right: unknown, key: unknown) => unknown
  /** Whether records without a value are dropped; otherwise the aggregator is given null. */
  readonly skipsNullValues: boolean
  /** Whether only the last result of each session is handed on, when the session closes. The store must then be one that holds. */
  readonly isFinal: boolean
  /** How often final results are handed on at most, by the clock on the wall. Default: 0, after every record that closes windows. */
  readonly emitEveryMs?: number
  /** The side child that takes records which came too late. */
  readonly lateChild?: string | undefined
}

/**
 * Aggregates the records of each key in sessions, and hands on every change: for each session that a record joins a
 * deletion with that session's window and its end as timestamp, then the session that came of it. After Kafka Streams'
 * KStreamSessionWindowAggregate: sessions at most a gap away are joined; a record is late where the session it would
 * end up in ends before `stream time - gap - grace`, so that a late record can still join an open session.
 *
 * Final results are handed on once for each session, after the record that closed it, in the order of (end, start, key
 * bytes), as Kafka Streams' `EmitStrategy.onWindowClose()` has it with a persistent store.
 */
export function sessionAggregate(options: SessionAggregateOptions): () => Processor {
  return () => new SessionAggregate(options)
}

class SessionAggregate implements Processor {
  readonly #options: SessionAggregateOptions
  readonly #readsValue: boolean
  readonly #readsKey: boolean
  readonly #gapMs: number
  readonly #graceMs: number
  readonly #isFinal: boolean
  readonly #throttle: EmitThrottle
  readonly #emit = (session: SessionEntry): void => this.#forwardFinal(session)
  readonly #saved = new SavedRecord()
  readonly #savedHeaders: SavedHeaders = emptySavedHeaders()
  readonly #joined: SessionEntry[] = []
  #context!: ProcessorContext
  #output!: Processor
  #isCached = false
  #late: Processor | undefined
  #store!: SessionStore
  #record!: FlowRecord

  constructor(options: SessionAggregateOptions) {
    this.#options = options
    // Functions that can see nothing but the aggregates, as count's, need neither value nor key decoded.
    this.#readsValue = takesParameter(options.aggregator, 1)
    this.#readsKey = takesParameter(options.aggregator, 2) || takesParameter(options.merger, 2)
    this.#gapMs = options.windows.gapMs
    this.#graceMs = options.windows.graceMs
    this.#isFinal = options.isFinal
    this.#throttle = new EmitThrottle(options.emitEveryMs ?? 0)
  }

  init(context: ProcessorContext): void {
    const { store, lateChild, windows } = this.#options
    this.#context = context
    const cache = this.#isFinal ? undefined : context.cacheOf(store, true)
    this.#isCached = cache !== undefined
    this.#output = cache ?? context.output
    this.#late = lateChild === undefined ? undefined : context.outputTo(lateChild)
    this.#store = connectedStore(context, store, SessionStore)
    requireRetention(context, store, this.#store.retentionMs, windows.gapMs + windows.graceMs)
    if (this.#isFinal) this.#store.holdFrom(context.streamTime.emitted)
    // After a restart the store knows but the sessions that it has.
    this.#store.observeTime(context.streamTime.observed)
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
    const closedUntil = streamTime.observed - this.#gapMs - this.#graceMs
    this.#take(record, timestamp, closedUntil)
    if (this.#isFinal && this.#throttle.isDue(context.task)) this.#emitClosed(record, closedUntil)
  }

  #take(record: FlowRecord, timestamp: number, closedUntil: number): void {
    const keyId = this.#store.keyId(record)
    const joined = this.#joined
    // A session that was handed on, or is about to be, stays as it is.
    const earliestEnd = this.#isFinal ? Math.max(closedUntil, timestamp - this.#gapMs) : timestamp - this.#gapMs
    this.#store.find(keyId, earliestEnd, timestamp + this.#gapMs, joined)
    let start = timestamp
    let end = timestamp
    for (let i = 0; i < joined.length; i++) {
      const session = joined[i] as SessionEntry
      if (session.start < start) start = session.start
      if (session.end > end) end = session.end
    }
    if (end < closedUntil) {
      this.#context.drop('late')
      this.#late?.process(record)
    } else this.#update(record, keyId, start, end)
  }

  #update(record: FlowRecord, keyId: number, start: number, end: number): void {
    const store = this.#store
    const joined = this.#joined
    const aggregate = this.#aggregate(record, keyId)
    this.#save(record)
    store.keys.loadOwn(keyId, record)
    let before: unknown
    const only = joined.length === 1 ? (joined[0] as SessionEntry) : undefined
    if (only !== undefined && only.start === only.end && start === end) {
      // A second record at the only time of a session replaces its row, without a deletion before it.
      before = this.#isCached ? only.value : undefined
      store.update(only, aggregate)
    } else {
      for (let i = 0; i < joined.length; i++) {
        const session = joined[i] as SessionEntry
        const { start: oldStart, end: oldEnd, value } = session
        // First: whoever is told of the deletion may look the row up.
        store.remove(session)
        this.#forward(record, oldStart, oldEnd, undefined, value)
      }
      store.put(keyId, start, end, aggregate)
    }
    this.#forward(record, start, end, aggregate, before)
    this.#restore(record)
  }

  /**
   * Keeps the record for its siblings. An update has no headers, unless it waits in a cache; a final result has those of the
   * record that closed it.
   */
  #save(record: FlowRecord): void {
    this.#saved.save(record)
    record.saveHeaders(this.#savedHeaders)
    if (!this.#isCached) record.setHeaders(noHeaders)
  }

  #restore(record: FlowRecord): void {
    this.#saved.restore(record)
    record.restoreHeaders(this.#savedHeaders)
  }

  /** What comes of the record and the sessions that it joins. */
  #aggregate(record: FlowRecord, keyId: number): unknown {
    const { initializer, aggregator, merger } = this.#options
    const value = this.#readsValue ? record.value() : undefined
    const key = this.#readsKey ? this.#store.keys.key(keyId) : undefined
    record.operator = this.#context.name
    let aggregate = initializer()
    for (let i = 0; i < this.#joined.length; i++) {
      aggregate = merger(aggregate, (this.#joined[i] as SessionEntry).value, key)
    }
    return aggregator(aggregate, value, key)
  }

  #emitClosed(record: FlowRecord, closedUntil: number): void {
    const { streamTime } = this.#context
    if (closedUntil <= streamTime.emitted) return
    streamTime.emitted = closedUntil
    this.#saved.save(record)
    this.#record = record
    this.#store.takeEnded(closedUntil, this.#emit)
    this.#saved.restore(record)
    this.#store.expireBefore(streamTime.observed - this.#store.retentionMs)
  }

  #forwardFinal({ keyId, start, end, value }: SessionEntry): void {
    const record = this.#record
    this.#store.keys.load(keyId, record)
    record.setWindow(start, end)
    record.setValue(value)
    record.oldValue = undefined
    record.timestamp = end
    this.#output.process(record)
  }

  #forward(record: FlowRecord, start: number, end: number, value: unknown, oldValue: unknown): void {
    if (this.#isFinal) return
    record.oldTimestamp = end
    record.setWindow(start, end)
    record.setValue(value)
    record.oldValue = oldValue
    record.timestamp = end
    this.#output.process(record)
  }
}
