import { type KeyValueEntry, KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import { emptySavedValue } from './saved-record.ts'

export interface TableOperatorOptions {
  /** The name of a KeyValueStore for the operator's own rows; undefined where it has none. */
  readonly store: string | undefined
  /** Whether updates come, and are to be handed on, with the value before. */
  readonly sendsOldValues: boolean
  /** Whether updates come of any version of a row. */
  readonly isVersioned: boolean
}

/** What operators share that make a table of another one's updates, row by row, with a store of their own or without. */
export class DerivedTable {
  protected readonly options: TableOperatorOptions
  protected name = ''
  /** Whether what was a row before is asked for: by those who come after, or by a record cache. */
  protected givesOldValues = false
  readonly #saved: SavedValue = emptySavedValue()
  #output!: Processor
  #store: KeyValueStore | undefined

  protected constructor(options: TableOperatorOptions) {
    this.options = options
  }

  init(context: ProcessorContext): void {
    const { store, sendsOldValues } = this.options
    const cache = store === undefined ? undefined : context.cacheOf(store, sendsOldValues)
    this.name = context.name
    this.givesOldValues = sendsOldValues || cache !== undefined
    this.#output = cache ?? context.output
    this.#store = store === undefined ? undefined : connectedStore(context, store, KeyValueStore)
  }

  /** The operator's own row for the record's key; undefined where it keeps none. */
  protected rowOf(record: FlowRecord): KeyValueEntry | undefined {
    return this.#store?.entry(this.#store.keyId(record))
  }

  /** Keeps the row, where the operator does, and hands the update on: with this value in place of the record's, unless it `isSame`. */
  protected handOn(
    record: FlowRecord,
    row: KeyValueEntry | undefined,
    value: unknown,
    isSame: boolean,
    oldValue: unknown,
  ): void {
    if (row !== undefined) {
      record.oldTimestamp = row.timestamp
      this.#store?.update(row, value, record.timestamp)
    }
    record.saveValue(this.#saved)
    if (!isSame) record.setValue(value)
    record.oldValue = oldValue
    const wasLatest = record.isLatest
    // A store without versions takes what comes last for the latest.
    if (row !== undefined) record.isLatest = true
    this.#output.process(record)
    record.isLatest = wasLatest
    record.restoreValue(this.#saved)
  }
}
