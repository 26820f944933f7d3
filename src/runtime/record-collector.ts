import type { AppendResult, OffsetCommit, TopicPartition } from '../cluster/cluster.ts'
import type { BatchOutput } from './batch-output.ts'
import type { Committer } from './committer.ts'

/**
 * Hands finished batches to the committer and keeps account of what is not acknowledged yet: how many bytes (which is bounded)
 * and the first failure, after which nothing more is accepted.
 */
export class RecordCollector implements BatchOutput {
  readonly #committer: Committer
  readonly #maxInFlightBytes: number
  #inFlightBytes = 0
  #inFlightAppends = 0
  #failure: unknown
  #failed = false
  #waiting: (() => void)[] = []

  constructor(committer: Committer, maxInFlightBytes: number) {
    this.#committer = committer
    this.#maxInFlightBytes = maxInFlightBytes
  }

  /** As the output's; a caller may leave the promise alone, because `acknowledged` tells of every failure. */
  append(
    partition: TopicPartition,
    batch: Buffer,
    onAcknowledged?: (baseOffset: number) => void,
  ): Promise<AppendResult> {
    if (this.#failed) return this.#refuse()
    const bytes = batch.length
    this.#inFlightBytes += bytes
    this.#inFlightAppends++
    const acknowledged = this.#committer.append(partition, batch)
    acknowledged.then(
      ({ baseOffset }) => {
        onAcknowledged?.(baseOffset)
        this.#settle(bytes)
      },
      (failure: unknown) => {
        if (!this.#failed) this.#failure = failure
        this.#failed = true
        this.#settle(bytes)
      },
    )
    return acknowledged
  }

  get isFull(): boolean {
    return this.#inFlightBytes > this.#maxInFlightBytes
  }

  get isIdle(): boolean {
    return this.#inFlightAppends === 0
  }

  /** Throws the first failed append, as soon as there is one. */
  requireHealthy(): void {
    if (this.#failed) throw this.#failure
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    while (this.isFull && !this.#failed) await this.#change()
    this.requireHealthy()
  }

  /** Resolves when everything appended so far is acknowledged. */
  async acknowledged(): Promise<void> {
    while (!this.isIdle && !this.#failed) await this.#change()
    this.requireHealthy()
  }

  /** Commits the offsets, and with them what was appended and has been acknowledged; resolves when that is durable. */
  commit(offsets: readonly OffsetCommit[]): Promise<void> {
    return this.#committer.commit(offsets)
  }

  /** Gives up what was appended since the last commit. */
  abandon(): Promise<void> {
    return this.#committer.abandon()
  }

  #refuse(): Promise<AppendResult> {
    const refused = Promise.reject(this.#failure)
    refused.catch(() => {})
    return refused
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #settle(bytes: number): void {
    this.#inFlightBytes -= bytes
    this.#inFlightAppends--
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }
}
