import type { GroupProtocol } from '../group-event.ts'
import type { PartitionSet } from './partition-set.ts'

/** Kafka's MemberState. `unrevoked`: it must give up partitions before it goes on; `unreleased`: partitions that it is to have are still with others. */
export type MemberState = 'stable' | 'unrevoked' | 'unreleased'

/** What a member has joined with that speaks the classic protocol. */
export interface ClassicSide {
  readonly sessionTimeoutMs: number
  /** In order of preference. */
  readonly protocols: readonly GroupProtocol[]
}

/** One member of a consumer group, as it is kept. Never changed: a step makes another one. */
export interface ConsumerMember {
  readonly id: string
  /** Of a static member (KIP-345): the name by which it is known across restarts. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** How long it may take to give up partitions; -1 where it did not say. */
  readonly rebalanceTimeoutMs: number
  /** Sorted. */
  readonly topicNames: readonly string[]
  /** An expression for topics, in RE2's syntax; null or empty for none. */
  readonly topicRegex: string | null
  /** The assignor that it would like; null where it leaves that to the group. */
  readonly assignor: string | null
  /** null where it speaks the consumer protocol. */
  readonly classic: ClassicSide | null
  readonly epoch: number
  /** The epoch before: an answer with the new one may have been lost on its way. */
  readonly previousEpoch: number
  readonly state: MemberState
  readonly assigned: PartitionSet
  readonly pendingRevocation: PartitionSet
}

/** The epochs of a member that says that it leaves, for good or, as a static member, for a while. */
export const leaveEpoch = -1
export const staticLeaveEpoch = -2
