import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { syncGroup } from '../protocol/messages/sync-group.ts'
import { type Handler, handlerOf } from './handler.ts'

/** From this version on a member must say what it takes the group's protocol for (KIP-559). */
const firstVersionWithProtocol = 5

/** SyncGroup 0-5: the leader hands in what each member is to do, and every member gets its own. */
export function handleSyncGroup(broker: Broker): Handler {
  return handlerOf(syncGroup, [0, 5], async (request, { apiVersion }) => {
    if (apiVersion >= firstVersionWithProtocol && (request.protocolType === null || request.protocolName === null)) {
      const errorCode = codeOf('INCONSISTENT_GROUP_PROTOCOL')
      return { errorCode, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) }
    }
    const groups = broker.consumerGroups.hasMembers(request.groupId) ? broker.consumerGroups : broker.groups
    const reply = await groups.sync(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationId,
      protocolType: request.protocolType,
      protocolName: request.protocolName,
      assignments: new Map(request.assignments.map((one) => [one.memberId, Buffer.from(one.assignment)])),
    })
    const { protocolType, protocolName, assignment } = reply
    return { errorCode: codeOf(reply.error), protocolType, protocolName, assignment }
  })
}
