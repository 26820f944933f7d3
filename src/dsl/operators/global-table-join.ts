import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { globalStore } from './connected-store.ts'
import { emptySavedValue } from './saved-record.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'

export interface GlobalTableJoinOptions {
  /** The name of the global table's KeyValueStore. */
  readonly store: string
  /** Makes the table's key of a record; null or undefined where it has none. */
  readonly keySelector: RecordCallback<unknown>
  /** Makes a value of a record's and the table's; in a left join the table's may be null. */
  readonly joiner: (value: unknown, tableValue: unknown, key: unknown) => unknown
  /** A left join hands on also what has no row in the table, and records for which no key is made. */
  readonly isLeft: boolean
}

/**
 * Looks up in a global table the row whose key a function makes of each record, and hands on what the joiner makes of both
 * values; the record's own key may be missing. Records without a value are dropped and counted; so are those for which no
 * key is made, but not in a left join. After Kafka Streams' KStreamGlobalKTableJoin.
 */
export function globalTableJoin(options: GlobalTableJoinOptions): () => Processor {
  return () => new GlobalTableJoin(options)
}

class GlobalTableJoin implements Processor {
  readonly #options: GlobalTableJoinOptions
  readonly #selectorReadsKey: boolean
  readonly #joinerReadsKey: boolean
  readonly #saved: SavedValue = emptySavedValue()
  #context!: ProcessorContext
  #store!: KeyValueStore

  constructor(options: GlobalTableJoinOptions) {
    this.#options = options
    this.#selectorReadsKey = takesParameter(options.keySelector, 1)
    this.#joinerReadsKey = takesParameter(options.joiner, 2)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#store = globalStore(context, this.#options.store, KeyValueStore)
  }

  process(record: FlowRecord): void {
    const context = this.#context
    if (!record.hasValue) {
      context.drop('null-value')
      return
    }
    const { keySelector, joiner, isLeft } = this.#options
    record.operator = context.name
    const tableKey = keySelector(record.value(), this.#selectorReadsKey ? record.key() : undefined) ?? null
    if (tableKey === null && !isLeft) {
      context.drop('null-key')
      return
    }
    const row = tableKey === null ? undefined : this.#store.get(tableKey)
    if (row === undefined && !isLeft) return
    const joined = joiner(record.value(), row?.value ?? null, this.#joinerReadsKey ? record.key() : undefined)
    record.saveValue(this.#saved)
    record.setValue(joined)
    context.output.process(record)
    record.restoreValue(this.#saved)
  }
}
