import { assert } from '../../errors.ts'
import { type SuppressEntry, SuppressStore } from '../../state/suppress-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import { SavedRecord } from './saved-record.ts'

export interface SuppressOptions {
  /** The name of a SuppressStore. */
  readonly store: string
  /** From a window's end until it is final, in event time: the grace period, and for sessions the gap too. */
  readonly graceMs: number
}

/**
 * Holds back the results of windows, and hands on one for each, the last, when its window is final: when its end is at
 * most `stream time - grace`. Finals come in the order of (window end, key bytes), with the timestamp of the result.
 * A deletion takes back what is held and is not handed on. After Kafka Streams' `suppress(untilWindowCloses(unbounded()))`.
 */
export function suppressUntilWindowCloses(options: SuppressOptions): () => Processor {
  return () => new Suppress(options)
}

class Suppress implements Processor {
  readonly #options: SuppressOptions
  readonly #saved = new SavedRecord()
  readonly #emit = (entry: SuppressEntry): void => this.#forward(entry)
  #context!: ProcessorContext
  #store!: SuppressStore
  #record!: FlowRecord

  constructor(options: SuppressOptions) {
    this.#options = options
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#store = connectedStore(context, this.#options.store, SuppressStore)
  }

  process(record: FlowRecord): void {
    assert(record.windowed, 'only results of windows come to suppress')
    const store = this.#store
    const streamTime = this.#context.streamTime
    if (record.timestamp > streamTime.observed) streamTime.observed = record.timestamp
    const keyId = store.keyId(record)
    const { windowStart, windowEnd } = record
    if (record.hasValue) store.put(keyId, windowStart, windowEnd, record.value(), record.timestamp)
    else store.remove(keyId, windowStart, windowEnd)

    const closedUntil = streamTime.observed - this.#options.graceMs
    if (store.earliestEnd > closedUntil) return
    this.#saved.save(record)
    this.#record = record
    store.evict(closedUntil, this.#emit)
    this.#saved.restore(record)
  }

  #forward(entry: SuppressEntry): void {
    const record = this.#record
    this.#store.keys.load(entry.keyId, record)
    record.setWindow(entry.start, entry.end)
    record.setValue(entry.value)
    record.oldValue = undefined
    record.timestamp = entry.timestamp
    this.#context.output.process(record)
  }
}
