import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { GraceOptions } from './operators/stream-table-join.ts'
import type { StreamState, TableState } from './plan.ts'
import { declareGraceBuffer } from './store-declarations.ts'
import { givenOrTracked, requireSerde } from './tracked-serde.ts'

export interface JoinGrace {
  readonly buffer: StoreDeclaration
  readonly options: GraceOptions
}

interface GraceJoin {
  /** The join's operator. */
  readonly name: string
  /** What the user called, for error messages. */
  readonly method: string
}

/**
 * The buffer of a join whose records wait for late updates of the table; undefined where they do not wait.
 * @throws MillraceError INVALID_TOPOLOGY where the table keeps no versions, or for less than the grace period
 */
export function graceOf(
  given: { readonly grace?: Duration; readonly key?: Serde<unknown>; readonly value?: Serde<unknown> },
  stream: StreamState,
  table: TableState,
  { name, method }: GraceJoin,
): JoinGrace | undefined {
  if (given.grace === undefined) return undefined
  const graceMs = toMilliseconds(given.grace, 'grace period')
  const { historyMs } = table.rows
  if (historyMs === undefined || historyMs < graceMs) {
    const keeps = historyMs === undefined ? 'no versions' : `versions for only ${historyMs} ms`
    throw new MillraceError('INVALID_TOPOLOGY', `The join waits ${graceMs} ms, but its table keeps ${keeps}`, {
      at: { operator: name },
      remedy: 'Make the table with { versioned } of at least the grace period.',
    })
  }
  const store = `${name}-Buffer`
  const need = { operator: name, purpose: `the store '${store}'` }
  const buffer = declareGraceBuffer({
    name: store,
    key: requireSerde(givenOrTracked(given.key, stream.key), { ...need, part: 'key', option: `${method}({ key })` }),
    value: requireSerde(givenOrTracked(given.value, stream.value), {
      ...need,
      part: 'value',
      option: `${method}({ value })`,
    }),
    engine: undefined,
  })
  return { buffer, options: { store, graceMs } }
}
