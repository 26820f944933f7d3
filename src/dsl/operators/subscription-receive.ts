import type { Serde } from '../../serde/serde.ts'
import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { CombinedKey, instruction, type Subscription } from '../subscription.ts'
import { connectedStore } from './connected-store.ts'

/**
 * Keeps subscriptions with the right table's rows, and hands them on to be answered. One without a foreign key, of a left
 * join, is only handed on. `store` names a KeyValueStore by combined keys. After Kafka Streams' SubscriptionReceiveProcessorSupplier.
 */
export function subscriptionReceive(store: string, foreign: Serde<unknown>): () => Processor {
  return () => new SubscriptionReceive(store, foreign)
}

class SubscriptionReceive implements Processor {
  readonly #storeName: string
  readonly #combinedKey: CombinedKey
  #context!: ProcessorContext
  #output!: Processor
  #store!: KeyValueStore

  constructor(store: string, foreign: Serde<unknown>) {
    this.#storeName = store
    this.#combinedKey = new CombinedKey(foreign)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#output = context.output
    this.#store = connectedStore(context, this.#storeName, KeyValueStore)
  }

  process(record: FlowRecord): void {
    const subscription = record.value() as Subscription
    const { instruction: what } = subscription
    if (record.hasKey) {
      const store = this.#store
      const key = this.#combinedKey.of(record.key(), subscription.primaryKey)
      const entry = store.entry(store.keys.idOfBytes(key, 0, key.length))
      const isKept = what === instruction.keepAndAnswer || what === instruction.keepAndAnswerIfFound
      store.update(entry, isKept ? subscription : undefined, record.timestamp)
    } else if (what !== instruction.keepAndAnswer) {
      this.#context.drop('null-foreign-key')
      return
    }
    this.#output.process(record)
  }
}
