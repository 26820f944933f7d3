import type { StateStore } from './state-store.ts'
import type { StoreEngine, StoreEngineFactory } from './store-engine.ts'

/** A store as a topology has it: enough to make its changelog topic and the store of each task. */
export interface StoreDeclaration {
  readonly name: string
  /** Whether updates go to the changelog topic `<application id>-<name>-changelog`. */
  readonly logged: boolean
  /** The user's topic that the store is restored from in place of a changelog: it holds just what is in there. */
  readonly sourceTopic?: string
  /** Settings of the changelog topic. */
  readonly changelogConfig: Readonly<Record<string, string>>
  /** Whether updates of its rows wait in a record cache before operators hand them on. Default: false. */
  readonly caching?: boolean
  /** The engine that the user chose for this store; undefined takes the application's. */
  readonly engine: StoreEngineFactory | undefined
  /** The user's declaration that an operator of the DSL keeps its results in: the same store, and what processors name. */
  readonly declaredAs?: StoreDeclaration
  /** Makes the store of one task over its engine. */
  readonly create: (engine: StoreEngine) => StateStore
}
