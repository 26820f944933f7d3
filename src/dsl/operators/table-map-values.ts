import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import { emptySavedValue } from './saved-record.ts'
import type { RecordCallback } from './stateless.ts'
import type { TableOperatorOptions } from './table-filter.ts'
import { takesParameter } from './takes-parameter.ts'

/**
 * Maps the value of each row; a deletion is handed on without the mapper being called, and null from the mapper deletes.
 * Where the value before is asked for and no store has it, the one that the parent sent is mapped once more. After Kafka
 * Streams' KTableMapValues.
 */
export function tableMapValues(mapper: RecordCallback<unknown>, options: () => TableOperatorOptions): () => Processor {
  return () => new TableMapValues(mapper, options())
}

class TableMapValues implements Processor {
  readonly #mapper: RecordCallback<unknown>
  readonly #readsKey: boolean
  readonly #options: TableOperatorOptions
  readonly #saved: SavedValue = emptySavedValue()
  #name = ''
  #output!: Processor
  #store: KeyValueStore | undefined

  constructor(mapper: RecordCallback<unknown>, options: TableOperatorOptions) {
    this.#mapper = mapper
    this.#readsKey = takesParameter(mapper, 1)
    this.#options = options
  }

  init(context: ProcessorContext): void {
    const { store } = this.#options
    this.#name = context.name
    this.#output = context.output
    this.#store = store === undefined ? undefined : connectedStore(context, store, KeyValueStore)
  }

  process(record: FlowRecord): void {
    const store = this.#store
    const value = record.hasValue ? this.#map(record, record.value()) : undefined
    const entry = store?.entry(store.keyId(record))
    let oldValue: unknown
    if (this.#options.sendsOldValues) {
      if (entry !== undefined) oldValue = entry.value
      else if (record.oldValue !== undefined) oldValue = this.#map(record, record.oldValue)
    }
    if (entry !== undefined) store?.update(entry, value, record.timestamp)

    record.saveValue(this.#saved)
    record.setValue(value)
    record.oldValue = oldValue
    const wasLatest = record.isLatest
    // A store without versions takes what comes last for the latest.
    if (entry !== undefined) record.isLatest = true
    this.#output.process(record)
    record.isLatest = wasLatest
    record.restoreValue(this.#saved)
  }

  #map(record: FlowRecord, value: unknown): unknown {
    record.operator = this.#name
    const mapper = this.#mapper
    return mapper(value, this.#readsKey ? record.key() : undefined) ?? undefined
  }
}
