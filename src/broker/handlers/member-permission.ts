import type { Broker } from '../broker.ts'
import type { MemberIdentity } from '../group/group-event.ts'
import type { KafkaError } from '../protocol/error-codes.ts'

/** From this version on a commit says the epoch of a member of the consumer protocol. */
const firstCommitVersionWithEpoch = 9

/** Whether the sender may commit offsets for the group, of whichever protocol the group is. */
export function commitErrorOf(
  broker: Broker,
  groupId: string,
  identity: MemberIdentity,
  request: { readonly apiVersion: number; readonly isTransactional: boolean },
): KafkaError {
  const group = broker.consumerGroups.get(groupId)
  if (group === undefined) return broker.groups.commitError(groupId, identity)
  // A reader that is no member may commit while the group has none.
  if (identity.generation < 0 && group.state.size === 0) return 'NONE'
  const error = group.epochError(identity.memberId, identity.generation)
  if (error === 'UNKNOWN_MEMBER_ID' || request.isTransactional) return error
  const isClassic = group.state.get(identity.memberId)?.classic !== null
  return request.apiVersion < firstCommitVersionWithEpoch && !isClassic ? 'UNSUPPORTED_VERSION' : error
}

/** Whether the sender may ask for the group's offsets: a member only in its epoch, others always. */
export function fetchErrorOf(
  broker: Broker,
  { groupId, memberId, memberEpoch }: { groupId: string; memberId: string | null; memberEpoch: number },
): KafkaError {
  const group = broker.consumerGroups.get(groupId)
  if (group === undefined || (memberId === null && memberEpoch < 0)) return 'NONE'
  return group.epochError(memberId ?? '', memberEpoch)
}
