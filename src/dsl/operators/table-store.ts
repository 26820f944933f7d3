import type { KeyLookup } from '../../record/keys-ahead.ts'
import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'

/**
 * Keeps the rows of a table, whose updates it hands on as they come. `store` names a KeyValueStore; `sendsOldValues`, whether they
 * come with the value before, is asked when the processor is made.
 */
export function tableStore(store: string, sendsOldValues: () => boolean): () => Processor {
  return () => new TableStore(store, sendsOldValues)
}

class TableStore implements Processor {
  readonly #storeName: string
  readonly #sendsOldValues: () => boolean
  #isCached = false
  #output!: Processor
  #store!: KeyValueStore

  constructor(store: string, sendsOldValues: () => boolean) {
    this.#storeName = store
    this.#sendsOldValues = sendsOldValues
  }

  init(context: ProcessorContext): void {
    const cache = context.cacheOf(this.#storeName, this.#sendsOldValues())
    this.#isCached = cache !== undefined
    this.#output = cache ?? context.output
    this.#store = connectedStore(context, this.#storeName, KeyValueStore)
  }

  get keyLookup(): KeyLookup {
    return this.#store
  }

  process(record: FlowRecord): void {
    const store = this.#store
    const entry = store.entry(store.keyId(record))
    const given = record.oldValue
    // What waits in a cache takes the place of updates that were not handed on, and of the values before that they came with.
    if (this.#isCached) record.oldValue = entry.value
    record.oldTimestamp = entry.timestamp
    store.update(entry, record.hasValue ? record.value() : undefined, record.timestamp)
    this.#output.process(record)
    record.oldValue = given
  }
}
