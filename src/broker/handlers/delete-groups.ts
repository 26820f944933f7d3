import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { deleteGroups } from '../protocol/messages/delete-groups.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

/** DeleteGroups 0-2: groups without members, with everything that they have committed. */
export function handleDeleteGroups(broker: Broker): Handler {
  return handlerOf(deleteGroups, [0, 2], async ({ groupsNames }) => {
    const results: { groupId: string; errorCode: number }[] = []
    for (const groupId of groupsNames) results.push({ groupId, errorCode: await deleteGroup(broker, groupId) })
    return { results }
  })
}

async function deleteGroup(broker: Broker, groupId: string): Promise<number> {
  try {
    const hasOffsets = broker.offsets.hasCommitted(groupId)
    const isOfConsumers = broker.consumerGroups.get(groupId) !== undefined
    const error = await (isOfConsumers ? broker.consumerGroups : broker.groups).delete(groupId)
    // A group that only commits is none that anybody coordinates.
    if (error !== 'NONE' && !(error === 'GROUP_ID_NOT_FOUND' && hasOffsets)) return codeOf(error)
    await broker.offsets.delete(groupId)
    return 0
  } catch (failure) {
    return errorCodeOf(failure)
  }
}
