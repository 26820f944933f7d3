import { type ErrorCode, MillraceError } from '../../errors.ts'

interface Wording {
  readonly what: string
  readonly remedy?: string
}

const wordings: Partial<Record<ErrorCode, Wording>> = {
  CONCURRENT_TRANSACTIONS: {
    what: 'The last transaction is still being ended',
    remedy: 'Try again in a moment.',
  },
  PRODUCER_FENCED: {
    what: 'The producer has been replaced by a later one, or its transaction took too long',
    remedy: 'Do not run two with one transactional id, end transactions within their timeout, and start this one anew.',
  },
  INVALID_PRODUCER_ID_MAPPING: {
    what: 'The transactional id is not known with this producer id',
    remedy: 'Start the producer anew.',
  },
  INVALID_TXN_STATE: { what: 'The transaction cannot be ended so: it is not open, or has ended the other way' },
  INVALID_TRANSACTION_TIMEOUT: {
    what: 'The timeout of the transaction is not allowed',
    remedy: "Give one from 1 ms up to the broker's longest (`transaction.max.timeout.ms`, 15 minutes by default).",
  },
}

/** The error for what a step of the coordinator refused. */
export function transactionFailure(code: ErrorCode, transactionalId: string): MillraceError {
  const { what, remedy } = wordings[code] ?? { what: 'The transaction failed' }
  return new MillraceError(
    code,
    `${what} (transactional id '${transactionalId}')`,
    remedy === undefined ? {} : { remedy },
  )
}
