import type { Serde } from '../../serde/serde.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { SubscriptionResponse } from '../subscription.ts'
import { emptySavedValue } from './saved-record.ts'
import type { TableJoiner } from './table-table-join.ts'
import { takesParameter } from './takes-parameter.ts'
import type { ValueGetter, ValueGetterFactory } from './value-getter.ts'
import { ValueHash } from './value-hash.ts'

export interface ResponseJoinOptions {
  readonly joiner: TableJoiner
  readonly isLeft: boolean
  /** Looks rows of the left table up, whose values have this serde. */
  readonly table: ValueGetterFactory
  readonly value: Serde<unknown>
}

/**
 * Joins left rows with the right ones that answers to their subscriptions bring, and hands on the joined rows, or null for a
 * deletion. An answer for a value that the left row no longer has is dropped and counted as `stale`: another one is on its way.
 * After Kafka Streams' ResponseJoinProcessorSupplier.
 */
export function responseJoin(options: ResponseJoinOptions): () => Processor {
  return () => new ResponseJoin(options)
}

class ResponseJoin implements Processor {
  readonly #options: ResponseJoinOptions
  readonly #readsKey: boolean
  readonly #hash: ValueHash
  readonly #saved: SavedValue = emptySavedValue()
  #context!: ProcessorContext
  #name = ''
  #output!: Processor
  #table!: ValueGetter

  constructor(options: ResponseJoinOptions) {
    this.#options = options
    this.#readsKey = takesParameter(options.joiner, 2)
    this.#hash = new ValueHash(options.value)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.output
    this.#table = this.#options.table(context)
  }

  process(record: FlowRecord): void {
    const { hash, value } = record.value() as SubscriptionResponse
    const current = this.#table.get(record)
    if (!this.#isOf(hash, current)) {
      this.#context.drop('stale')
      return
    }
    record.saveValue(this.#saved)
    record.setValue(this.#join(record, current, value))
    this.#output.process(record)
    record.restoreValue(this.#saved)
  }

  #isOf(hash: Buffer | undefined, current: unknown): boolean {
    if (hash === undefined || current === undefined) return hash === undefined && current === undefined
    return hash.equals(this.#hash.of(current))
  }

  #join(record: FlowRecord, current: unknown, value: unknown): unknown {
    const { joiner, isLeft } = this.#options
    if (value === undefined && (!isLeft || current === undefined)) return undefined
    record.operator = this.#name
    return joiner(current ?? null, value ?? null, this.#readsKey ? record.key() : undefined)
  }
}
