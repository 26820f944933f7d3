import { ByteWriter } from '../../bytes/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { Change } from '../change-serde.ts'
import { SavedRecord } from './saved-record.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'

type Pair = readonly [key: unknown, value: unknown]

/**
 * Gives rows of a table a new key and value, for an aggregation by the new key: each update becomes the change that it is
 * for the group of the row before, and for the group of the row now, in that order, or one change where both are the same
 * group. A row without key or value has no group, and only the latest version of a row is in one. After Kafka Streams' KTableRepartitionMap.
 */
export function tableSelect(selector: RecordCallback<Pair | null | undefined>, key: Serde<unknown>): () => Processor {
  return () => new TableSelect(selector, key)
}

class TableSelect implements Processor {
  readonly #selector: RecordCallback<Pair | null | undefined>
  readonly #readsKey: boolean
  readonly #keySerde: Serde<unknown>
  readonly #saved = new SavedRecord()
  /** Written by the sink before it returns, and so the same object for all records. */
  readonly #change: Change = { oldValue: null, newValue: null }
  readonly #oldKey = new ByteWriter(64)
  readonly #newKey = new ByteWriter(64)
  #context!: ProcessorContext
  #name = ''
  #output!: Processor

  constructor(selector: RecordCallback<Pair | null | undefined>, key: Serde<unknown>) {
    this.#selector = selector
    this.#readsKey = takesParameter(selector, 1)
    this.#keySerde = key
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.output
  }

  process(record: FlowRecord): void {
    if (!record.isLatest) {
      this.#context.drop('not-latest')
      return
    }
    const before = record.oldValue === undefined ? undefined : this.#select(record, record.oldValue)
    const after = record.hasValue ? this.#select(record, record.value()) : undefined
    if (before === undefined && after === undefined) return
    this.#saved.save(record)
    record.oldValue = undefined
    if (before !== undefined && after !== undefined && this.#isSameKey(before[0], after[0])) {
      this.#forward(record, after[0], before[1], after[1])
    } else {
      if (before !== undefined) this.#forward(record, before[0], before[1], null)
      if (after !== undefined) this.#forward(record, after[0], null, after[1])
    }
    this.#saved.restore(record)
  }

  /** The new key and value; undefined where one of them is missing. */
  #select(record: FlowRecord, value: unknown): Pair | undefined {
    record.operator = this.#name
    const selector = this.#selector
    const pair = selector(value, this.#readsKey ? record.key() : undefined)
    return pair === null || pair === undefined || isMissing(pair[0]) || isMissing(pair[1]) ? undefined : pair
  }

  #forward(record: FlowRecord, key: unknown, oldValue: unknown, newValue: unknown): void {
    const change = this.#change
    change.oldValue = oldValue
    change.newValue = newValue
    record.setKey(key)
    record.setValue(change)
    this.#output.process(record)
  }

  #isSameKey(before: unknown, after: unknown): boolean {
    if (before === after) return true
    if (typeof before !== 'object' || typeof after !== 'object') return false
    this.#oldKey.clear()
    this.#newKey.clear()
    this.#keySerde.write(before, this.#oldKey)
    this.#keySerde.write(after, this.#newKey)
    const [left, right] = [this.#oldKey, this.#newKey]
    return left.buffer.compare(right.buffer, 0, right.length, 0, left.length) === 0
  }
}

function isMissing(part: unknown): boolean {
  return part === null || part === undefined
}
