import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { findCoordinator } from '../protocol/messages/find-coordinator.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf, type RequestContext } from './handler.ts'

const groupKey = 0
const transactionKey = 1

/**
 * FindCoordinator 0-5: this broker coordinates every group and every transactional id. Coordinators of share groups (key type
 * 2) are refused. As in Kafka, whoever asks makes the topic in which the coordinator keeps what it knows.
 */
export function handleFindCoordinator(broker: Broker): Handler {
  return handlerOf(findCoordinator, [0, 5], async ({ key, keyType, coordinatorKeys }, context) => {
    const problem = await requireTopic(broker, keyType)
    const keys = context.apiVersion < 4 ? [key] : coordinatorKeys
    const coordinators = keys.map((one) => coordinatorOf(broker, one, keyType, context, problem))
    const [first] = coordinators
    // Versions before 4 have one coordinator in fields of its own.
    return context.apiVersion < 4 && first !== undefined ? first : { coordinators }
  })
}

/** The error that keeps the topic from being made. */
async function requireTopic(broker: Broker, keyType: number): Promise<number> {
  try {
    if (keyType === groupKey) await broker.offsets.requireTopic()
    if (keyType === transactionKey) await broker.transactions.requireTopic()
    return 0
  } catch (error) {
    return errorCodeOf(error)
  }
}

function coordinatorOf(broker: Broker, key: string, keyType: number, { advertised }: RequestContext, problem: number) {
  if (problem !== 0) return { key, errorCode: problem, errorMessage: null, nodeId: -1, host: '', port: -1 }
  const isKnown = keyType === groupKey || keyType === transactionKey
  if (isKnown) return { key, errorCode: 0, errorMessage: null, nodeId: broker.nodeId, ...advertised }
  const errorMessage = 'This broker has no coordinators of that kind.'
  return { key, errorCode: codeOf('INVALID_REQUEST'), errorMessage, nodeId: -1, host: '', port: -1 }
}
