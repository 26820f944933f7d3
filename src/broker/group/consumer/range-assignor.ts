import type { AssignedMember, AssignorInput } from './assignor.ts'
import { type PartitionSet, PartitionSetBuilder } from './partition-set.ts'

/**
 * Of each topic, every member has a range of partitions next to each other. Topics with as many partitions and the same
 * members are shared out alike, so that the same keys of both come to the same member. After Kafka's RangeAssignor.
 */
export function assignRanges({ members, partitionsOf }: AssignorInput): ReadonlyMap<string, PartitionSet> {
  const sorted = [...members].sort(byInstanceThenId)
  const built = new Map(sorted.map(({ id }) => [id, new PartitionSetBuilder()]))
  const topicIds = new Set(sorted.flatMap((member) => [...member.topicIds]))
  for (const topicId of topicIds) {
    const subscribed = sorted.filter((member) => member.topicIds.has(topicId))
    const partitions = partitionsOf(topicId)
    const quota = Math.floor(partitions / subscribed.length)
    const withOneMore = partitions % subscribed.length
    let next = 0
    for (const [at, { id }] of subscribed.entries()) {
      const end = next + quota + (at < withOneMore ? 1 : 0)
      for (; next < end; next++) built.get(id)?.add(topicId, next)
    }
  }
  return new Map([...built].map(([id, { partitions }]) => [id, partitions]))
}

/** Static members come first, by the names that stay the same when they come back. */
function byInstanceThenId(a: AssignedMember, b: AssignedMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  return b.instanceId !== null ? 1 : compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
