import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { emptySavedValue } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'
import type { ValueGetter, ValueGetterFactory } from './value-getter.ts'

export interface StreamTableJoinOptions {
  /** Makes a value of a record's and the table's; in a left join the table's may be null. */
  readonly joiner: (value: unknown, tableValue: unknown, key: unknown) => unknown
  readonly table: ValueGetterFactory
  /** A left join hands on also what has no row in the table, and records without a key. */
  readonly isLeft: boolean
}

/**
 * Looks each record's key up in a table, as the table is at that moment, and hands on what the joiner makes of both values.
 * Updates of the table hand on nothing. Records without a value are dropped and counted; so are those without a key, but
 * not in a left join. After Kafka Streams' KStreamKTableJoin.
 */
export function streamTableJoin(options: StreamTableJoinOptions): () => Processor {
  return () => new StreamTableJoin(options)
}

class StreamTableJoin implements Processor {
  readonly #options: StreamTableJoinOptions
  readonly #isLeft: boolean
  readonly #readsKey: boolean
  readonly #saved: SavedValue = emptySavedValue()
  #context!: ProcessorContext
  #name = ''
  #output!: Processor
  #table!: ValueGetter

  constructor(options: StreamTableJoinOptions) {
    this.#options = options
    this.#isLeft = options.isLeft
    this.#readsKey = takesParameter(options.joiner, 2)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.output
    this.#table = this.#options.table(context)
  }

  process(record: FlowRecord): void {
    if (!record.hasValue) {
      this.#context.drop('null-value')
      return
    }
    if (!record.hasKey && !this.#isLeft) {
      this.#context.drop('null-key')
      return
    }
    const tableValue = record.hasKey ? this.#table.get(record) : undefined
    if (tableValue === undefined && !this.#isLeft) return
    record.operator = this.#name
    const { joiner } = this.#options
    const joined = joiner(record.value(), tableValue ?? null, this.#readsKey ? record.key() : undefined)
    record.saveValue(this.#saved)
    record.setValue(joined)
    this.#output.process(record)
    record.restoreValue(this.#saved)
  }
}
