/**
 * The operators that remember nothing. Each hands on the one record of its task: what it changes for its children it puts
 * back after they ran, because its siblings see the same record, and nothing is allocated per record. `record.operator` is set before each call
 * of a user's function, so that a failure can be told from where it came.
 */
import { MillraceError } from '../../errors.ts'
import type { FlowRecord, SavedKey, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { emptySavedKey, emptySavedValue } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'
import { ValueStep } from './value-step.ts'

/** A user's function of a record. */
export type RecordCallback<R> = (value: unknown, key: unknown) => R

export function filter(predicate: RecordCallback<boolean>, keepsWhen: boolean): () => Processor {
  return () => new ValueStep(keepsWhen ? 'keeps-true' : 'keeps-false', predicate)
}

export function mapValues(mapper: RecordCallback<unknown>): () => Processor {
  return () => new ValueStep('maps', mapper)
}

export function flatMapValues(mapper: RecordCallback<readonly unknown[]>): () => Processor {
  return () => new FlatMapValues(mapper)
}

export function map(mapper: RecordCallback<readonly [unknown, unknown]>): () => Processor {
  return () => new MapRecord(mapper)
}

export function flatMap(mapper: RecordCallback<readonly (readonly [unknown, unknown])[]>): () => Processor {
  return () => new FlatMap(mapper)
}

export function selectKey(mapper: RecordCallback<unknown>): () => Processor {
  return () => new SelectKey(mapper)
}

export function peek(action: RecordCallback<void>): () => Processor {
  return () => new ValueStep('looks', action)
}

export function passThrough(): Processor {
  return new PassThrough()
}

/** Stands before a repartition topic, which has no partition for a record without a key. */
export function dropNullKeys(): Processor {
  return new DropNullKeys()
}

/** From the updates of a table to a stream of records: there the value before has no meaning. */
export function tableToStream(): Processor {
  return new TableToStream()
}

class Discard implements Processor {
  process(): void {}
}

const nowhere = new Discard()

/** Knows where records go. */
class Step {
  protected output: Processor = nowhere

  init(context: ProcessorContext): void {
    this.output = context.output
  }
}

/** Calls a user's function for each record. */
class CallbackStep<R> extends Step {
  #name = ''
  readonly #callback: RecordCallback<R>
  readonly #readsKey: boolean

  constructor(callback: RecordCallback<R>) {
    super()
    this.#callback = callback
    this.#readsKey = takesParameter(callback, 1)
  }

  override init(context: ProcessorContext): void {
    super.init(context)
    this.#name = context.name
  }

  protected call(record: FlowRecord): R {
    record.operator = this.#name
    const callback = this.#callback
    return callback(record.value(), this.#readsKey ? record.key() : undefined)
  }

  /** For functions that make several records of one; a string or a single pair would otherwise be taken apart. */
  protected requireList(made: unknown): void {
    if (Array.isArray(made)) return
    throw new MillraceError('OPERATOR_FAILED', `The function returned ${made === null ? 'null' : typeof made}`, {
      at: { operator: this.#name },
      remedy: 'Return an array, empty where nothing is to be handed on.',
    })
  }
}

class FlatMapValues extends CallbackStep<readonly unknown[]> implements Processor {
  readonly #saved: SavedValue = emptySavedValue()

  process(record: FlowRecord): void {
    const values = this.call(record)
    this.requireList(values)
    record.saveValue(this.#saved)
    for (let i = 0; i < values.length; i++) {
      record.setValue(values[i])
      this.output.process(record)
    }
    record.restoreValue(this.#saved)
  }
}

class MapRecord extends CallbackStep<readonly [unknown, unknown]> implements Processor {
  readonly #savedKey: SavedKey = emptySavedKey()
  readonly #savedValue: SavedValue = emptySavedValue()

  process(record: FlowRecord): void {
    const pair = this.call(record)
    this.requireList(pair)
    record.saveKey(this.#savedKey)
    record.saveValue(this.#savedValue)
    record.setKey(pair[0])
    record.setValue(pair[1])
    this.output.process(record)
    record.restoreKey(this.#savedKey)
    record.restoreValue(this.#savedValue)
  }
}

class FlatMap extends CallbackStep<readonly (readonly [unknown, unknown])[]> implements Processor {
  readonly #savedKey: SavedKey = emptySavedKey()
  readonly #savedValue: SavedValue = emptySavedValue()

  process(record: FlowRecord): void {
    const pairs = this.call(record)
    this.requireList(pairs)
    record.saveKey(this.#savedKey)
    record.saveValue(this.#savedValue)
    for (let i = 0; i < pairs.length; i++) {
      const pair = pairs[i]
      this.requireList(pair)
      record.setKey(pair[0])
      record.setValue(pair[1])
      this.output.process(record)
    }
    record.restoreKey(this.#savedKey)
    record.restoreValue(this.#savedValue)
  }
}

class SelectKey extends CallbackStep<unknown> implements Processor {
  readonly #saved: SavedKey = emptySavedKey()

  process(record: FlowRecord): void {
    const key = this.call(record)
    record.saveKey(this.#saved)
    record.setKey(key)
    this.output.process(record)
    record.restoreKey(this.#saved)
  }
}

class PassThrough extends Step implements Processor {
  process(record: FlowRecord): void {
    this.output.process(record)
  }
}

class DropNullKeys extends Step implements Processor {
  #context: ProcessorContext | undefined

  override init(context: ProcessorContext): void {
    super.init(context)
    this.#context = context
  }

  process(record: FlowRecord): void {
    if (record.hasKey) this.output.process(record)
    else this.#context?.drop('null-key')
  }
}

class TableToStream extends Step implements Processor {
  process(record: FlowRecord): void {
    const { oldValue, isLatest } = record
    record.oldValue = undefined
    // Records of a stream are of no version: a table that is made of them takes what comes last for the latest.
    record.isLatest = true
    this.output.process(record)
    record.oldValue = oldValue
    record.isLatest = isLatest
  }
}
