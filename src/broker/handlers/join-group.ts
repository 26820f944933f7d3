import type { Broker } from '../broker.ts'
import type { JoinReply } from '../group/group-event.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { joinGroup } from '../protocol/messages/join-group.ts'
import { type Handler, handlerOf } from './handler.ts'

/** In this version and those before it, no protocol name is the empty text. */
const lastVersionWithoutNull = 6

/** JoinGroup 0-9: answered when the rebalance is over that the join is part of. */
export function handleJoinGroup(broker: Broker): Handler {
  return handlerOf(joinGroup, [0, 9], async (request, { apiVersion, clientId, host }) => {
    if (request.groupId === '') return responseTo(refusal('INVALID_GROUP_ID', request.memberId), apiVersion)
    const reply = await broker.groups.join(request.groupId, {
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

function refusal(error: KafkaError, memberId: string): JoinReply {
  const nowhere = { generation: -1, protocolType: null, protocolName: null, leaderId: '', skipAssignment: false }
  return { error, memberId, ...nowhere, members: [] }
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
