import { type SessionEntry, SessionStore } from '../../state/session-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { SessionWindows } from '../windows.ts'
import { connectedStore, requireRetention } from './connected-store.ts'
import { SavedRecord } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

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
  /** The side child that takes records which came too late. */
  readonly lateChild?: string | undefined
}

/**
 * Aggregates the records of each key in sessions, and hands on every change: for each session that a record joins a
 * deletion with that session's window and its end as timestamp, then the session that came of it. After Kafka Streams'
 * KStreamSessionWindowAggregate: sessions at most a gap away are joined; a record is late where the session it would
 * end up in ends before `stream time - gap - grace`, so that a late record can still join an open session.
 */
export function sessionAggregate(options: SessionAggregateOptions): () => Processor {
  return () => new SessionAggregate(options)
}

class SessionAggregate implements Processor {
  readonly #options: SessionAggregateOptions
  readonly #readsValue: boolean
  readonly #readsKey: boolean
  readonly #gapMs: number
  readonly #saved = new SavedRecord()
  readonly #joined: SessionEntry[] = []
  #context!: ProcessorContext
  #output!: Processor
  #late: Processor | undefined
  #store!: SessionStore

  constructor(options: SessionAggregateOptions) {
    this.#options = options
    // Functions that can see nothing but the aggregates, as count's, need neither value nor key decoded.
    this.#readsValue = takesParameter(options.aggregator, 1)
    this.#readsKey = takesParameter(options.aggregator, 2) || takesParameter(options.merger, 2)
    this.#gapMs = options.windows.gapMs
  }

  init(context: ProcessorContext): void {
    const { store, lateChild, windows } = this.#options
    this.#context = context
    this.#output = context.output
    this.#late = lateChild === undefined ? undefined : context.outputTo(lateChild)
    this.#store = connectedStore(context, store, SessionStore)
    requireRetention(context, store, this.#store.retentionMs, windows.gapMs + windows.graceMs)
    this.#store.expireBefore(context.streamTime.observed - this.#store.retentionMs)
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
    if (timestamp > streamTime.observed) {
      streamTime.observed = timestamp
      this.#store.expireBefore(timestamp - this.#store.retentionMs)
    }
    const keyId = this.#store.keyId(record)
    const joined = this.#joined
    this.#store.find(keyId, timestamp - this.#gapMs, timestamp + this.#gapMs, joined)
    let start = timestamp
    let end = timestamp
    for (let i = 0; i < joined.length; i++) {
      const session = joined[i] as SessionEntry
      if (session.start < start) start = session.start
      if (session.end > end) end = session.end
    }
    if (end < streamTime.observed - this.#gapMs - this.#options.windows.graceMs) {
      context.drop('late')
      this.#late?.process(record)
    } else this.#update(record, keyId, start, end)
  }

  #update(record: FlowRecord, keyId: number, start: number, end: number): void {
    const store = this.#store
    const joined = this.#joined
    const aggregate = this.#aggregate(record, keyId)
    this.#saved.save(record)
    store.keys.loadOwn(keyId, record)
    const only = joined.length === 1 ? (joined[0] as SessionEntry) : undefined
    if (only !== undefined && only.start === start && only.end === end) {
      // A second record at the only time of a session replaces its row, without a deletion before it.
      if (start !== end) this.#forward(record, start, end, undefined, only.value)
      store.update(only, aggregate)
    } else {
      for (let i = 0; i < joined.length; i++) {
        const session = joined[i] as SessionEntry
        this.#forward(record, session.start, session.end, undefined, session.value)
        store.remove(session)
      }
      store.put(keyId, start, end, aggregate)
    }
    this.#forward(record, start, end, aggregate, undefined)
    this.#saved.restore(record)
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

  #forward(record: FlowRecord, start: number, end: number, value: unknown, oldValue: unknown): void {
    record.setWindow(start, end)
    record.setValue(value)
    record.oldValue = oldValue
    record.timestamp = end
    this.#output.process(record)
  }
}
