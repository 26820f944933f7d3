import type { KeyLookup } from '../../record/keys-ahead.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { refusePromise } from '../../topology/refuse-promise.ts'
import { emptySavedValue } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

/** What a step does with what its function returns: nothing, hand it on as the value, or hand the record on only where it is (un)true. */
export type ValueStepKind = 'looks' | 'maps' | 'keeps-true' | 'keeps-false'

/**
 * An operator that hands its record on with another value at most, or not at all: `mapValues`, `filter`, `peek`, `foreach`. Such operators
 * that follow one another are run by the first of them in one loop: the value goes from function to function, and only
 * what comes out of the last is put into the record, once. Where records go is not known before all processors are wired, so the run
 * is found at the first record.
 */
export class ValueStep implements Processor {
  readonly #kind: ValueStepKind
  readonly #callback: (value: unknown, key: unknown) => unknown
  readonly #readsKey: boolean
  readonly #saved: SavedValue = emptySavedValue()
  #name = ''
  #output!: Processor
  /** This step and those that follow; empty until the first record. */
  #run: readonly ValueStep[] = []
  /** Where the records of the last step go. */
  #end!: Processor

  constructor(kind: ValueStepKind, callback: (value: unknown, key: unknown) => unknown) {
    this.#kind = kind
    this.#callback = callback
    this.#readsKey = takesParameter(callback, 1)
  }

  init(context: ProcessorContext): void {
    this.#name = context.name
    this.#output = context.output
  }

  get keyLookup(): KeyLookup | undefined {
    return this.#output.keyLookup
  }

  process(record: FlowRecord): void {
    if (this.#run.length === 0) this.#findRun()
    const run = this.#run
    let value: unknown
    let isMapped = false
    for (let i = 0; i < run.length; i++) {
      const step = run[i]
      // Before anything is decoded, so that a failure can be told from where it came.
      record.operator = step.#name
      if (i === 0) value = record.value()
      const callback = step.#callback
      const made = callback(value, step.#readsKey ? record.key() : undefined)
      const kind = step.#kind
      if (kind === 'maps') {
        value = made === undefined ? null : made
        isMapped = true
      } else {
        if (typeof made === 'object') refusePromise(made, step.#name)
        // Callers in plain JavaScript may return anything that is true or false in a condition.
        if (kind !== 'looks' && !made === (kind === 'keeps-true')) return
      }
    }
    if (isMapped) this.#handOn(record, value)
    else this.#end.process(record)
  }

  #handOn(record: FlowRecord, value: unknown): void {
    record.saveValue(this.#saved)
    record.setValue(value)
    this.#end.process(record)
    record.restoreValue(this.#saved)
  }

  #findRun(): void {
    const run: ValueStep[] = [this]
    let next = this.#output
    while (next instanceof ValueStep) {
      run.push(next)
      next = next.#output
    }
    this.#run = run
    this.#end = next
  }
}
