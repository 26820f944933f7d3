import { KeyValueStore } from '../../state/key-value-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'

/** Keeps the rows of a table, whose updates it hands on as they come. `store` names a KeyValueStore. */
export function tableStore(store: string): () => Processor {
  return () => new TableStore(store)
}

class TableStore implements Processor {
  readonly #storeName: string
  #output!: Processor
  #store!: KeyValueStore

  constructor(store: string) {
    this.#storeName = store
  }

  init(context: ProcessorContext): void {
    this.#output = context.output
    this.#store = connectedStore(context, this.#storeName, KeyValueStore)
  }

  process(record: FlowRecord): void {
    const store = this.#store
    const entry = store.entry(store.keyId(record))
    store.update(entry, record.hasValue ? record.value() : undefined, record.timestamp)
    this.#output.process(record)
  }
}
