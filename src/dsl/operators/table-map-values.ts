import type { ValueTransformation } from '../../processor/value-transformation.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { DerivedTable, type TableOperatorOptions } from './derived-table.ts'
import type { RecordCallback } from './stateless.ts'
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

class TableMapValues extends DerivedTable implements Processor {
  readonly #making: ValueMaking

  constructor(making: ValueMaking, options: TableOperatorOptions) {
    super(options)
    this.#making = making
  }

  override init(context: ProcessorContext): void {
    super.init(context)
    this.#making.init(context)
  }

  process(record: FlowRecord): void {
    const { takesAbsence } = this.#making
    const value = record.hasValue || takesAbsence ? this.#make(record, record.value()) : undefined
    const row = this.rowOf(record)
    let oldValue: unknown
    if (this.givesOldValues) {
      if (row !== undefined) oldValue = row.value
      else if (record.oldValue !== undefined || takesAbsence) oldValue = this.#make(record, record.oldValue ?? null)
    }
    this.handOn(record, row, value, false, oldValue)
  }

  close(): void {
    this.#making.close()
  }

  #make(record: FlowRecord, value: unknown): unknown {
    record.operator = this.name
    return this.#making.make(record, value)
  }
}
