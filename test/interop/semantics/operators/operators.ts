import { aggregations } from './aggregations.ts'
import { joins } from './joins.ts'
import type { Operator } from './operator.ts'
import { processors } from './processors.ts'
import { sources } from './sources.ts'
import { stateless } from './stateless.ts'
import { tables } from './tables.ts'

/** All operators that cases are made of, by the names that cases give. */
export const operators: Readonly<Record<string, Operator>> = {
  ...sources,
  ...stateless,
  ...aggregations,
  ...tables,
  ...joins,
  ...processors,
}
