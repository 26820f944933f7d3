import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord, SavedKey, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { Change } from '../change-serde.ts'
import { connectedStore } from './connected-store.ts'
import { emptySavedKey, emptySavedValue } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

type Aggregator = (aggregate: unknown, value: unknown, key: unknown) => unknown

export interface TableAggregateOptions {
  /** The name of a KeyValueStore. */
  readonly store: string
  /** The aggregate before the first row of a key; undefined where the first value stands for itself. */
  readonly initializer: () => unknown
  /** Takes a row into the aggregate; null or undefined deletes the aggregate. */
  readonly adder: Aggregator
  /** Takes a row out of the aggregate, which stays where none is left; null or undefined deletes it. */
  readonly subtractor: Aggregator
}

/**
 * Aggregates rows of a table: of each change the value before is subtracted, then the value now is added, and the result
 * handed on once. Its timestamp is the greatest of the rows'. After Kafka Streams' KTableAggregate and KTableReduce.
 */
export function tableAggregate(options: TableAggregateOptions): () => Processor {
  return () => new TableAggregate(options)
}

class TableAggregate implements Processor {
  readonly #options: TableAggregateOptions
  readonly #readsKey: boolean
  readonly #savedKey: SavedKey = emptySavedKey()
  readonly #savedValue: SavedValue = emptySavedValue()
  #context!: ProcessorContext
  #name = ''
  #output!: Processor
  #store!: KeyValueStore

  constructor(options: TableAggregateOptions) {
    this.#options = options
    this.#readsKey = takesParameter(options.adder, 2) || takesParameter(options.subtractor, 2)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.cacheOf(this.#options.store, true) ?? context.output
    this.#store = connectedStore(context, this.#options.store, KeyValueStore)
  }

  process(record: FlowRecord): void {
    if (!record.hasKey || !record.hasValue) {
      this.#context.drop(record.hasKey ? 'null-value' : 'null-key')
      return
    }
    const store = this.#store
    const keyId = store.keyId(record)
    const entry = store.entry(keyId)
    const { value: oldAggregate, timestamp: oldTimestamp } = entry
    const key = this.#readsKey ? store.keys.key(keyId) : undefined
    const aggregate = this.#aggregate(record, oldAggregate, key)
    const isOlder = oldAggregate !== undefined && entry.timestamp > record.timestamp
    store.update(entry, aggregate, isOlder ? entry.timestamp : record.timestamp)

    record.saveKey(this.#savedKey)
    record.saveValue(this.#savedValue)
    record.setValue(entry.value)
    record.oldValue = oldAggregate
    record.oldTimestamp = oldTimestamp
    record.timestamp = entry.timestamp
    this.#output.process(record)
    record.restoreKey(this.#savedKey)
    record.restoreValue(this.#savedValue)
  }

  #aggregate(record: FlowRecord, before: unknown, key: unknown): unknown {
    const { initializer, adder, subtractor } = this.#options
    const change = record.value() as Change
    record.operator = this.#name
    let aggregate = before
    if (change.oldValue !== null && before !== undefined) aggregate = subtractor(before, change.oldValue, key)
    if (change.newValue === null) return aggregate
    return adder(aggregate ?? initializer(), change.newValue, key)
  }
}
