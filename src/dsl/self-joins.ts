import type { PlanNode, SelfJoinPlan } from './plan.ts'

/**
 * Takes out of the joins of streams with themselves what one store makes superfluous: the second window and both sides.
 * Returns these joins, each of which now follows its first window. After Kafka Streams' `single.store.self.join`.
 */
export function simplifySelfJoins(parents: Map<PlanNode, PlanNode[]>): Map<PlanNode, SelfJoinPlan> {
  const joins = new Map<PlanNode, SelfJoinPlan>()
  for (const [node, sides] of parents) {
    if (node.kind !== 'processor' || node.selfJoin === undefined) continue
    const { thisWindow, otherWindow } = node.selfJoin
    const [left] = parents.get(thisWindow) as PlanNode[]
    const [right] = parents.get(otherWindow) as PlanNode[]
    if (left !== right) continue
    joins.set(node, node.selfJoin)
    for (const superfluous of [otherWindow, ...sides]) parents.delete(superfluous)
    parents.set(node, [thisWindow])
  }
  return joins
}
