import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { findCoordinator } from '../protocol/messages/find-coordinator.ts'
import { type Handler, handlerOf, type RequestContext } from './handler.ts'

const groupKey = 0
const transactionKey = 1

/** FindCoordinator 0-5: this broker coordinates every group and every transactional id. Coordinators of share groups (key type 2) are refused. */
export function handleFindCoordinator(broker: Broker): Handler {
  return handlerOf(findCoordinator, [0, 5], ({ key, keyType, coordinatorKeys }, context) => {
    const keys = context.apiVersion < 4 ? [key] : coordinatorKeys
    const coordinators = keys.map((one) => coordinatorOf(broker, one, keyType, context))
    const [first] = coordinators
    // Versions before 4 have one coordinator in fields of its own.
    return context.apiVersion < 4 && first !== undefined ? first : { coordinators }
  })
}

function coordinatorOf(broker: Broker, key: string, keyType: number, { advertised }: RequestContext) {
  const isKnown = keyType === groupKey || keyType === transactionKey
  if (isKnown) return { key, errorCode: 0, errorMessage: null, nodeId: broker.nodeId, ...advertised }
  const errorMessage = 'This broker has no coordinators of that kind.'
  return { key, errorCode: codeOf('INVALID_REQUEST'), errorMessage, nodeId: -1, host: '', port: -1 }
}
