import { JoinStore } from '../../state/join-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'

/**
 * Keeps a stream's records for the other side of a join. Each is first handed on, to be joined, and then kept: so that the
 * records of a stream that is joined with itself meet. `store` names a JoinStore. After Kafka Streams' KStreamJoinWindow.
 */
export function joinWindow(store: string): () => Processor {
  return () => new JoinWindow(store)
}

class JoinWindow implements Processor {
  readonly #storeName: string
  #context!: ProcessorContext
  #output!: Processor
  #store!: JoinStore

  constructor(store: string) {
    this.#storeName = store
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#output = context.output
    this.#store = connectedStore(context, this.#storeName, JoinStore)
    this.#expire()
  }

  process(record: FlowRecord): void {
    this.#output.process(record)
    if (!record.hasKey || !record.hasValue) return
    const { streamTime } = this.#context
    if (record.timestamp > streamTime.observed) {
      streamTime.observed = record.timestamp
      this.#expire()
    }
    this.#store.put(record)
  }

  /** Counts from the latest record that was kept, as Kafka Streams' window stores do. */
  #expire(): void {
    this.#store.expireBefore(this.#context.streamTime.observed - this.#store.retentionMs + 1)
  }
}
