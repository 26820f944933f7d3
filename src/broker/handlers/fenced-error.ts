import { codeOf } from '../protocol/error-codes.ts'
import { errorNameOf } from './error-of.ts'

/** The error code of a transaction's request: old clients take a fenced producer for one with a wrong epoch (KIP-588). */
export function fencedErrorCodeOf(error: unknown, knowsFenced: boolean): number {
  const name = errorNameOf(error)
  return codeOf(name === 'PRODUCER_FENCED' && !knowsFenced ? 'INVALID_PRODUCER_EPOCH' : name)
}
