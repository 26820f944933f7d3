import type { Duration } from '../duration.ts'
import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'

/** What a store of results was declared with: what the options of the operator that keeps its results in it say otherwise. */
export interface DeclaredResults<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  readonly logging: Logging | undefined
  readonly hotEntries: number | undefined
}

/**
 * A declared store that an operator of the DSL can keep its rows in, so that processors reach them: what
 * `timestampedKeyValueStore` gives.
 */
export interface RowStore<K, V> extends StoreDeclaration {
  readonly results: DeclaredResults<K, V> & { readonly kind: 'rows' }
}

/** The same for results of time windows: what `timestampedWindowStore` gives. */
export interface WindowResultStore<K, V> extends StoreDeclaration {
  readonly results: DeclaredResults<K, V> & {
    readonly kind: 'windows'
    readonly sizeMs: number
    readonly retention: Duration
  }
}

/** The same for results of sessions: what `sessionStore` gives. */
export interface SessionResultStore<K, V> extends StoreDeclaration {
  readonly results: DeclaredResults<K, V> & { readonly kind: 'sessions'; readonly retention: Duration }
}

export type ResultStore =
  | RowStore<unknown, unknown>
  | WindowResultStore<unknown, unknown>
  | SessionResultStore<unknown, unknown>
