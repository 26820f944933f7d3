import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { leaveGroup } from '../protocol/messages/leave-group.ts'
import { type Handler, handlerOf } from './handler.ts'

/** LeaveGroup 0-5: one member, or from version 3 on several, static ones by their instance's name alone. */
export function handleLeaveGroup(broker: Broker): Handler {
  return handlerOf(leaveGroup, [0, 5], ({ groupId, memberId, members }, { apiVersion }) => {
    if (apiVersion < 3) return { errorCode: codeOf(broker.groups.leave(groupId, { memberId, instanceId: null })) }
    return {
      errorCode: 0,
      members: members.map((member) => {
        const { groupInstanceId } = member
        const error = broker.groups.leave(groupId, { memberId: member.memberId, instanceId: groupInstanceId })
        return { memberId: member.memberId, groupInstanceId, errorCode: codeOf(error) }
      }),
    }
  })
}
