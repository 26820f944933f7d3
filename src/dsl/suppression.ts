import { MillraceError } from '../errors.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { SuppressOptions } from './operator-options.ts'
import { suppress } from './operators/suppress.ts'
import type { TableState } from './plan.ts'
import { declareSuppressStore } from './store-declarations.ts'
import type { UntilTimeLimit, UntilWindowCloses } from './suppressed.ts'
import { SuppressedRows } from './table-rows.ts'
import { requireSerde } from './tracked-serde.ts'

/** Adds the operator that holds back updates of a table, and its buffer. */
export function addSuppression(
  state: TableState,
  suppressed: UntilTimeLimit | UntilWindowCloses,
  options: SuppressOptions,
): TableState {
  const { plan, key, value, shape, engine, rows } = state
  const isFinal = suppressed.until === 'window-closes'
  if (isFinal && shape === undefined) {
    throw new MillraceError('INVALID_TOPOLOGY', 'Only the results of windows can wait for their windows to close', {
      at: { operator: state.node.name },
      remedy: 'Call windowedBy before the aggregation, or leave suppress out.',
    })
  }
  if (rows.historyMs !== undefined) {
    throw new MillraceError('INVALID_TOPOLOGY', 'Updates of a versioned table cannot be held back', {
      at: { operator: state.node.name },
      remedy: 'Leave suppress out, or keep the table in a store without versions.',
    })
  }
  // Unlike other operators this one takes no numbers when it is named.
  if (options.name !== undefined) requireNodeName(options.name, 'operator')
  const name = options.name ?? plan.names.generated('KTABLE-SUPPRESS-')
  const store = options.name === undefined ? plan.names.store('KTABLE-SUPPRESS-', undefined) : `${name}-store`
  const need = { operator: name, purpose: `the store '${store}'` }
  const serdes = {
    key: requireSerde(key, { ...need, part: 'key', option: 'the operator that makes the keys' }),
    value: requireSerde(value, { ...need, part: 'value', option: 'mapValues(..., { value })' }),
  }
  const { maxRecords, maxBytes, whenFull } = suppressed
  const waitMs = suppressed.until === 'time-limit' ? suppressed.limitMs : (shape?.closesAfterMs ?? 0)
  const measuresBytes = maxBytes !== Number.POSITIVE_INFINITY
  rows.sendOldValues(true)
  // What an update replaced counts for the bytes.
  if (measuresBytes) rows.keepOldValues()
  const node = plan.addProcessor(
    name,
    suppress({ store, isFinal, waitMs, maxRecords, maxBytes, whenFull }),
    [state.node],
    {
      stores: [
        declareSuppressStore({ name: store, ...serdes, engine, logging: options.logging, measuresBytes }, shape),
      ],
    },
  )
  return { ...state, node, rows: new SuppressedRows(rows, store), queryableStoreName: undefined }
}
