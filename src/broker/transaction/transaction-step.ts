import type { ErrorCode } from '../../errors.ts'
import type { TransactionOutcome } from '../../record/control-record.ts'
import {
  isEpochExhausted,
  isPrepared,
  lastClientEpoch,
  partitionKey,
  type Transaction,
  type TransactionPartition,
  type TransactionVersion,
} from './transaction.ts'

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** What can happen to a transactional id. */
export type TransactionEvent =
  | InitProducer
  | AddPartitions
  | EndTransaction
  /** All markers of the decided transaction are in their logs. */
  | { readonly type: 'markers-written' }
  /** Time has passed: an open transaction may be too old. */
  | { readonly type: 'time-out' }
  /** Time has passed: the id may not have been used for too long. */
  | { readonly type: 'expire'; readonly expirationMs: number }

export interface InitProducer {
  readonly type: 'init'
  readonly timeoutMs: number
  /** Whom the producer takes itself for, where it goes on after an error (KIP-360). */
  readonly expected?: ProducerIdentity
  /** A producer id never used, where one was asked for. */
  readonly freshProducerId?: number
}

export interface AddPartitions extends ProducerIdentity {
  readonly type: 'add'
  readonly partitions: readonly TransactionPartition[]
  readonly version: TransactionVersion
}

export interface EndTransaction extends ProducerIdentity {
  readonly type: 'end'
  readonly outcome: TransactionOutcome
  readonly version: TransactionVersion
  readonly freshProducerId?: number
}

export interface TransactionStep {
  /** What the id's record says from now on; null where the id is forgotten; undefined where nothing changes. */
  readonly next?: Transaction | null
  /** What the client is told when the record is durable: who it is, what is wrong, or that a fresh producer id is needed first. */
  readonly reply: ProducerIdentity | { readonly error: ErrorCode } | 'needs-producer-id'
}

/** What the server itself ends transactions as. */
const serverVersion: TransactionVersion = 2

/**
 * The transaction coordinator as a function (kafka.coordinator.transaction.TransactionCoordinator, KIP-98, KIP-360, KIP-890):
 * of what is known of a transactional id, what happens, and the time. It writes nothing. Whoever calls it logs `next`, then
 * answers; while a record is on its way to the log (`isPending`), nothing else may happen to the id.
 */
export function stepTransaction(
  state: Transaction | undefined,
  event: TransactionEvent,
  nowMs: number,
  isPending = false,
): TransactionStep {
  if (event.type === 'init') return isPending ? concurrent : initProducer(state, event, nowMs)
  if (state === undefined) return failed('INVALID_PRODUCER_ID_MAPPING')
  if (isPending) return concurrent
  // The last epoch of all is only for fences: who had it could not be shut out, and no epoch follows it.
  if ('producerEpoch' in event && event.producerEpoch > lastClientEpoch) return failed('PRODUCER_FENCED')
  if (event.type === 'add') return addPartitions(state, event, nowMs)
  if (event.type === 'end') return event.version < 2 ? endAtOnce(state, event, nowMs) : endWithBump(state, event, nowMs)
  if (event.type === 'markers-written') return isPrepared(state) ? complete(state, nowMs) : unchanged(state)
  if (event.type === 'expire') return expire(state, nowMs - event.expirationMs)
  return isTooOld(state, nowMs) ? { next: fence(state, nowMs), reply: identityOf(state) } : unchanged(state)
}

