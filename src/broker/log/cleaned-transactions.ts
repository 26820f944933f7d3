import type { BatchReader } from '../../record/batch-reader.ts'
import type { AbortedTransaction } from './transaction-index.ts'

interface OpenAbort {
  readonly aborted: AbortedTransaction
  /** Whether one of its batches is still in the log. */
  hasData: boolean
}

/**
 * Follows transactions while a log is read from its start for compaction: which batches were aborted, and which markers have
 * outlived the last batch of their transaction. (Kafka: CleanedTransactionMetadata.)
 */
export class CleanedTransactions {
  /** Those that begin behind what was read, by their first offsets. */
  readonly #ahead: AbortedTransaction[]
  readonly #aborting = new Map<number, OpenAbort>()
  readonly #committing = new Set<number>()
  /** Told of each aborted transaction that readers still have to know of. */
  onKept: (aborted: AbortedTransaction) => void = () => {}

  /** @param aborted all that have records in what is read */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** The reader has come to a batch of data: whether it was aborted. */
  isAborted(batch: BatchReader): boolean {
    this.#open(batch.lastOffset)
    if (!batch.isTransactional) return false
    const open = this.#aborting.get(batch.producerId)
    if (open === undefined) this.#committing.add(batch.producerId)
    else open.hasData = true
    return open !== undefined
  }

  /** The reader has come to a marker, or to what compaction left of one: whether nothing of its transaction is left. */
  isObsolete(batch: BatchReader, outcome: 'abort' | 'commit' | undefined): boolean {
    this.#open(batch.lastOffset)
    if (batch.recordCount === 0) return true
    if (outcome === undefined) return false
    if (outcome === 'commit') return !this.#committing.delete(batch.producerId)
    const open = this.#aborting.get(batch.producerId)
    this.#aborting.delete(batch.producerId)
    if (open?.hasData !== true) return true
    this.onKept(open.aborted)
    return false
  }

  #open(offset: number): void {
    for (let next = this.#ahead.at(-1); next !== undefined && next.firstOffset <= offset; next = this.#ahead.at(-1)) {
      this.#ahead.pop()
      if (!this.#aborting.has(next.producerId)) this.#aborting.set(next.producerId, { aborted: next, hasData: false })
    }
  }
}
