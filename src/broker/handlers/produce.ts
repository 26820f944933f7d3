import type { Broker } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { produce } from '../protocol/messages/produce.ts'
import type { ClientSession } from '../security/client-session.ts'
import { errorCodeOf } from './error-of.ts'
import { type Answer, type Handler, handlerOf, type RequestContext } from './handler.ts'
import { failed, type PartitionResponse, ProduceAppends, type ProduceResponse } from './produce-appends.ts'

/**
 * Produce 3-11: appends record batches. Requests of a connection take effect in their order, nearly always before the handler
 * returns: only where appends take long, others have their turn after each, and the next ones of the connection come after that.
 * The answer waits for the acknowledgement. With `acks` 0 there is no answer.
 * The broker's own topics are written by the broker alone.
 */
export function handleProduce(broker: Broker): Handler {
  const { timers } = broker.environment
  /** What the next request of a connection waits for. */
  const held = new WeakMap<ClientSession, Promise<void>>()
  const hold = (session: ClientSession, until: Promise<unknown>): void => {
    const over = until.then(
      () => forget(),
      () => forget(),
    )
    const forget = () => {
      if (held.get(session) === over) held.delete(session)
    }
    held.set(session, over)
  }
  return handlerOf(produce, [3, 11], (request, context) => {
    const appends = new ProduceAppends(broker, request, context.apiVersion)
    const before = held.get(context.session)
    if (before === undefined && appends.advance()) {
      if (appends.tookLong) hold(context.session, timers.nextTurn())
      return answerTo(appends, request.acks)
    }
    const finished = finish(broker, appends, context, before)
    hold(context.session, finished)
    return finished.then((isDone) => (isDone ? answerTo(appends, request.acks) : undefined))
  })
}

/** Makes what appends are left, others between them; false where the client is gone: nobody is told, so the rest is left. */
async function finish(
  { environment }: Broker,
  appends: ProduceAppends,
  context: RequestContext,
  before: Promise<void> | undefined,
): Promise<boolean> {
  const { clock, timers } = environment
  await before
  for (;;) {
    await timers.nextTurn()
    if (context.signal.aborted) return false
    const startMs = clock.monotonicMs()
    const isDone = appends.advance()
    context.laterWorkMs += clock.monotonicMs() - startMs
    if (isDone) return true
  }
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
