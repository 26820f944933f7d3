import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { heartbeat } from '../protocol/messages/heartbeat.ts'
import { type Handler, handlerOf } from './handler.ts'

/** Heartbeat 0-4: keeps a member's session, and tells it of a rebalance. */
export function handleHeartbeat(broker: Broker): Handler {
  return handlerOf(heartbeat, [0, 4], ({ groupId, memberId, groupInstanceId, generationId }) => {
    const identity = { memberId, instanceId: groupInstanceId, generation: generationId }
    const { consumerGroups, groups } = broker
    const error = consumerGroups.hasMembers(groupId)
      ? consumerGroups.classicHeartbeat(groupId, identity)
      : groups.heartbeat(groupId, identity)
    return { errorCode: codeOf(error) }
  })
}
