import type { ConsumerMember, MemberState } from './consumer-member.ts'
import { filterPartitions, hasPartition, noPartitions, type PartitionSet, union } from './partition-set.ts'

export interface ReconciliationInput {
  /** What the member is to have, and the epoch of that. */
  readonly target: PartitionSet
  readonly targetEpoch: number
  /** What the member says that it owns; null where it does not say. */
  readonly owned: PartitionSet | null
  /** Whether a partition is still with a member, be it this one. */
  readonly isHeld: (topicId: string, partition: number) => boolean
}

/**
 * The next step of a member towards what it is to have: first it gives up what it is not to keep, then it enters the new
 * epoch, and is given what others have given up. The same member where it cannot go on yet. After KIP-848 and Kafka's
 * CurrentAssignmentBuilder.
 */
export function reconcile(member: ConsumerMember, input: ReconciliationInput): ConsumerMember {
  if (member.state === 'stable') {
    return member.epoch === input.targetEpoch ? member : nextAssignment(member, member.epoch, input)
  }
  if (member.state === 'unreleased') return nextAssignment(member, member.epoch, input)
  if (ownsAnyOf(input.owned, member.pendingRevocation)) return member
  return nextAssignment(member, member.epoch + 1, input)
}

export function isReconciledTo(member: ConsumerMember, targetEpoch: number): boolean {
  return member.state === 'stable' && member.epoch === targetEpoch
}

function nextAssignment(member: ConsumerMember, epoch: number, input: ReconciliationInput): ConsumerMember {
  const { target, targetEpoch, owned, isHeld } = input
  const kept = filterPartitions(member.assigned, (topicId, partition) => hasPartition(target, topicId, partition))
  const revoked = filterPartitions(member.assigned, (topicId, partition) => !hasPartition(kept, topicId, partition))
  if (revoked.size > 0 && ownsAnyOf(owned, revoked)) {
    return { ...entered(member, epoch, 'unrevoked'), assigned: kept, pendingRevocation: revoked }
  }
  const missing = filterPartitions(target, (topicId, partition) => !hasPartition(kept, topicId, partition))
  const free = filterPartitions(missing, (topicId, partition) => !isHeld(topicId, partition))
  const state = [...missing].some(([topicId, { size }]) => size !== (free.get(topicId)?.size ?? 0))
    ? 'unreleased'
    : 'stable'
  return { ...entered(member, targetEpoch, state), assigned: union(kept, free), pendingRevocation: noPartitions }
}

function entered(member: ConsumerMember, epoch: number, state: MemberState): ConsumerMember {
  return { ...member, state, epoch, previousEpoch: member.epoch }
}

/** A member that does not say what it owns may own everything. */
function ownsAnyOf(owned: PartitionSet | null, partitions: PartitionSet): boolean {
  if (owned === null) return true
  return [...owned].some(([topicId, ofTopic]) => {
    return [...ofTopic].some((partition) => hasPartition(partitions, topicId, partition))
  })
}
