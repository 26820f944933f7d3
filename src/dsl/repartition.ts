import type { NodeNames } from './node-names.ts'
import type { GroupedState, PlanNode, RepartitionPlan } from './plan.ts'
import { requireSerde } from './tracked-serde.ts'

const suffix = '-repartition'

/**
 * The node that an aggregation takes its records from: the stream itself, or where keys have changed a repartition topic
 * that brings records of one key together. `operator` is the aggregation's name and `store` its store's.
 * @throws MillraceError SERDE_REQUIRED where the records cannot be written to the topic.
 */
export function addRepartition(grouped: GroupedState, operator: string, store: string): PlanNode {
  if (!grouped.keyChanged) return grouped.node
  const need = { operator, purpose: 'the repartition topic' }
  const key = requireSerde(grouped.key, { ...need, part: 'key', option: `${grouped.method}({ key })` })
  const value = requireSerde(grouped.value, { ...need, part: 'value', option: `${grouped.method}({ value })` })

  const names = repartitionNames(grouped.plan.names, grouped.name ?? store)
  if (grouped.name !== undefined && grouped.repartition !== undefined) {
    grouped.plan.postpone(grouped.repartition)
    return grouped.repartition
  }
  const topic = { name: names.topic, key, value, internal: true } as const
  grouped.repartition = grouped.plan.add<RepartitionPlan>(
    { kind: 'repartition', name: names.source, sinkName: names.sink, filterName: names.filter, topic },
    [grouped.node],
  )
  return grouped.repartition
}

/** Takes three numbers, also where names follow from the prefix: they do unless the prefix was itself generated. */
function repartitionNames(
  names: NodeNames,
  prefix: string,
): { topic: string; sink: string; filter: string; source: string } {
  const sink = names.generated('KSTREAM-SINK-')
  const filter = names.generated('KSTREAM-FILTER-')
  const source = names.generated('KSTREAM-SOURCE-')
  const topic = prefix.endsWith(suffix) ? prefix : `${prefix}${suffix}`
  if (/^KSTREAM.*-[0-9]{10}$/.test(prefix)) return { topic, sink, filter, source }
  return { topic, sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` }
}
