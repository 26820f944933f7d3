import { ByteWriter } from '../../bytes/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { instruction, type Subscription } from '../subscription.ts'
import { SavedRecord } from './saved-record.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'
import { ValueHash } from './value-hash.ts'

export interface SubscriptionSendOptions {
  /** The key of the right row that belongs to a left one; null or undefined where there is none. */
  readonly foreignKey: RecordCallback<unknown>
  readonly isLeft: boolean
  readonly serdes: {
    /** Of the left table's keys and values. */
    readonly key: Serde<unknown>
    readonly value: Serde<unknown>
    readonly foreign: Serde<unknown>
  }
}

/**
 * The left table of a foreign-key join: has each of its rows subscribe to the right row that belongs to it, and end the
 * subscription to the one that no longer does. After Kafka Streams' SubscriptionSendProcessorSupplier, as of 4.0. Needs the values before.
 */
export function subscriptionSend(options: SubscriptionSendOptions): () => Processor {
  return () => new SubscriptionSend(options)
}

class SubscriptionSend implements Processor {
  readonly #options: SubscriptionSendOptions
  readonly #readsKey: boolean
  readonly #hash: ValueHash
  readonly #saved = new SavedRecord()
  readonly #oldKey = new ByteWriter(64)
  readonly #newKey = new ByteWriter(64)
  readonly #primaryKey = new ByteWriter(64)
  /** Written by the sink before it returns, and so the same object for all records. */
  readonly #subscription: Subscription = { hash: undefined, instruction: 0, primaryKey: Buffer.alloc(0), partition: 0 }
  #context!: ProcessorContext
  #name = ''
  #output!: Processor

  constructor(options: SubscriptionSendOptions) {
    this.#options = options
    this.#readsKey = takesParameter(options.foreignKey, 1)
    this.#hash = new ValueHash(options.serdes.value)
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
    const hadValue = record.oldValue !== undefined
    if (!hadValue && !record.hasValue) return
    const before = hadValue ? this.#foreignKey(record, record.oldValue) : undefined
    const now = record.hasValue ? this.#foreignKey(record, record.value()) : undefined
    this.#describeRow(record)
    this.#saved.save(record)
    record.oldValue = undefined
    if (this.#options.isLeft) this.#sendOuter(record, before, now)
    else this.#sendInner(record, before, now)
    this.#saved.restore(record)
  }

  #sendOuter(record: FlowRecord, before: unknown, now: unknown): void {
    if (before !== undefined && !this.#isSame(before, now)) this.#send(record, before, instruction.forget)
    this.#send(record, now, instruction.keepAndAnswer)
  }

  #sendInner(record: FlowRecord, before: unknown, now: unknown): void {
    if (before === undefined) {
      if (now === undefined) this.#context.drop('null-foreign-key')
      else this.#send(record, now, instruction.keepAndAnswerIfFound)
    } else if (now === undefined) {
      this.#send(record, before, instruction.forgetAndAnswer)
    } else if (this.#isSame(before, now)) {
      this.#send(record, now, instruction.keepAndAnswerIfFound)
    } else {
      this.#send(record, before, instruction.forget)
      // Also where there is no such row: what was joined with the one before must go.
      this.#send(record, now, instruction.keepAndAnswer)
    }
  }

  #foreignKey(record: FlowRecord, value: unknown): unknown {
    record.operator = this.#name
    const { foreignKey } = this.#options
    return foreignKey(value, this.#readsKey ? record.key() : undefined) ?? undefined
  }

  #describeRow(record: FlowRecord): void {
    const { key } = this.#options.serdes
    const out = this.#primaryKey
    out.clear()
    if (record.keyStart >= 0 && record.keySerde === key && !record.windowed) {
      out.writeRange(record.keyBytes, record.keyStart, record.keyEnd)
    } else key.write(record.key(), out)
    const subscription = this.#subscription
    subscription.primaryKey = out.buffer.subarray(0, out.length)
    subscription.hash = record.hasValue ? this.#hash.of(record.value()) : undefined
    subscription.partition = record.partition
  }

  #send(record: FlowRecord, foreignKey: unknown, what: number): void {
    this.#subscription.instruction = what
    record.setKey(foreignKey)
    record.setValue(this.#subscription)
    this.#output.process(record)
  }

  #isSame(before: unknown, now: unknown): boolean {
    if (before === now) return true
    if (now === undefined) return false
    const { foreign } = this.#options.serdes
    const [left, right] = [this.#oldKey, this.#newKey]
    left.clear()
    right.clear()
    foreign.write(before, left)
    foreign.write(now, right)
    return left.buffer.compare(right.buffer, 0, right.length, 0, left.length) === 0
  }
}
