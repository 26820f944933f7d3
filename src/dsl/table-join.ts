import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import type { ResultStore } from '../stores/result-store.ts'
import { requireNodeName } from '../topology/node-name.ts'
import { describesNamelessStore } from './aggregation.ts'
import { withDeclaredStore } from './declared-store.ts'
import type { JoinKind } from './join-kind.ts'
import { passThrough } from './operators/stateless.ts'
import { tableStore } from './operators/table-store.ts'
import { joinedValue, type TableJoiner, type TableJoinRule, tableTableJoin } from './operators/table-table-join.ts'
import type { PlanNode, TableState } from './plan.ts'
import { declareStore, settingsOf } from './store-declarations.ts'
import { JoinedRows } from './table-rows.ts'
import { givenOrTracked, requireSerde, rowKey } from './tracked-serde.ts'
import type { WindowShape } from './window-shape.ts'

export interface TableJoinParts {
  readonly kind: JoinKind
  readonly joiner: TableJoiner
  readonly options: {
    readonly name?: string
    readonly store?: string | ResultStore
    readonly value?: Serde<unknown>
    readonly engine?: StoreEngineFactory
    readonly logging?: Logging
    readonly caching?: boolean
  }
}

/** Adds the join of two tables by their keys: an operator for the updates of each, and one that brings both together. */
export function addTableJoin(left: TableState, right: TableState, parts: TableJoinParts): TableState {
  const { plan } = left
  const { names } = plan
  const { kind, joiner } = parts
  const options = withDeclaredStore(parts.options, undefined)
  const given = options.name
  const isKept = options.store !== undefined || describesNamelessStore(options)
  const store = isKept ? names.store('KTABLE-MERGE-', options.store) : undefined
  const name = names.operator('KTABLE-MERGE-', given)
  const thisName = names.operator('KTABLE-JOINTHIS-', given === undefined ? undefined : `${given}-join-this`)
  const otherName = names.operator('KTABLE-JOINOTHER-', given === undefined ? undefined : `${given}-join-other`)

  // What a row was before tells whether there is anything to delete where the other table has no row.
  if (kind !== 'inner') left.rows.sendOldValues(true)
  if (kind === 'outer') right.rows.sendOldValues(true)
  const rule: TableJoinRule = { joiner, needsLeft: kind !== 'outer', needsRight: kind === 'inner' }
  const rows = new JoinedRows([left.rows, right.rows], store, (a, b) => joinedValue(rule, name, a, b))
  // Which side it is must be said: a table can be joined with itself.
  const addSide = (sideName: string, isLeft: boolean, own: TableState, other: TableState): PlanNode => {
    const { stores, getter } = other.rows.lookUp('table')
    const create = tableTableJoin({ rule, isLeft, other: getter }, () => rows.sendsOldValues)
    return plan.addProcessor(sideName, create, [own.node], { looksUp: { table: other.node, stores } })
  }
  const sides = [addSide(thisName, true, left, right), addSide(otherName, false, right, left)] as const
  plan.pair(...sides)

  const shape = mergedShape(left.shape, right.shape)
  const key = shape === undefined ? rowKey(left) : left.key
  const value = givenOrTracked(options.value, { serde: undefined, madeBy: name })
  const node = plan.addProcessor(
    name,
    store === undefined ? passThrough : tableStore(store, () => rows.sendsOldValues),
    sides,
  )
  if (store !== undefined) {
    const need = { operator: name, purpose: `the store '${store}'` }
    const serdes = {
      key: requireSerde(givenOrTracked(options.key, rowKey(left)), {
        ...need,
        part: 'key',
        option: 'the operator that makes the keys',
      }),
      value: requireSerde(value, { ...need, part: 'value', option: `${methods[kind]}(..., { value })` }),
    }
    requireNodeName(store, 'store')
    node.stores.push(declareStore({ name: store, ...serdes, ...settingsOf(options) }, undefined))
  }
  return { plan, node, key, value, shape, engine: options.engine, rows, queryableStoreName: store }
}

const methods: Readonly<Record<JoinKind, string>> = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' }

/** Rows of two tables of windows are final when those of both are. Otherwise the window is a part of the key like any other. */
function mergedShape(left: WindowShape | undefined, right: WindowShape | undefined): WindowShape | undefined {
  if (left === undefined || right === undefined || left.kind !== right.kind) return undefined
  return {
    ...left,
    closesAfterMs: Math.max(left.closesAfterMs, right.closesAfterMs),
    retentionMs: Math.max(left.retentionMs, right.retentionMs),
  }
}
