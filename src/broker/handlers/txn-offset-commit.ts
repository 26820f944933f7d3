import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { txnOffsetCommit } from '../protocol/messages/txn-offset-commit.ts'
import { CommittableOffsets } from './committable-offsets.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'
import { commitErrorOf } from './member-permission.ts'

/** From this version on the request says which member commits. */
const firstVersionWithMember = 3

/** TxnOffsetCommit 0-4: offsets that count when the transaction is committed, and not at all when it is aborted. */
export function handleTxnOffsetCommit(broker: Broker): Handler {
  return handlerOf(txnOffsetCommit, [0, 4], async (request, { apiVersion }) => {
    const {
      groupId,
      memberId,
      groupInstanceId: instanceId,
      generationId: generation,
      producerId,
      producerEpoch,
    } = request
    const committable = new CommittableOffsets(broker, request.topics)
    if (apiVersion >= firstVersionWithMember && (memberId !== '' || generation >= 0)) {
      const identity = { memberId, instanceId, generation }
      const error = commitErrorOf(broker, groupId, identity, { apiVersion, isTransactional: true })
      if (error !== 'NONE') return { topics: committable.answer(codeOf(error)) }
    }
    try {
      await broker.offsets.commit(groupId, committable.offsets, { producerId, producerEpoch })
      return { topics: committable.answer() }
    } catch (failure) {
      return { topics: committable.answer(errorCodeOf(failure)) }
    }
  })
}
