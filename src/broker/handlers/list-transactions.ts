import type { RE2JS } from 're2js'
import type { Broker } from '../broker.ts'
import { compileClientPattern } from '../client-pattern.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { listTransactions } from '../protocol/messages/list-transactions.ts'
import { type TransactionStatus, transactionStatuses } from '../transaction/transaction.ts'
import { type Handler, handlerOf } from './handler.ts'

/**
 * ListTransactions 0-2: transactional ids by state, producer id, how long their transaction has been open, and a pattern that
 * the whole id matches, in RE2's syntax (Kafka's is Java's).
 */
export function handleListTransactions(broker: Broker): Handler {
  return handlerOf(listTransactions, [0, 2], (request) => {
    const { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern } = request
    const pattern = compile(transactionalIdPattern ?? '')
    if (pattern === 'invalid') {
      return { errorCode: codeOf('INVALID_REGULAR_EXPRESSION'), unknownStateFilters: [], transactionStates: [] }
    }
    const known: ReadonlySet<string> = new Set(transactionStatuses)
    const states = new Set(stateFilters.filter((state) => known.has(state)))
    const producerIds = new Set(producerIdFilters)
    const nowMs = broker.environment.clock.wallMs()
    const found = [...broker.transactions.entries()].filter(([id, state]) => {
      if (state.status === 'Dead') return false
      if (producerIds.size > 0 && !producerIds.has(state.producerId)) return false
      if (stateFilters.length > 0 && !states.has(state.status)) return false
      if (durationFilter >= 0 && nowMs - state.startedMs <= durationFilter) return false
      return pattern === undefined || pattern.matches(id)
    })
    return {
      errorCode: 0,
      unknownStateFilters: stateFilters.filter((state) => !known.has(state)),
      transactionStates: found.map(([transactionalId, { producerId, status }]) => {
        return { transactionalId, producerId, transactionState: status satisfies TransactionStatus }
      }),
    }
  })
}

function compile(pattern: string): RE2JS | 'invalid' | undefined {
  return pattern === '' ? undefined : (compileClientPattern(pattern) ?? 'invalid')
}
