import type { Broker } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { produce } from '../protocol/messages/produce.ts'
import { errorCodeOf } from './error-of.ts'
import { type Answer, type Handler, handlerOf } from './handler.ts'
import { failed, type PartitionResponse, ProduceAppends, type ProduceResponse } from './produce-appends.ts'
import { ProduceTurns } from './produce-turns.ts'

/**
 * Produce 3-11: appends record batches. Requests of a connection take effect in their order, nearly always before the handler
 * returns; the answer waits for the acknowledgement. With `acks` 0 there is no answer.
 * The broker's own topics are written by the broker alone.
 */
export function handleProduce(broker: Broker): Handler {
  const turns = new ProduceTurns(broker.environment)
  return handlerOf(produce, [3, 11], (request, context) => {
    const appends = new ProduceAppends(broker, request, context.apiVersion)
    const made = turns.make(appends, context)
    if (made === true) return answerTo(appends, request.acks)
    return made.then((isDone) => (isDone ? answerTo(appends, request.acks) : undefined))
  })
}

function answerTo({ logs, responses }: ProduceAppends, acks: number): Answer<ProduceResponse> {
  if (acks === 0) return undefined
  return areAcknowledged(logs) ? { responses } : acknowledged(logs, { responses })
}

/** Nothing has to be waited for where acknowledged means that the operating system has it. */
function areAcknowledged(logs: ReadonlyMap<PartitionResponse, PartitionLog>): boolean {
  for (const log of logs.values()) if (!log.isAcknowledged) return false
  return true
}

/**
 * The response when all that was appended is acknowledged. Where a disk fails meanwhile, nothing of it is; and what was appended
 * to a topic that is deleted meanwhile is not.
 */
async function acknowledged(
  logs: ReadonlyMap<PartitionResponse, PartitionLog>,
  response: ProduceResponse,
): Promise<ProduceResponse> {
  try {
    await Promise.all([...logs.values()].map((log) => log.acknowledged()))
  } catch (error) {
    const errorCode = errorCodeOf(error)
    return replaceResponses(response, (one) => (one.errorCode === 0 ? failed(one.index, errorCode) : one))
  }
  if (![...logs.values()].some(({ isDeleted }) => isDeleted)) return response
  const errorCode = codeOf('UNKNOWN_TOPIC_OR_PARTITION')
  return replaceResponses(response, (one) => (logs.get(one)?.isDeleted === true ? failed(one.index, errorCode) : one))
}

function replaceResponses(
  { responses }: ProduceResponse,
  replace: (one: PartitionResponse) => PartitionResponse,
): ProduceResponse {
  return {
    responses: responses.map((topic) => ({ ...topic, partitionResponses: topic.partitionResponses.map(replace) })),
  }
}
