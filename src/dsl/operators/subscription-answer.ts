import type { Serde } from '../../serde/serde.ts'
import { afterPrefix } from '../../state/key-bounds.ts'
import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { CombinedKey, instruction, type Subscription, type SubscriptionResponse } from '../subscription.ts'
import { connectedStore } from './connected-store.ts'
import { SavedRecord } from './saved-record.ts'
import type { ValueGetter, ValueGetterFactory } from './value-getter.ts'

/**
 * Answers each subscription that comes with the right row as it is now. The answer's timestamp is the later one of both.
 * `key` is the serde of the left table's keys. After Kafka Streams' SubscriptionJoinProcessorSupplier.
 */
export function answerSubscription(table: ValueGetterFactory, key: Serde<unknown>): () => Processor {
  return () => new AnswerSubscription(table, key)
}

/**
 * Tells all subscribers of an update of the right table, in the order of their keys' bytes. `store` names the subscriptions,
 * `key` and `foreign` are the serdes of the left and the right table's keys. After Kafka Streams' ForeignTableJoinProcessorSupplier.
 */
export function tellSubscribers(store: string, key: Serde<unknown>, foreign: Serde<unknown>): () => Processor {
  return () => new TellSubscribers(store, key, foreign)
}

/** Sends responses. The response object is the same for all: the sink writes it before it returns. */
class Responder {
  protected output!: Processor
  readonly #key: Serde<unknown>
  readonly #response: SubscriptionResponse = { hash: undefined, value: undefined, partition: -1 }

  constructor(key: Serde<unknown>) {
    this.#key = key
  }

  init(context: ProcessorContext): void {
    this.output = context.output
  }

  protected respond(record: FlowRecord, { hash, primaryKey, partition }: Subscription, value: unknown): void {
    const response = this.#response
    response.hash = hash
    response.value = value
    response.partition = partition
    record.loadKey(primaryKey, 0, primaryKey.length, this.#key)
    record.setValue(response)
    this.output.process(record)
  }
}

class AnswerSubscription extends Responder implements Processor {
  readonly #makeTable: ValueGetterFactory
  readonly #saved = new SavedRecord()
  #table!: ValueGetter

  constructor(table: ValueGetterFactory, key: Serde<unknown>) {
    super(key)
    this.#makeTable = table
  }

  override init(context: ProcessorContext): void {
    super.init(context)
    this.#table = this.#makeTable(context)
  }

  process(record: FlowRecord): void {
    const subscription = record.value() as Subscription
    const { instruction: what } = subscription
    if (what === instruction.forget) return
    const value = record.hasKey ? this.#table.get(record) : undefined
    if (value === undefined && what === instruction.keepAndAnswerIfFound) return
    this.#saved.save(record)
    if (value !== undefined) record.timestamp = Math.max(record.timestamp, this.#table.timestamp)
    this.respond(record, subscription, what === instruction.forgetAndAnswer ? undefined : value)
    this.#saved.restore(record)
  }
}

class TellSubscribers extends Responder implements Processor {
  readonly #storeName: string
  readonly #combinedKey: CombinedKey
  readonly #saved = new SavedRecord()
  #context!: ProcessorContext
  #store!: KeyValueStore

  constructor(store: string, key: Serde<unknown>, foreign: Serde<unknown>) {
    super(key)
    this.#storeName = store
    this.#combinedKey = new CombinedKey(foreign)
  }

  override init(context: ProcessorContext): void {
    super.init(context)
    this.#context = context
    this.#store = connectedStore(context, this.#storeName, KeyValueStore)
  }

  process(record: FlowRecord): void {
    if (!record.isLatest) {
      this.#context.drop('not-latest')
      return
    }
    const prefix = this.#combinedKey.prefix(record.key())
    const value = record.hasValue ? record.value() : undefined
    this.#saved.save(record)
    record.oldValue = undefined
    for (const row of this.#store.rows(prefix, afterPrefix(prefix), false)) {
      this.respond(record, row.value as Subscription, value)
    }
    this.#saved.restore(record)
  }
}
