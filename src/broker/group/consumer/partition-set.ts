/** Partitions by the id of their topic: what a member has, is to have, or says that it owns. Never changed once it is made; has no empty topics. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>

export const noPartitions: PartitionSet = new Map()

export function hasPartition(partitions: PartitionSet, topicId: string, partition: number): boolean {
  return partitions.get(topicId)?.has(partition) === true
}

export function isSubset(part: PartitionSet, whole: PartitionSet): boolean {
  for (const [topicId, partitions] of part) {
    for (const partition of partitions) if (!hasPartition(whole, topicId, partition)) return false
  }
  return true
}

export function isSamePartitions(one: PartitionSet, other: PartitionSet): boolean {
  return one === other || (countPartitions(one) === countPartitions(other) && isSubset(one, other))
}

export function countPartitions(partitions: PartitionSet): number {
  let count = 0
  for (const { size } of partitions.values()) count += size
  return count
}

/** Those for which the test holds. */
export function filterPartitions(
  partitions: PartitionSet,
  test: (topicId: string, partition: number) => boolean,
): PartitionSet {
  const builder = new PartitionSetBuilder()
  for (const [topicId, ofTopic] of partitions) {
    for (const partition of ofTopic) if (test(topicId, partition)) builder.add(topicId, partition)
  }
  return builder.partitions
}

export function union(one: PartitionSet, other: PartitionSet): PartitionSet {
  const builder = new PartitionSetBuilder()
  for (const part of [one, other]) {
    for (const [topicId, partitions] of part) for (const partition of partitions) builder.add(topicId, partition)
  }
  return builder.partitions
}

/** What messages and records have in place of a set. */
export type PartitionList = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

export function partitionSetOf(list: PartitionList): PartitionSet {
  const builder = new PartitionSetBuilder()
  for (const { topicId, partitions } of list) for (const partition of partitions) builder.add(topicId, partition)
  return builder.partitions
}

export function partitionListOf(set: PartitionSet): PartitionList {
  return [...set].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions].sort((a, b) => a - b) }))
}

/** A set that is being made. */
export class PartitionSetBuilder {
  readonly #partitions = new Map<string, Set<number>>()
  size = 0

  get partitions(): PartitionSet {
    return this.#partitions
  }

  add(topicId: string, partition: number): void {
    let ofTopic = this.#partitions.get(topicId)
    if (ofTopic === undefined) {
      ofTopic = new Set()
      this.#partitions.set(topicId, ofTopic)
    }
    if (!ofTopic.has(partition)) this.size++
    ofTopic.add(partition)
  }

  delete(topicId: string, partition: number): void {
    const ofTopic = this.#partitions.get(topicId)
    if (ofTopic?.delete(partition) !== true) return
    this.size--
    if (ofTopic.size === 0) this.#partitions.delete(topicId)
  }
}
