import type { PlanNode, ProcessorPlan, RepartitionPlan } from './plan.ts'

type Parents = Map<PlanNode, PlanNode[]>

/** A repartition, and the operators from behind `origin` down to it. */
interface Origin {
  readonly repartition: RepartitionPlan
  readonly origin: ProcessorPlan
  readonly path: readonly PlanNode[]
}

/**
 * Brings the repartitions that follow from one change of keys together in one, right behind that change: what stood before
 * them follows it. Not where a value is changed on the way, as in Kafka Streams (its `merge.repartition.topics`), and only
 * those that write the same bytes. Behind `merge` it is the merged stream that is repartitioned. The topic has the name of
 * the first.
 */
export function mergeRepartitions(parents: Parents): void {
  const groups = new Map<ProcessorPlan, Origin[]>()
  for (const node of parents.keys()) {
    if (node.kind !== 'repartition' || !node.isMergeable) continue
    const found = originOf(node, parents)
    if (found === undefined) continue
    const group = groups.get(found.origin) ?? []
    if (group.length === 0 || writesSame(group[0].repartition, node)) group.push(found)
    groups.set(found.origin, group)
  }
  for (const [origin, group] of groups) putBehind(origin, group, parents)
}

/** Where the keys were changed, if there are but steps between that hand records on as they are. */
function originOf(repartition: RepartitionPlan, parents: Parents): Origin | undefined {
  const path: PlanNode[] = [repartition]
  for (;;) {
    const [node] = parents.get(path[0]) as PlanNode[]
    if (node?.kind !== 'processor') return undefined
    if (node.changes === 'key') return { repartition, origin: node, path }
    if (node.changes !== 'nothing') return undefined
    if ((parents.get(node) as PlanNode[]).length > 1) return { repartition, origin: node, path }
    path.unshift(node)
  }
}

function writesSame(a: RepartitionPlan, b: RepartitionPlan): boolean {
  return a.topic.key === b.topic.key && a.topic.value === b.topic.value
}

function putBehind(origin: ProcessorPlan, group: readonly Origin[], parents: Parents): void {
  const { topic } = group[0].repartition
  const merged: RepartitionPlan = {
    ...group[0].repartition,
    name: `${topic.name}-source`,
    filterName: `${topic.name}-filter`,
    sinkName: `${topic.name}-sink`,
    // Operators that stood before a repartition, and whatever else follows them, had records without a key.
    keepsNullKeys: group.some(({ path }) => path.length > 1),
    parents: [origin],
    // So it is written next.
    priority: origin.priority,
  }
  for (const { path } of group) replaceParent(path[0], origin, [merged], parents)
  for (const { repartition } of group) {
    const before = parents.get(repartition) as PlanNode[]
    parents.delete(repartition)
    for (const node of parents.keys()) replaceParent(node, repartition, before, parents)
  }
  parents.set(merged, [origin])
}

function replaceParent(node: PlanNode, parent: PlanNode, by: readonly PlanNode[], parents: Parents): void {
  const own = parents.get(node) as PlanNode[]
  if (!own.includes(parent)) return
  parents.set(node, [...new Set(own.flatMap((each) => (each === parent ? by : [each])))])
}
