import type { Broker } from '../broker.ts'
import { type JoinReply, joinRefusal } from '../group/group-event.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { joinGroup } from '../protocol/messages/join-group.ts'
import { type Handler, handlerOf } from './handler.ts'

/** In this version and those before it, no protocol name is the empty text. */
const lastVersionWithoutNull = 6

/** JoinGroup 0-9: answered when the rebalance is over that the join is part of; in a group of the consumer protocol, at once. */
export function handleJoinGroup(broker: Broker): Handler {
  return handlerOf(joinGroup, [0, 9], async (request, { apiVersion, clientId, host }) => {
    if (request.groupId === '') return responseTo(joinRefusal(request.memberId, 'INVALID_GROUP_ID'), apiVersion)
    const groups = broker.consumerGroups.hasMembers(request.groupId) ? broker.consumerGroups : broker.groups
    const reply = await groups.join(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      clientId: clientId ?? '',
      clientHost: `/${host}`,
      sessionTimeoutMs: request.sessionTimeoutMs,
      // The first version had one timeout for both.
      rebalanceTimeoutMs: request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // What is kept of a member must not keep the whole request.
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      requiresKnownMemberId: apiVersion >= 4,
      knowsSkipAssignment: apiVersion >= 9,
    })
    return responseTo(reply, apiVersion)
  })
}

function responseTo(reply: JoinReply, version: number): ResponseOf<typeof joinGroup> {
  return {
    errorCode: codeOf(reply.error),
    generationId: reply.generation,
    protocolType: reply.protocolType,
    protocolName: reply.protocolName ?? (version <= lastVersionWithoutNull ? '' : null),
    leader: reply.leaderId,
    skipAssignment: reply.skipAssignment,
    memberId: reply.memberId,
    members: reply.members.map(({ id, instanceId, metadata }) => ({
      memberId: id,
      groupInstanceId: instanceId,
      metadata,
    })),
  }
}
