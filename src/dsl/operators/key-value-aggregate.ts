import type { KeyLookup } from '../../record/keys-ahead.ts'
import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import { emptySavedValue } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

export interface KeyValueAggregateOptions {
  /** The name of a KeyValueStore. */
  readonly store: string
  /** The aggregate before the first record of a key; undefined where the first value stands for itself. */
  readonly initializer: () => unknown
  /** Returns the new aggregate; null or undefined deletes, and the next record begins anew. */
  readonly aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
  /** Whether records without a value are dropped; otherwise the aggregator is given null. */
  readonly skipsNullValues: boolean
}

/**
 * Aggregates the records of each key, and hands on every new result, whose timestamp is the greatest of its records.
 * After Kafka Streams' KStreamAggregate and KStreamReduce. The aggregator may change the aggregate in place and return
 * it: then the old value handed on is that same object.
 */
export function keyValueAggregate(options: KeyValueAggregateOptions): () => Processor {
  return () => new KeyValueAggregate(options)
}

class KeyValueAggregate implements Processor {
  readonly #options: KeyValueAggregateOptions
  readonly #aggregator: (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly #readsValue: boolean
  readonly #readsKey: boolean
  readonly #saved: SavedValue = emptySavedValue()
  #context!: ProcessorContext
  #output!: Processor
  #store!: KeyValueStore
  #name = ''

  constructor(options: KeyValueAggregateOptions) {
    this.#options = options
    this.#aggregator = options.aggregator
    // An aggregator that can see nothing but its first argument, as count's, needs neither value nor key decoded.
    this.#readsValue = takesParameter(options.aggregator, 1)
    this.#readsKey = takesParameter(options.aggregator, 2)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.cacheOf(this.#options.store, true) ?? context.output
    this.#store = connectedStore(context, this.#options.store, KeyValueStore)
  }

  get keyLookup(): KeyLookup {
    return this.#store
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
    if (record.timestamp > context.streamTime.observed) context.streamTime.observed = record.timestamp
    const store = this.#store
    const keyId = store.keyId(record)
    const entry = store.entry(keyId)
    const { value: oldValue, timestamp: oldTimestamp } = entry
    const value = this.#readsValue ? record.value() : undefined
    const key = this.#readsKey ? store.keys.key(keyId) : undefined

    record.operator = this.#name
    const before = oldValue === undefined ? this.#options.initializer() : oldValue
    const aggregator = this.#aggregator
    const after = aggregator(before, value, key)
    const { timestamp } = record
    const isOlder = oldValue !== undefined && entry.timestamp > timestamp
    store.update(entry, after, isOlder ? entry.timestamp : timestamp)

    record.saveValue(this.#saved)
    record.setValue(entry.value)
    record.oldValue = oldValue
    record.oldTimestamp = oldTimestamp
    record.timestamp = entry.timestamp
    this.#output.process(record)
    record.restoreValue(this.#saved)
    record.timestamp = timestamp
  }
}
