import { requireMade, requireMaker } from '../arguments.ts'
import { MillraceError } from '../errors.ts'
import type { FlowRecord } from '../topology/flow-record.ts'
import type { Processor as Step, ProcessorContext as StepContext } from '../topology/processor.ts'
import { refusePromise } from '../topology/refuse-promise.ts'
import { callOnce } from './lifecycle.ts'
import type { FixedKeyProcessor, FixedKeyProcessorSupplier, Processor, ProcessorSupplier } from './processor.ts'
import { FixedKeyRecord, ProcessorRecord } from './processor-record.ts'
import { TaskProcessorContext } from './task-processor-context.ts'

/**
 * Makes the steps of a topology that run a user's processors.
 * @throws MillraceError INVALID_TOPOLOGY where the supplier makes the same processor twice
 */
export function processorSteps<KIn, VIn, KOut, VOut>(
  supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
  operator: string,
): () => Step {
  requireSupplier(supplier, operator, 'process')
  // The types were those of the streams that the processor stands between; a step has records of unknown ones.
  return () =>
    new RecordStep(callOnce(operator, 'The supplier', supplier) as Processor<unknown, unknown, unknown, unknown>)
}

/** As `processorSteps`, for processors that leave keys as they are. */
export function fixedKeyProcessorSteps<KIn, VIn, VOut>(
  supplier: FixedKeyProcessorSupplier<KIn, VIn, VOut>,
  operator: string,
): () => Step {
  requireSupplier(supplier, operator, 'process')
  return () =>
    new FixedKeyStep(callOnce(operator, 'The supplier', supplier) as FixedKeyProcessor<unknown, unknown, unknown>)
}

class RecordStep implements Step {
  readonly #processor: Processor<unknown, unknown, unknown, unknown>
  readonly #process: (record: ProcessorRecord<unknown, unknown>) => void
  #name = ''
  #context!: TaskProcessorContext

  constructor(processor: Processor<unknown, unknown, unknown, unknown>) {
    this.#processor = processor
    this.#process = (record) => {
      const returned: unknown = processor.process(record, this.#context)
      if (returned !== undefined) refusePromise(returned, this.#name)
    }
  }

  init(step: StepContext): void {
    this.#name = step.name
    this.#context = new TaskProcessorContext(step, 'anything')
    callOnce(step.name, 'init()', () => this.#processor.init?.(this.#context))
  }

  process(record: FlowRecord): void {
    record.operator = this.#name
    const given = new ProcessorRecord(record.key(), record.value(), record.timestamp, record.headers())
    this.#context.run(record, given, this.#process)
  }

  close(): void {
    callOnce(this.#name, 'close()', () => this.#processor.close?.())
  }
}

class FixedKeyStep implements Step {
  readonly #processor: FixedKeyProcessor<unknown, unknown, unknown>
  readonly #process: (record: FixedKeyRecord<unknown, unknown>) => void
  #name = ''
  #context!: TaskProcessorContext

  constructor(processor: FixedKeyProcessor<unknown, unknown, unknown>) {
    this.#processor = processor
    this.#process = (record) => {
      const returned: unknown = processor.process(record, this.#context)
      if (returned !== undefined) refusePromise(returned, this.#name)
    }
  }

  init(step: StepContext): void {
    this.#name = step.name
    this.#context = new TaskProcessorContext(step, 'fixed-keys')
    callOnce(step.name, 'init()', () => this.#processor.init?.(this.#context))
  }

  process(record: FlowRecord): void {
    record.operator = this.#name
    const given = new FixedKeyRecord(record.key(), record.value(), record.timestamp, record.headers())
    this.#context.run(record, given, this.#process)
  }

  close(): void {
    callOnce(this.#name, 'close()', () => this.#processor.close?.())
  }
}

/** Tasks must not share a processor, as they would where a supplier hands out one that it made before. */
export function requireSupplier(supplier: () => unknown, operator: string, method: 'process' | 'transform'): void {
  requireMaker(operator, supplier, method)
  const first = supplier()
  requireMade(operator, first, method)
  if (supplier() !== first) return
  throw new MillraceError('INVALID_TOPOLOGY', 'The supplier makes the same processor each time', {
    at: { operator },
    remedy: 'Make the processor within the supplier, so that each task has one of its own.',
  })
}