function initProducer(state: Transaction | undefined, event: InitProducer, nowMs: number): TransactionStep {
  if (state === undefined) {
    if (event.freshProducerId === undefined) return { reply: 'needs-producer-id' }
    return changed(emptyTransaction(event.freshProducerId, event.timeoutMs, nowMs))
  }
  const { expected } = event
  if (expected !== undefined && !mayBe(state, expected)) return failed('PRODUCER_FENCED')
  if (isPrepared(state)) return concurrent
  // Whoever had it open is shut out; the new producer asks again when the abort is done.
  if (state.status === 'Ongoing') return { next: fence(state, nowMs), reply: { error: 'CONCURRENT_TRANSACTIONS' } }

  const idle = { status: 'Empty', timeoutMs: event.timeoutMs, partitions: [], startedMs: -1, updatedMs: nowMs } as const
  const isCurrent = expected === undefined || expected.producerEpoch === state.producerEpoch
  const isRepeated = !isCurrent && expected.producerEpoch === state.lastProducerEpoch
  const lastProducerEpoch = expected === undefined ? -1 : expected.producerEpoch
  if (
    state.producerEpoch > lastClientEpoch ? isCurrent || isRepeated : isCurrent && isEpochExhausted(state.producerEpoch)
  ) {
    const producerId = event.freshProducerId
    if (producerId === undefined) return { reply: 'needs-producer-id' }
    return changed(moved(state, { ...idle, producerId, producerEpoch: 0, lastProducerEpoch }))
  }
  if (isCurrent) return changed(moved(state, { ...idle, producerEpoch: state.producerEpoch + 1, lastProducerEpoch }))
  return isRepeated ? changed(moved(state, idle)) : failed('PRODUCER_FENCED')
}

/** Whether the producer can be who it says: the current one, or one that missed the answer that it has a new id. */
function mayBe(state: Transaction, { producerId, producerEpoch }: ProducerIdentity): boolean {
  return producerId === state.producerId || (producerId === state.previousProducerId && isEpochExhausted(producerEpoch))
}

function addPartitions(state: Transaction, event: AddPartitions, nowMs: number): TransactionStep {
  if (state.producerId !== event.producerId) return failed('INVALID_PRODUCER_ID_MAPPING')
  if (state.producerEpoch !== event.producerEpoch) return failed('PRODUCER_FENCED')
  if (isPrepared(state)) return concurrent
  const isOpen = state.status === 'Ongoing'
  const known = new Set(isOpen ? state.partitions.map(partitionKey) : [])
  const added = event.partitions.filter((partition) => !known.has(partitionKey(partition)))
  if (isOpen && added.length === 0) return unchanged(state)
  return changed(
    moved(state, {
      status: 'Ongoing',
      partitions: isOpen ? [...state.partitions, ...added] : added,
      startedMs: isOpen ? state.startedMs : nowMs,
      updatedMs: nowMs,
      clientVersion: event.version,
    }),
  )
}

/** Versions 0 and 1: the epoch stays, so only the state tells a repetition from a mistake. */
function endAtOnce(state: Transaction, event: EndTransaction, nowMs: number): TransactionStep {
  if (state.producerId !== event.producerId) return failed('INVALID_PRODUCER_ID_MAPPING')
  if (state.producerEpoch !== event.producerEpoch) return failed('PRODUCER_FENCED')
  if (state.status === 'Ongoing') {
    return changed(moved(state, { status: preparedFor(event), updatedMs: nowMs, clientVersion: event.version }))
  }
  return endedBefore(state, event)
}

/**
 * Version 2: the epoch grows with the end of each transaction, so a repetition is known by the epoch before, and the current
 * epoch means the transaction after. An abort without any partition still raises the epoch, to shut out what is on its way.
 */
function endWithBump(state: Transaction, event: EndTransaction, nowMs: number): TransactionStep {
  const isAfterOverflow =
    state.previousProducerId === event.producerId &&
    event.producerEpoch === lastClientEpoch &&
    state.producerEpoch === 0 &&
    state.producerId !== event.producerId
  const isRepeated = isAfterOverflow || state.producerEpoch === event.producerEpoch + 1
  if (state.producerId !== event.producerId && !isAfterOverflow) return failed('INVALID_PRODUCER_ID_MAPPING')
  const isCurrent = state.producerEpoch === event.producerEpoch
  const isComplete = state.status === 'CompleteCommit' || state.status === 'CompleteAbort'
  if (isPrepared(state) ? !isRepeated : isComplete ? !isRepeated && !isCurrent : !isCurrent) {
    return failed('PRODUCER_FENCED')
  }
  if (isPrepared(state) || isRepeated) return endedBefore(state, event)
  const isEmptyAbort = state.status !== 'Ongoing' && event.outcome === 'abort'
  if (state.status !== 'Ongoing' && !isEmptyAbort) return failed('INVALID_TXN_STATE')
  const needsProducerId = isEpochExhausted(state.producerEpoch)
  if (needsProducerId && event.freshProducerId === undefined) return { reply: 'needs-producer-id' }
  const next = moved(state, {
    status: preparedFor(event),
    producerEpoch: state.producerEpoch + 1,
    lastProducerEpoch: state.producerEpoch,
    nextProducerId: needsProducerId ? (event.freshProducerId as number) : -1,
    startedMs: isEmptyAbort ? nowMs : state.startedMs,
    updatedMs: nowMs,
    clientVersion: event.version,
  })
  return { next, reply: successorOf(next) }
}

