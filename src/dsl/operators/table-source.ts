import type { KeyLookup } from '../../record/keys-ahead.ts'
import { KeyValueStore } from '../../state/key-value-store.ts'
import { tooLate, VersionedStore } from '../../state/versioned-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'

export interface TableSourceOptions {
  /** The name of a KeyValueStore, or VersionedStore; undefined where nobody needs the rows. */
  readonly store: string | undefined
  /** Whether the store keeps versions. */
  readonly isVersioned: boolean
  /** Whether updates carry the value before. */
  readonly sendsOldValues: boolean
}

/**
 * Takes records as the updates of a table: a null value deletes, and what has no key is dropped. Every update is handed on,
 * also one that changes nothing, and one with an earlier timestamp than the row overwrites it. After Kafka Streams'
 * KTableSource. Into a store of versions an update is put at its own time; one that is too old for it is dropped as `late`,
 * and one of another version than the latest is handed on marked so. `options` is asked when the processor is made, because later operators decide about the store.
 */
export function tableSource(options: () => TableSourceOptions): () => Processor {
  return () => {
    const { store, sendsOldValues, isVersioned } = options()
    if (store === undefined) return new PassingSource()
    return isVersioned ? new VersionedSource(store, sendsOldValues) : new KeepingSource(store, sendsOldValues)
  }
}

class PassingSource implements Processor {
  #context!: ProcessorContext
  #output!: Processor

  init(context: ProcessorContext): void {
    this.#context = context
    this.#output = context.output
  }

  process(record: FlowRecord): void {
    if (record.hasKey) this.#output.process(record)
    else this.#context.drop('null-key')
  }
}

class KeepingSource implements Processor {
  readonly #storeName: string
  readonly #sendsOldValues: boolean
  #context!: ProcessorContext
  #output!: Processor
  #givesOldValues = false
  #store!: KeyValueStore

  constructor(store: string, sendsOldValues: boolean) {
    this.#storeName = store
    this.#sendsOldValues = sendsOldValues
  }

  init(context: ProcessorContext): void {
    this.#context = context
    const cache = context.cacheOf(this.#storeName, this.#sendsOldValues)
    this.#givesOldValues = this.#sendsOldValues || cache !== undefined
    this.#output = cache ?? context.output
    this.#store = connectedStore(context, this.#storeName, KeyValueStore)
  }

  get keyLookup(): KeyLookup {
    return this.#store
  }

  process(record: FlowRecord): void {
    if (!record.hasKey) {
      this.#context.drop('null-key')
      return
    }
    const store = this.#store
    const entry = store.entry(store.keyId(record))
    const before = record.oldValue
    record.oldValue = this.#givesOldValues ? entry.value : undefined
    record.oldTimestamp = entry.timestamp
    store.update(entry, record.value(), record.timestamp)
    this.#output.process(record)
    record.oldValue = before
  }
}

class VersionedSource implements Processor {
  readonly #storeName: string
  readonly #sendsOldValues: boolean
  #context!: ProcessorContext
  #output!: Processor
  #store!: VersionedStore

  constructor(store: string, sendsOldValues: boolean) {
    this.#storeName = store
    this.#sendsOldValues = sendsOldValues
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#output = context.output
    this.#store = connectedStore(context, this.#storeName, VersionedStore)
  }

  process(record: FlowRecord): void {
    if (!record.hasKey) {
      this.#context.drop('null-key')
      return
    }
    const store = this.#store
    const keyId = store.keyId(record)
    const latest = this.#sendsOldValues ? store.latest(keyId)?.value : undefined
    const validTo = store.put(keyId, record.value(), record.timestamp)
    if (validTo === tooLate) {
      this.#context.drop('late')
      return
    }
    const before = record.oldValue
    record.oldValue = latest
    record.isLatest = validTo === Number.POSITIVE_INFINITY
    this.#output.process(record)
    record.oldValue = before
    record.isLatest = true
  }
}
