import { MillraceError } from '../errors.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { PlanNode, ProcessorPlan, SourcePlan } from './plan.ts'

const rules = ['reuse-source-topics', 'merge-repartition-topics', 'single-store-self-join'] as const

/**
 * What a topology can be spared; Kafka Streams' `topology.optimization`.
 * - `'reuse-source-topics'`: the rows of a `table` are restored from its topic, and have no changelog
 * - `'merge-repartition-topics'`: aggregations, joins and tables that follow from one change of keys share a repartition topic,
 *   named after the first, where no value is changed between and they write it with the same serdes
 * - `'single-store-self-join'`: an inner join of a stream with itself keeps its records once
 */
export type Optimisation = (typeof rules)[number]

export interface BuildOptions {
  /**
   * All optimisations, or those that are listed. Default: none. They change what an application keeps in topics: choose them
   * before it first runs.
   */
  readonly optimize?: boolean | readonly Optimisation[]
}

/** @throws MillraceError INVALID_ARGUMENT where callers in plain JavaScript list what there is not. */
export function chosenOptimisations({ optimize = false }: BuildOptions): ReadonlySet<Optimisation> {
  const chosen = typeof optimize === 'boolean' ? (optimize ? rules : []) : optimize
  const unknown = chosen.find((each) => !rules.includes(each))
  if (unknown === undefined) return new Set(chosen)
  throw new MillraceError('INVALID_ARGUMENT', `There is no optimisation '${unknown}'`, {
    remedy: `Give true, or a list of: ${rules.join(', ')}.`,
  })
}

/**
 * The stores of an operator; those of a table's rows follow from the table's topic and need no changelog of their own. Only
 * where they do follow, whenever the topic is read again: not where event times are made while reading, or where reading did
 * not begin at the topic's beginning.
 */
export function restoredFromSource(node: ProcessorPlan, [source]: readonly PlanNode[]): readonly StoreDeclaration[] {
  if (!node.keepsRecords || source?.kind !== 'source' || !source.isTable || !isRepeatable(source)) return node.stores
  const sourceTopic = source.topics[0].name
  return node.stores.map((store) => ({ ...store, logged: false, sourceTopic }))
}

function isRepeatable({ topics, options }: SourcePlan): boolean {
  const { timestamp = topics[0].timestamp, invalidTimestamp, offsetReset = 'earliest' } = options
  return timestamp === undefined && invalidTimestamp !== 'partition-time' && offsetReset === 'earliest'
}
