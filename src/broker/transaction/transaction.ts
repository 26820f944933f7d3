/** Where a transaction stands (org.apache.kafka.coordinator.transaction.TransactionState). */
export const transactionStatuses = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

export type TransactionStatus = (typeof transactionStatuses)[number]

/**
 * How a client speaks of transactions (the feature `transaction.version`): 0 and 1 keep a producer's epoch from one
 * transaction to the next; 2 raises it at the end of each, so that nothing that comes late can touch the next one (KIP-890).
 */
export type TransactionVersion = 0 | 1 | 2

export interface TransactionPartition {
  readonly topic: string
  readonly partition: number
}

/** All that is known of a transactional id: what a record of `__transaction_state` says. */
export interface Transaction {
  readonly status: TransactionStatus
  readonly producerId: number
  readonly producerEpoch: number
  /** The id before the last change; -1 where there was none. */
  readonly previousProducerId: number
  /** The id that follows when this transaction ends, because the epochs of this one are used up; otherwise -1. */
  readonly nextProducerId: number
  /** The epoch before the last one, whose owner may ask again; -1 where it may not. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly partitions: readonly TransactionPartition[]
  /** When the transaction began, in milliseconds since 1970; -1 where none is open. */
  readonly startedMs: number
  readonly updatedMs: number
  readonly clientVersion: TransactionVersion
}

/** Clients are given epochs up to the one before this: a fence must always have one left. */
export const lastClientEpoch = 32_766

export function isEpochExhausted(epoch: number): boolean {
  return epoch >= lastClientEpoch
}

/** Whether the outcome is decided, and markers are being written. */
export function isPrepared({ status }: Transaction): boolean {
  return status === 'PrepareCommit' || status === 'PrepareAbort'
}

export function partitionKey({ topic, partition }: TransactionPartition): string {
  return `${topic}-${partition}`
}
