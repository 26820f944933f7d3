import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { offsetCommit } from '../protocol/messages/offset-commit.ts'
import { CommittableOffsets } from './committable-offsets.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'
import { commitErrorOf } from './member-permission.ts'

/**
 * OffsetCommit 2-9: all offsets of a request whose partitions exist, in one batch of the log. A member commits in its
 * generation, or epoch; a reader that is no member with generation -1, while the group has none. Leader epochs are not kept.
 */
export function handleOffsetCommit(broker: Broker): Handler {
  return handlerOf(offsetCommit, [2, 9], async (request, { apiVersion }) => {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request
    const committable = new CommittableOffsets(broker, request.topics)
    if (groupId === '' && generation >= 0) return { topics: committable.answer(codeOf('INVALID_GROUP_ID')) }
    const identity = { memberId, instanceId: groupInstanceId, generation }
    const error = commitErrorOf(broker, groupId, identity, { apiVersion, isTransactional: false })
    if (error !== 'NONE') return { topics: committable.answer(codeOf(error)) }
    try {
      await broker.offsets.commit(groupId, committable.offsets)
      return { topics: committable.answer() }
    } catch (failure) {
      return { topics: committable.answer(errorCodeOf(failure)) }
    }
  })
}
