import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor } from '../../topology/processor.ts'
import { DerivedTable, type TableOperatorOptions } from './derived-table.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'

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

class TableFilter extends DerivedTable implements Processor {
  readonly #predicate: RecordCallback<boolean>
  readonly #keepsWhen: boolean
  readonly #readsKey: boolean

  constructor(predicate: RecordCallback<boolean>, keepsWhen: boolean, options: TableOperatorOptions) {
    super(options)
    this.#predicate = predicate
    this.#keepsWhen = keepsWhen
    this.#readsKey = takesParameter(predicate, 1)
  }

  process(record: FlowRecord): void {
    const { sendsOldValues, isVersioned } = this.options
    const isKept = record.hasValue && this.#passes(record, record.value())
    const row = this.rowOf(record)
    let oldValue: unknown
    if (this.givesOldValues) {
      oldValue = row === undefined ? this.#oldValue(record) : row.value
      // Of versions every one counts, also one that is not there where none was.
      if (sendsOldValues && !isKept && oldValue === undefined && !isVersioned) return
    }
    // What is kept need not be decoded again further down.
    this.handOn(record, row, isKept && row !== undefined ? record.value() : undefined, isKept, oldValue)
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
    record.operator = this.name
    const predicate = this.#predicate
    return !!predicate(value, this.#readsKey ? record.key() : undefined) === this.#keepsWhen
  }
}
