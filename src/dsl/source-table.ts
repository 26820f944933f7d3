import type { Logging } from '../state/changelog-config.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import type { ResultStore } from '../stores/result-store.ts'
import { tableSource } from './operators/table-source.ts'
import type { Plan, PlanNode, TableState } from './plan.ts'
import { declareStore, declareVersionedStore } from './store-declarations.ts'
import { SourceRows } from './table-rows.ts'
import { requireSerde, type TrackedSerde } from './tracked-serde.ts'

/** A table that takes records as its updates. */
export interface SourceTableParts {
  readonly name: string
  readonly store: string
  /** Whether the user named the store, which makes one; otherwise it is there when an operator needs it. */
  readonly isNamed: boolean
  readonly key: TrackedSerde
  readonly value: TrackedSerde
  readonly engine: StoreEngineFactory | undefined
  readonly logging: Logging | undefined
  readonly caching: boolean | undefined
  readonly declared: ResultStore | undefined
  /** How far back versions of rows are kept; undefined where they have none. */
  readonly historyRetentionMs: number | undefined
  /** What the user called, for error messages. */
  readonly method: 'table' | 'toTable' | 'join' | 'leftJoin'
}

/** Adds the operator that turns the records of a node into a table. */
export function addTable(plan: Plan, parent: PlanNode, parts: SourceTableParts): TableState {
  const { name, store, key, value, engine, method, historyRetentionMs } = parts
  const create = tableSource(() => ({
    store: rows.store,
    sendsOldValues: rows.sendsOldValues,
    isVersioned: historyRetentionMs !== undefined,
  }))
  // Compaction of a topic removes versions, so that these do not follow from it.
  const node = plan.addProcessor(name, create, [parent], { keepsRecords: historyRetentionMs === undefined })
  const declare = () => {
    const need = { operator: name, purpose: `the store '${store}'` }
    const serdes = {
      key: requireSerde(key, { ...need, part: 'key', option: `${method}({ key })` }),
      value: requireSerde(value, { ...need, part: 'value', option: `${method}({ value })` }),
    }
    const { logging, caching, declared } = parts
    const storeParts = { name: store, ...serdes, engine, logging, caching, declared }
    return historyRetentionMs === undefined
      ? declareStore(storeParts, undefined)
      : declareVersionedStore(storeParts, historyRetentionMs)
  }
  const rows = new SourceRows(declare, node.stores, historyRetentionMs)
  if (parts.isNamed || historyRetentionMs !== undefined) rows.keep()
  const queryableStoreName = parts.isNamed ? store : undefined
  return { plan, node, key, value, shape: undefined, engine, rows, queryableStoreName }
}
