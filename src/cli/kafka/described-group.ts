import type { Admin } from 'kafkajs'
import { codeOf } from '../../broker/protocol/error-codes.ts'
import { consumerGroupDescribe } from '../../broker/protocol/messages/consumer-group-describe.ts'
import { MillraceError } from '../../errors.ts'
import type { WireCluster } from './wire-cluster.ts'

/** A group of either protocol. */
export interface DescribedGroup {
  readonly groupId: string
  readonly state: string
  readonly type: 'Classic' | 'Consumer'
  /** How partitions are shared out; empty where nobody says. */
  readonly assignor: string
  readonly members: readonly DescribedMember[]
}

export interface DescribedMember {
  readonly memberId: string
  readonly clientId: string
  readonly clientHost: string
  readonly assignment: Readonly<Record<string, readonly number[]>>
}

/** Undefined where there is no such group. */
export async function describedGroup(
  admin: Admin,
  wire: WireCluster,
  groupId: string,
): Promise<DescribedGroup | undefined> {
  const [group] = (await admin.describeGroups([groupId])).groups
  // A group of KIP-848's protocol is dead for who asks for one of the classic protocol.
  if (group === undefined || group.state === 'Dead') return consumerGroup(wire, groupId)
  const members = await Promise.all(
    group.members.map(async ({ memberId, clientId, clientHost, memberAssignment }) => ({
      ...{ memberId, clientId, clientHost },
      assignment: await decoded(memberAssignment),
    })),
  )
  return { groupId, type: 'Classic', state: group.state, assignor: group.protocol, members }
}

async function consumerGroup(wire: WireCluster, groupId: string): Promise<DescribedGroup | undefined> {
  const group = await describedByCoordinator(wire, groupId)
  if (group === undefined || group.errorCode !== codeOf('NONE')) return undefined
  const members = group.members.map(({ memberId, clientId, clientHost, assignment }) => ({
    ...{ memberId, clientId, clientHost },
    assignment: Object.fromEntries(
      assignment.topicPartitions.map(({ topicName, partitions }) => [topicName, partitions]),
    ),
  }))
  return { groupId, type: 'Consumer', state: group.groupState, assignor: group.assignorName, members }
}

async function describedByCoordinator(wire: WireCluster, groupId: string) {
  try {
    const asked = { groupIds: [groupId], includeAuthorizedOperations: false }
    return (await wire.askCoordinator(groupId, consumerGroupDescribe, 0, asked)).groups[0]
  } catch (error) {
    // A cluster without that protocol has no group of it.
    if (error instanceof MillraceError && error.code === 'UNSUPPORTED_VERSION') return undefined
    throw error
  }
}

async function decoded(assignment: Buffer): Promise<Record<string, number[]>> {
  if (assignment.length === 0) return {}
  const { AssignerProtocol } = await import('kafkajs')
  return AssignerProtocol.MemberAssignment.decode(assignment)?.assignment ?? {}
}
