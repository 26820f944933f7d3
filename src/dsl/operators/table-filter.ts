import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import { emptySavedValue } from './saved-record.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'

export interface TableOperatorOptions {
  /** The name of a KeyValueStore for the operator's own rows; undefined where it has none. */
  readonly store: string | undefined
  /** Whether updates come, and are to be handed on, with the value before. */
  readonly sendsOldValues: boolean
  /** Whether updates come of any version of a row. */
  readonly isVersioned: boolean
}

/**
 * Keeps the rows for which the predicate holds (or does not); an update that brings a row out of the table is a deletion.
 * Where the value before is known, only rows that were in the table are deleted; where it is not, each update that does not
 * pass is handed on as a deletion. After Kafka Streams' KTableFilter.
 */
export function tableFilter(
  predicate: RecordCallback<boolean>,
  keepsWhen: boolean,
  options: () => TableOperatorOptions,
): () => Processor {
  return () => new TableFilter(predicate, keepsWhen, options())
}

class TableFilter implements Processor {
  readonly #predicate: RecordCallback<boolean>
  readonly #keepsWhen: boolean
  readonly #readsKey: boolean
  readonly #options: TableOperatorOptions
  readonly #saved: SavedValue = emptySavedValue()
  #name = ''
  #output!: Processor
  #givesOldValues = false
  #store: KeyValueStore | undefined

  constructor(predicate: RecordCallback<boolean>, keepsWhen: boolean, options: TableOperatorOptions) {
    this.#predicate = predicate
    this.#keepsWhen = keepsWhen
    this.#readsKey = takesParameter(predicate, 1)
    this.#options = options
  }

  init(context: ProcessorContext): void {
    const { store, sendsOldValues } = this.#options
    const cache = store === undefined ? undefined : context.cacheOf(store, sendsOldValues)
    this.#name = context.name
    this.#givesOldValues = sendsOldValues || cache !== undefined
    this.#output = cache ?? context.output
    this.#store = store === undefined ? undefined : connectedStore(context, store, KeyValueStore)
  }

  process(record: FlowRecord): void {
    const { sendsOldValues, isVersioned } = this.#options
    const store = this.#store
    const isKept = record.hasValue && this.#passes(record, record.value())
    const entry = store?.entry(store.keyId(record))
    let oldValue: unknown
    if (this.#givesOldValues) {
      oldValue = entry === undefined ? this.#oldValue(record) : entry.value
      // Of versions every one counts, also one that is not there where none was.
      if (sendsOldValues && !isKept && oldValue === undefined && !isVersioned) return
    }
    if (entry !== undefined) {
      record.oldTimestamp = entry.timestamp
      store?.update(entry, isKept ? record.value() : undefined, record.timestamp)
    }

    record.saveValue(this.#saved)
    if (!isKept) record.setValue(null)
    record.oldValue = oldValue
    const wasLatest = record.isLatest
    // A store without versions takes what comes last for the latest.
    if (entry !== undefined) record.isLatest = true
    this.#output.process(record)
    record.isLatest = wasLatest
    record.restoreValue(this.#saved)
  }

  /** The value before, if it was in the table. */
  #oldValue(record: FlowRecord): unknown {
    const oldValue = record.oldValue
    if (oldValue === undefined) return undefined
    // An aggregate that was changed in place does not show any more whether it was in the table: then it counts as one that was.
    if (typeof oldValue === 'object' && oldValue === record.value()) return oldValue
    return this.#passes(record, oldValue) ? oldValue : undefined
  }

  #passes(record: FlowRecord, value: unknown): boolean {
    record.operator = this.#name
    const predicate = this.#predicate
    return !!predicate(value, this.#readsKey ? record.key() : undefined) === this.#keepsWhen
  }
}
