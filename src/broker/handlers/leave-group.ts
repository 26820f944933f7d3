import type { Broker } from '../broker.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { leaveGroup } from '../protocol/messages/leave-group.ts'
import { type Handler, handlerOf } from './handler.ts'

interface Leaving {
  readonly memberId: string
  readonly instanceId: string | null
}

/**
 * LeaveGroup 0-5: one member, or from version 3 on several, static ones by their instance's name alone. Members of the
 * consumer protocol, which leave by a heartbeat, can be taken out with it.
 */
export function handleLeaveGroup(broker: Broker): Handler {
  return handlerOf(leaveGroup, [0, 5], async ({ groupId, memberId, members }, { apiVersion }) => {
    if (apiVersion < 3) return { errorCode: codeOf(await leave(broker, groupId, { memberId, instanceId: null })) }
    const left: { memberId: string; groupInstanceId: string | null; errorCode: number }[] = []
    for (const { memberId: id, groupInstanceId } of members) {
      const error = await leave(broker, groupId, { memberId: id, instanceId: groupInstanceId })
      left.push({ memberId: id, groupInstanceId, errorCode: codeOf(error) })
    }
    return { errorCode: 0, members: left }
  })
}

async function leave(broker: Broker, groupId: string, leaving: Leaving): Promise<KafkaError> {
  if (broker.consumerGroups.get(groupId) === undefined) return broker.groups.leave(groupId, leaving)
  return await broker.consumerGroups.expel(groupId, leaving.memberId, leaving.instanceId)
}
