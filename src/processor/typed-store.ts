import type { StateStore } from '../state/state-store.ts'
import type { StoreDeclaration } from '../topology/topology.ts'

/** A store as users declare it: `S` is what reads and writes it, `R` what only reads. After Kafka Streams' StoreBuilder. */
export interface TypedStore<S, R> extends StoreDeclaration {
  /** What reads and writes the store that a task made of this declaration. */
  readonly open: (store: StateStore, writer: StoreWriter) => S
  /** What only reads it. */
  readonly openReadOnly: (store: StateStore) => R
}

/** What a typed store asks of whoever writes to it. */
export interface StoreWriter {
  /** Event time of the record that is processed: the timestamp of values that bring none. */
  timestamp(): number
  /** Counts a write that was not kept, because its window or session is expired. */
  expired(): void
}
