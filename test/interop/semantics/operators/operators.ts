import { aggregations } from './aggregations.ts'
import { byHand } from './by-hand.ts'
import { joins } from './joins.ts'
import type { Operator } from './operator.ts'
import { processors } from './processors.ts'
import { sources } from './sources.ts'
import { stateless } from './stateless.ts'
import { storeKinds } from './store-kinds.ts'
import { tables } from './tables.ts'

/** The operators of the DSL, by the names that cases give. */
export const ofDsl: Readonly<Record<string, Operator>> = {
  ...sources,
  ...stateless,
  ...aggregations,
  ...tables,
  ...joins,
  ...processors,
  ...storeKinds,
}

/** All operators that cases are made of: a case has those of the DSL, or those by hand. */
export const operators: Readonly<Record<string, Operator>> = { ...ofDsl, ...byHand }

export { byHand }
