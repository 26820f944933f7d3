import type { KafkaError } from '../../protocol/error-codes.ts'
import type { ConsumerMember } from './consumer-member.ts'
import type { PartitionSet } from './partition-set.ts'

/** What a member says in ConsumerGroupHeartbeat; null for what it does not say again because it has not changed. */
export interface HeartbeatEvent {
  /** Empty where a member of version 0 has no id yet. */
  readonly memberId: string
  /** The id that it is given where it has none. */
  readonly newMemberId: string
  /** 0 to join; -1 to leave; -2 to leave for a while as a static member. */
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** -1 where it does not say. */
  readonly rebalanceTimeoutMs: number
  readonly topicNames: readonly string[] | null
  readonly topicRegex: string | null
  readonly assignor: string | null
  readonly owned: PartitionSet | null
}

export interface HeartbeatReply {
  readonly error: KafkaError
  /** Why, where there is an error. */
  readonly message: string | null
  readonly memberId: string
  readonly memberEpoch: number
  /** What the member has from now on; null where that is what it was told before. */
  readonly assigned: PartitionSet | null
}

/** A step that is not done, and changes nothing. */
export class Refusal {
  readonly error: KafkaError
  readonly message: string

  constructor(error: KafkaError, message: string) {
    this.error = error
    this.message = message
  }
}

/** What a group is kept as. Each part is a record of its own; null: the part is no more. */
export type ConsumerGroupRecord =
  | { readonly part: 'group'; readonly value: { readonly epoch: number; readonly metadataHash: number } | null }
  | { readonly part: 'member'; readonly memberId: string; readonly value: KeptSubscription | null }
  | { readonly part: 'target'; readonly value: { readonly epoch: number } | null }
  | { readonly part: 'target-member'; readonly memberId: string; readonly value: PartitionSet | null }
  | { readonly part: 'assignment'; readonly memberId: string; readonly value: KeptAssignment | null }

export type KeptSubscription = Omit<ConsumerMember, 'id' | keyof KeptAssignment>
export type KeptAssignment = Pick<
  ConsumerMember,
  'epoch' | 'previousEpoch' | 'state' | 'assigned' | 'pendingRevocation'
>

/** What was kept of a group: the fold of its records. */
export interface KeptConsumerGroup {
  epoch: number
  metadataHash: number
  targetEpoch: number
  readonly members: Map<string, KeptSubscription>
  readonly targets: Map<string, PartitionSet>
  readonly assignments: Map<string, KeptAssignment>
}

/** The topics that there are, as groups see them. */
export interface GroupTopics {
  /** Another number whenever a topic has come, gone or changed. */
  readonly version: number
  get(name: string): { readonly id: string; readonly partitions: number } | undefined
  withId(id: string): { readonly name: string } | undefined
  names(): Iterable<string>
}
