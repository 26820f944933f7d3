import type { PartitionSet } from './partition-set.ts'

/** A member as an assignor sees it. */
export interface AssignedMember {
  readonly id: string
  readonly instanceId: string | null
  /** The ids of topics that it subscribes to, and that exist. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have until now. */
  readonly previous: PartitionSet
}

export interface AssignorInput {
  readonly members: readonly AssignedMember[]
  /** How many partitions a topic has. */
  readonly partitionsOf: (topicId: string) => number
}

/** Shares all partitions of subscribed topics out: each to one member that subscribes to its topic. By member id. */
export type Assignor = (input: AssignorInput) => ReadonlyMap<string, PartitionSet>
