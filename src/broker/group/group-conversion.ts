import type { KafkaError } from '../protocol/error-codes.ts'
import type { ConsumerGroupRecord, GroupTopics } from './consumer/consumer-group-event.ts'
import { ConsumerGroupState } from './consumer/consumer-group-state.ts'
import type { ClassicSide, ConsumerMember } from './consumer/consumer-member.ts'
import { noPartitions, type PartitionSet, PartitionSetBuilder, partitionListOf } from './consumer/partition-set.ts'
import { Subscriptions } from './consumer/subscriptions.ts'
import {
  type ConsumerAssignment,
  consumerProtocol,
  readAssignment,
  readSubscription,
  writeAssignment,
} from './consumer-protocol.ts'
import type { ClassicMembers } from './group-event.ts'

/**
 * Groups change from the classic protocol to the consumer protocol while they have members, and back: with the first member
 * that speaks the consumer protocol, and when the last one has gone. After Kafka's ConsumerGroup.fromClassicGroup and
 * ClassicGroup.fromConsumerGroup.
 */

/** Which groups with members change their protocol (`group.consumer.migration.policy`). */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

export function mayUpgrade(policy: MigrationPolicy): boolean {
  return policy === 'bidirectional' || policy === 'upgrade'
}

export function mayDowngrade(policy: MigrationPolicy): boolean {
  return policy === 'bidirectional' || policy === 'downgrade'
}

/** What the coordinator of consumer groups asks of the one of classic groups. */
export interface ClassicGroups {
  /** Gives the name of an empty group away; says why not where there is one with members. */
  release(group: string): Promise<KafkaError>
  /** The members of a group, as far as there are some. */
  membersOf(group: string): ClassicMembers | undefined
  /** The group is one of the consumer protocol from now on: who waits is told to join again. */
  giveUp(group: string): void
  /** Takes up a group, in place of what was kept of it; resolves when that is durable. */
  adopt(group: string, members: ClassicMembers, replaced: readonly ConsumerGroupRecord[]): Promise<boolean>
}

/**
 * A classic group as one of the consumer protocol, where everybody has and is to have what the last leader assigned. Undefined
 * where its members are no consumers, or an assignor of their own has told them more than partitions.
 */
export function upgraded(
  { generation, protocolType, protocolName, members }: ClassicMembers,
  topics: GroupTopics,
): ConsumerGroupState | undefined {
  if (protocolType !== consumerProtocol) return undefined
  const state = new ConsumerGroupState()
  for (const { assignment, sessionTimeoutMs, protocols, ...member } of members) {
    const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs } = member
    const protocol = protocols.find(({ name }) => name === protocolName) ?? protocols[0]
    const said = protocol && readSubscription(protocol.metadata)
    const given = readAssignment(assignment)
    if (said === undefined || given === undefined || (given.userData?.length ?? 0) > 0) return undefined
    const assigned = partitionsOf(given.assignedPartitions, topics)
    state.put({
      ...{ id, instanceId, clientId, clientHost, rebalanceTimeoutMs },
      rackId: said.rackId,
      topicNames: [...new Set(said.topics)].sort(),
      topicRegex: null,
      assignor: null,
      classic: { sessionTimeoutMs, protocols },
      epoch: generation,
      previousEpoch: generation,
      state: 'stable',
      assigned,
      pendingRevocation: noPartitions,
    })
    state.setTarget(id, assigned)
  }
  state.setEpoch(generation, new Subscriptions(topics).hashOf(state.members()))
  state.targetEpoch = generation
  return state
}

/** A group of which all members speak the classic protocol as one of it, where everybody has what it is to have. */
export function downgraded(state: ConsumerGroupState, topics: GroupTopics): ClassicMembers {
  return {
    generation: state.epoch,
    protocolType: consumerProtocol,
    protocolName: null,
    members: [...state.members()].map((member) => {
      const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs } = member
      const { sessionTimeoutMs, protocols } = member.classic as ClassicSide
      const assignment = assignmentFor(member, state.targetOf(id), topics)
      return { id, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols, assignment }
    }),
  }
}

/** What a member of the classic protocol is told that it has. Topics that have gone since are left out. */
export function assignmentFor({ classic }: ConsumerMember, partitions: PartitionSet, topics: GroupTopics): Buffer {
  const assigned = partitionListOf(partitions).flatMap(({ topicId, partitions: ofTopic }) => {
    const topic = topics.withId(topicId)
    return topic === undefined ? [] : [{ topic: topic.name, partitions: ofTopic }]
  })
  return writeAssignment(assigned, classic?.protocols[0]?.metadata)
}

/** Partitions of topics that there are. */
export function partitionsOf(list: ConsumerAssignment['assignedPartitions'], topics: GroupTopics): PartitionSet {
  const builder = new PartitionSetBuilder()
  for (const { topic, partitions } of list) {
    const id = topics.get(topic)?.id
    if (id !== undefined) for (const partition of partitions) builder.add(id, partition)
  }
  return builder.partitions
}