/** The answer to a client that ends what is ended, or about to be. */
function endedBefore(state: Transaction, { outcome }: EndTransaction): TransactionStep {
  const { status } = state
  if (status === (outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort')) {
    return state.producerEpoch > lastClientEpoch ? failed('PRODUCER_FENCED') : unchanged(state)
  }
  if (status === (outcome === 'commit' ? 'PrepareCommit' : 'PrepareAbort')) return concurrent
  return failed('INVALID_TXN_STATE')
}

function complete(state: Transaction, nowMs: number): TransactionStep {
  const status = state.status === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort'
  const { producerId, producerEpoch } = successorOf(state)
  return changed(
    moved(state, { status, producerId, producerEpoch, nextProducerId: -1, partitions: [], updatedMs: nowMs }),
  )
}

/** Whom the client is after the transaction that is being ended. */
function successorOf({ producerId, producerEpoch, nextProducerId }: Transaction): ProducerIdentity {
  return nextProducerId >= 0 ? { producerId: nextProducerId, producerEpoch: 0 } : { producerId, producerEpoch }
}

/** Aborts with the next epoch: what the producer still sends is refused everywhere. */
function fence(state: Transaction, nowMs: number): Transaction {
  return moved(state, {
    status: 'PrepareAbort',
    producerEpoch: state.producerEpoch + 1,
    lastProducerEpoch: state.producerEpoch,
    updatedMs: nowMs,
    clientVersion: serverVersion,
  })
}

function isTooOld({ status, startedMs, timeoutMs }: Transaction, nowMs: number): boolean {
  return status === 'Ongoing' && nowMs - startedMs > timeoutMs
}

function expire(state: Transaction, beforeMs: number): TransactionStep {
  const isIdle = state.status !== 'Ongoing' && !isPrepared(state)
  return isIdle && state.updatedMs <= beforeMs ? { next: null, reply: identityOf(state) } : unchanged(state)
}

function emptyTransaction(producerId: number, timeoutMs: number, nowMs: number): Transaction {
  return {
    status: 'Empty',
    producerId,
    producerEpoch: 0,
    previousProducerId: -1,
    nextProducerId: -1,
    lastProducerEpoch: -1,
    timeoutMs,
    partitions: [],
    startedMs: -1,
    updatedMs: nowMs,
    clientVersion: 0,
  }
}

function preparedFor({ outcome }: EndTransaction): 'PrepareCommit' | 'PrepareAbort' {
  return outcome === 'commit' ? 'PrepareCommit' : 'PrepareAbort'
}

function moved(state: Transaction, changes: Partial<Transaction>): Transaction {
  return { ...state, previousProducerId: state.producerId, ...changes }
}

function identityOf({ producerId, producerEpoch }: Transaction): ProducerIdentity {
  return { producerId, producerEpoch }
}

function changed(next: Transaction): TransactionStep {
  return { next, reply: identityOf(next) }
}

function unchanged(state: Transaction): TransactionStep {
  return { reply: identityOf(state) }
}

function failed(error: ErrorCode): TransactionStep {
  return { reply: { error } }
}

const concurrent: TransactionStep = failed('CONCURRENT_TRANSACTIONS')
