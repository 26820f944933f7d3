import type { Serde } from '../serde/serde.ts'
import type { StreamPartitioner } from '../topology/sink-options.ts'
import type { NodeNames } from './node-names.ts'
import type { GroupedState, Plan, PlanNode, RepartitionPlan } from './plan.ts'
import { requireSerde } from './tracked-serde.ts'

const suffix = '-repartition'

/** The names of a repartition topic and of the nodes around it. */
export interface RepartitionNames {
  readonly topic: string
  readonly sink: string
  readonly filter: string
  readonly source: string
}

export interface RepartitionParts {
  readonly names: RepartitionNames
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Where the user chose how many. */
  readonly partitions?: number
  readonly partitioner?: StreamPartitioner<never, never> | undefined
  readonly isMergeable: boolean
}

/**
 * The node that an aggregation takes its records from: the stream itself, or where keys have changed a repartition topic
 * that brings records of one key together. `operator` is the aggregation's name; the topic is named by the user or else by
 * `prefix`. Where the node is `known` already, its names are taken again, and it is used once more.
 * @throws MillraceError SERDE_REQUIRED where the records cannot be written to the topic.
 */
export function addGroupRepartition(
  grouped: GroupedState,
  operator: string,
  prefix: string,
  known?: PlanNode,
): PlanNode {
  if (!grouped.keyChanged) return grouped.node
  const need = { operator, purpose: 'the repartition topic' }
  const key = requireSerde(grouped.key, { ...need, part: 'key', option: `${grouped.method}({ key })` })
  const value = requireSerde(grouped.value, { ...need, part: 'value', option: `${grouped.method}({ value })` })

  const names = repartitionNames(grouped.plan.names, grouped.name ?? prefix)
  if (known !== undefined) return known
  if (grouped.name !== undefined && grouped.repartition !== undefined) {
    grouped.plan.postpone(grouped.repartition)
    return grouped.repartition
  }
  grouped.repartition = addRepartition(grouped.plan, grouped.node, { names, key, value, isMergeable: true })
  return grouped.repartition
}

/** Sends the records of a node out to a topic and in again, which brings those of one key together. */
export function addRepartition(
  plan: Plan,
  parent: PlanNode,
  { names, key, value, partitions, partitioner, isMergeable }: RepartitionParts,
): RepartitionPlan {
  const chosen = partitions === undefined ? {} : { partitions }
  const topic = { name: names.topic, key, value, internal: true, ...chosen } as const
  return plan.add<RepartitionPlan>(
    {
      kind: 'repartition',
      name: names.source,
      sinkName: names.sink,
      filterName: names.filter,
      topic,
      isMergeable,
      keepsNullKeys: false,
      ...(partitioner === undefined ? {} : { partitioner }),
    },
    [parent],
  )
}

/** Takes three numbers, also where names follow from the prefix: they do unless the prefix was itself generated. */
export function repartitionNames(names: NodeNames, prefix: string): RepartitionNames {
  const sink = names.generated('KSTREAM-SINK-')
  const filter = names.generated('KSTREAM-FILTER-')
  const source = names.generated('KSTREAM-SOURCE-')
  const topic = prefix.endsWith(suffix) ? prefix : `${prefix}${suffix}`
  if (/^KSTREAM.*-[0-9]{10}$/.test(prefix)) return { topic, sink, filter, source }
  return { topic, sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` }
}
