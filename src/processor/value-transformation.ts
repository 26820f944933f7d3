import type { FlowRecord } from '../topology/flow-record.ts'
import type { ProcessorContext as StepContext } from '../topology/processor.ts'
import { callOnce } from './lifecycle.ts'
import type { ValueTransformer } from './processor.ts'
import { type AnyRecord, TaskProcessorContext } from './task-processor-context.ts'

/** A user's transformer as the operator of a table has it. */
export class ValueTransformation {
  readonly #transformer: ValueTransformer<unknown, unknown, unknown>
  readonly #transform = (record: AnyRecord): void => {
    this.#made = this.#transformer.transform(record.value, record.key, this.#context)
  }
  #operator = ''
  #context!: TaskProcessorContext
  #made: unknown

  constructor(transformer: ValueTransformer<unknown, unknown, unknown>) {
    this.#transformer = transformer
  }

  init(step: StepContext): void {
    this.#context = new TaskProcessorContext(step, 'nothing')
    this.#operator = step.name
    callOnce(step.name, 'init()', () => this.#transformer.init?.(this.#context))
  }

  /** The value made of a row's, which null stands for where there is none; undefined deletes. */
  of(record: FlowRecord, value: unknown): unknown {
    const given = { key: record.key(), value, timestamp: record.timestamp }
    this.#context.run(record, given, this.#transform)
    return this.#made ?? undefined
  }

  /** As `of`, for a row that is looked up: the record that looks has nothing to do with it. */
  ofRow(key: unknown, value: unknown): unknown {
    return this.#transformer.transform(value, key, this.#context) ?? undefined
  }

  close(): void {
    callOnce(this.#operator, 'close()', () => this.#transformer.close?.())
  }
}
