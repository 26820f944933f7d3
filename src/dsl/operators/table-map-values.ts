import type { ValueTransformation } from '../../processor/value-transformation.ts'
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
  return () => new TableMapValues(new MapperCalls(mapper), options())
}

/** As `tableMapValues`, by transformers of the user's, which are called for deletions too. After KTableTransformValues. */
export function tableTransformValues(
  create: () => ValueTransformation,
  options: () => TableOperatorOptions,
): () => Processor {
  return () => new TableMapValues(new TransformerCalls(create()), options())
}

/** How values are made of a row's. */
interface ValueMaking {
  /** Whether it makes values also where a row has none. */
  readonly takesAbsence: boolean
  init(context: ProcessorContext): void
  /** undefined deletes. */
  make(record: FlowRecord, value: unknown): unknown
  close(): void
}

class MapperCalls implements ValueMaking {
  readonly takesAbsence = false
  readonly #mapper: RecordCallback<unknown>
  readonly #readsKey: boolean

  constructor(mapper: RecordCallback<unknown>) {
    this.#mapper = mapper
    this.#readsKey = takesParameter(mapper, 1)
  }

  init(): void {}

  make(record: FlowRecord, value: unknown): unknown {
    const mapper = this.#mapper
    return mapper(value, this.#readsKey ? record.key() : undefined) ?? undefined
  }

  close(): void {}
}

class TransformerCalls implements ValueMaking {
  readonly takesAbsence = true
  readonly #transformation: ValueTransformation

  constructor(transformation: ValueTransformation) {
    this.#transformation = transformation
  }

  init(context: ProcessorContext): void {
    this.#transformation.init(context)
  }

  make(record: FlowRecord, value: unknown): unknown {
    return this.#transformation.of(record, value)
  }

  close(): void {
    this.#transformation.close()
  }
}

class TableMapValues implements Processor {
  readonly #making: ValueMaking
  readonly #options: TableOperatorOptions
  readonly #saved: SavedValue = emptySavedValue()
  #name = ''
  #output!: Processor
  #givesOldValues = false
  #store: KeyValueStore | undefined

  constructor(making: ValueMaking, options: TableOperatorOptions) {
    this.#making = making
    this.#options = options
  }

  init(context: ProcessorContext): void {
    const { store, sendsOldValues } = this.#options
    const cache = store === undefined ? undefined : context.cacheOf(store, sendsOldValues)
    this.#name = context.name
    this.#givesOldValues = sendsOldValues || cache !== undefined
    this.#output = cache ?? context.output
    this.#store = store === undefined ? undefined : connectedStore(context, store, KeyValueStore)
    this.#making.init(context)
  }

  process(record: FlowRecord): void {
    const store = this.#store
    const { takesAbsence } = this.#making
    const value = record.hasValue || takesAbsence ? this.#make(record, record.value()) : undefined
    const entry = store?.entry(store.keyId(record))
    let oldValue: unknown
    if (this.#givesOldValues) {
      if (entry !== undefined) oldValue = entry.value
      else if (record.oldValue !== undefined || takesAbsence) oldValue = this.#make(record, record.oldValue ?? null)
    }
    if (entry !== undefined) {
      record.oldTimestamp = entry.timestamp
      store?.update(entry, value, record.timestamp)
    }

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

  close(): void {
    this.#making.close()
  }

  #make(record: FlowRecord, value: unknown): unknown {
    record.operator = this.#name
    return this.#making.make(record, value)
  }
}
