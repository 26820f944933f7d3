import { ByteWriter } from '../../bytes/byte-writer.ts'
import type { Cancel, Clock, Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { BatchBuilder } from '../../record/batch-builder.ts'
import type { BatchReader } from '../../record/batch-reader.ts'
import { type TransactionOutcome, transactionMarkerBatch } from '../../record/control-record.ts'
import { coordinatorPartition } from '../coordinator-partition.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { LogFold } from '../log-fold.ts'
import {
  isPrepared,
  partitionKey,
  type Transaction,
  type TransactionPartition,
  type TransactionVersion,
} from './transaction.ts'
import { transactionFailure } from './transaction-failure.ts'
import {
  readTransactionKey,
  readTransactionValue,
  writeTransactionKey,
  writeTransactionValue,
} from './transaction-record.ts'
import { type ProducerIdentity, stepTransaction, type TransactionEvent } from './transaction-step.ts'

export interface TransactionSettings {
  /** The longest timeout that a client may ask for (`transaction.max.timeout.ms`). Default: 15 minutes. */
  readonly transactionMaxTimeoutMs: number
  /** How often open transactions are looked at for their timeout (`transaction.abort.timed.out.transaction.cleanup.interval.ms`). Default: 10 s. */
  readonly transactionAbortIntervalMs: number
  /** An id that was not used for this long is forgotten (`transactional.id.expiration.ms`). Default: 7 days. */
  readonly transactionalIdExpirationMs: number
}

export const defaultTransactionSettings: TransactionSettings = {
  transactionMaxTimeoutMs: 900_000,
  transactionAbortIntervalMs: 10_000,
  transactionalIdExpirationMs: 604_800_000,
}

export interface TransactionCoordinatorOptions {
  readonly clock: Clock
  readonly timers: Timers
  readonly settings: TransactionSettings
  /** Makes `__transaction_state` when the first transactional id is used. */
  readonly createLogs: () => Promise<readonly PartitionLog[]>
  readonly allocateProducerId: () => Promise<number>
  /** The log of a partition; undefined where it does not exist (any more). */
  readonly logOf: (partition: TransactionPartition) => PartitionLog | undefined
  /** Called after markers were written to the partition and may be seen by readers. */
  readonly onMarked: (partition: TransactionPartition) => void
}

export interface InitProducerIdRequest {
  readonly transactionalId: string
  readonly timeoutMs: number
  readonly expected?: ProducerIdentity
}

export interface TransactionRequest extends ProducerIdentity {
  readonly transactionalId: string
  /** Default: 2. */
  readonly version?: TransactionVersion
}

/** Writing markers is tried again after this long where the disk was full. */
const retryMs = 1_000

/**
 * Runs `stepTransaction` over `__transaction_state`: logs what it says, answers when that is durable, and writes the markers
 * of what is decided. What is in memory is the fold of the log, so a restart goes on wherever the last process stopped: a
 * decided transaction gets the markers that are missing, then its completion.
 */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions
  readonly #states = new Map<string, Transaction>()
  /** By producer id. */
  readonly #ids = new Map<number, string>()
  /** Ids with a record on its way to the log. */
  readonly #pending = new Set<string>()
  readonly #finishing = new Map<string, Promise<void>>()
  readonly #key = new ByteWriter()
  readonly #value = new ByteWriter()
  #partitions: { readonly log: PartitionLog; readonly fold: LogFold }[] = []
  #cancelTimer: Cancel | undefined
  #isClosed = false

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options
  }

  /** Takes up what the logs hold, and ends what was decided and not completed. */
  async open(logs: readonly PartitionLog[]): Promise<void> {
    this.#use(logs)
    for (const { fold } of this.#partitions) await fold.replay(this.#options.timers)
    for (const [id, state] of this.#states) if (isPrepared(state)) this.#finish(id)
    this.#watchTime()
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#states.get(transactionalId)
  }

  /** All transactional ids with their states. */
  entries(): IterableIterator<[string, Transaction]> {
    return this.#states.entries()
  }

  /** Makes the topic of the transactions where it is not there yet. @throws MillraceError DISK_FULL, STORAGE_FAILED */
  async requireTopic(): Promise<void> {
    if (this.#partitions.length > 0) return
    const logs = await this.#options.createLogs()
    if (this.#partitions.length === 0) this.#use(logs)
  }

  /**
   * The producer of a transactional id from now on; whoever had it before is shut out, and its open transaction aborted.
   * @throws MillraceError INVALID_ARGUMENT, INVALID_TRANSACTION_TIMEOUT, CONCURRENT_TRANSACTIONS, PRODUCER_FENCED, DISK_FULL,
   * STORAGE_FAILED
   */
  async initProducerId(request: InitProducerIdRequest): Promise<ProducerIdentity> {
    const { transactionalId, timeoutMs, expected } = request
    requireTransactionalId(transactionalId)
    if (!(timeoutMs > 0 && timeoutMs <= this.#options.settings.transactionMaxTimeoutMs)) {
      throw transactionFailure('INVALID_TRANSACTION_TIMEOUT', transactionalId)
    }
    await this.requireTopic()
    return this.#handle(transactionalId, { type: 'init', timeoutMs, ...(expected && { expected }) })
  }

  /**
   * Makes the partitions part of the open transaction, which begins where none is open. Resolves when that is durable: only
   * then may the producer write to them.
   * @throws MillraceError INVALID_ARGUMENT, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, DISK_FULL,
   * STORAGE_FAILED
   */
  async addPartitions(request: TransactionRequest, partitions: readonly TransactionPartition[]): Promise<void> {
    const { transactionalId, producerId, producerEpoch, version = 2 } = request
    requireTransactionalId(transactionalId)
    await this.#handle(transactionalId, { type: 'add', producerId, producerEpoch, partitions, version })
  }

  /**
   * Decides the open transaction. Resolves when the decision is durable, with whom the producer is from then on; its markers
   * follow (`settled`).
   * @throws MillraceError INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, DISK_FULL,
   * STORAGE_FAILED
   */
  end(request: TransactionRequest, outcome: TransactionOutcome): Promise<ProducerIdentity> {
    const { transactionalId, producerId, producerEpoch, version = 2 } = request
    return this.#handle(transactionalId, { type: 'end', producerId, producerEpoch, outcome, version })
  }

  /**
   * Resolves when no transaction of the id is being ended any more, and all that was can be read.
   * @throws MillraceError STORAGE_FAILED
   */
  async settled(transactionalId: string): Promise<void> {
    for (let ending = this.#finishing.get(transactionalId); ending !== undefined; ) {
      await ending
      ending = this.#finishing.get(transactionalId)
    }
  }

  /**
   * Requires that the partition is part of the producer's open transaction. Without this a batch that arrives after its
   * transaction has ended would open another one that nobody ends (KIP-890).
   * @throws MillraceError INVALID_TXN_STATE
   */
  requireInTransaction(producer: ProducerIdentity, partition: TransactionPartition): void {
    const id = this.#ids.get(producer.producerId)
    const state = id === undefined ? undefined : this.#states.get(id)
    const key = partitionKey(partition)
    const isPart =
      state?.status === 'Ongoing' &&
      state.producerId === producer.producerId &&
      state.producerEpoch === producer.producerEpoch &&
      state.partitions.some((added) => partitionKey(added) === key)
    if (isPart) return
    const what = `Producer ${producer.producerId} has not made the partition part of an open transaction`
    throw new MillraceError('INVALID_TXN_STATE', what, { at: partition, remedy: 'Add the partition to it first.' })
  }

  /** Stops looking at the time, and resolves when no markers are being written. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelTimer?.()
    await Promise.allSettled(this.#finishing.values())
  }

  #use(logs: readonly PartitionLog[]): void {
    this.#partitions = logs.map((log) => ({ log, fold: new LogFold(log, (record) => this.#apply(record)) }))
  }

  async #handle(id: string, event: TransactionEvent): Promise<ProducerIdentity> {
    const { clock, allocateProducerId } = this.#options
    let asked = event
    this.#partitions[0]?.log.context.status.requireOnline()
    for (;;) {
      const step = stepTransaction(this.#states.get(id), asked, clock.wallMs(), this.#pending.has(id))
      if (step.reply === 'needs-producer-id') {
        asked = { ...asked, freshProducerId: await allocateProducerId() } as TransactionEvent
        continue
      }
      if (step.next !== undefined) await this.#log(id, step.next)
      if (step.next !== undefined && step.next !== null && isPrepared(step.next)) this.#finish(id)
      if ('error' in step.reply) throw transactionFailure(step.reply.error, id)
      this.#watchTime()
      return step.reply
    }
  }

  async #log(id: string, next: Transaction | null): Promise<void> {
    const { log, fold } = this.#partitionOf(id)
    this.#pending.add(id)
    try {
      log.append(this.#batchOf(id, next))
      await log.acknowledged()
      fold.catchUp()
    } finally {
      this.#pending.delete(id)
    }
  }

  /** Writes the markers of a decided transaction, then its completion, once at a time for each id. */
  #finish(id: string): void {
    if (this.#finishing.has(id)) return
    const finishing = this.#writeMarkers(id).finally(() => this.#finishing.delete(id))
    // Who waits for it is told of a failure; everybody else by the directory, which is offline.
    finishing.catch(() => {})
    this.#finishing.set(id, finishing)
  }

  async #writeMarkers(id: string): Promise<void> {
    for (let state = this.#states.get(id); state !== undefined && isPrepared(state); state = this.#states.get(id)) {
      try {
        await this.#mark(state)
        const completed = stepTransaction(state, { type: 'markers-written' }, this.#options.clock.wallMs())
        if (completed.next !== undefined) await this.#log(id, completed.next)
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== 'DISK_FULL' || this.#isClosed) throw error
        await new Promise<void>((resolve) => this.#options.timers.after(retryMs, resolve))
      }
    }
  }

  async #mark(state: Transaction): Promise<void> {
    const { clock, logOf, onMarked } = this.#options
    const outcome = state.status === 'PrepareCommit' ? 'commit' : 'abort'
    const { producerId, producerEpoch } = state
    const marked: { readonly partition: TransactionPartition; readonly log: PartitionLog }[] = []
    for (const partition of state.partitions) {
      const log = logOf(partition)
      if (log === undefined) continue
      marked.push({ partition, log })
      // A marker that is in the log already, because the last process got so far, is not written twice.
      const known = log.producers.get(producerId)
      if (known !== undefined && known.producerEpoch >= producerEpoch && !known.hasOpenTransaction) continue
      // Of the time of the records, which retention and the rolling of segments go by: these may be of another year.
      const timestamp = log.largestTimestamp < 0 ? clock.wallMs() : log.largestTimestamp
      const marker = { producerId, producerEpoch, outcome, coordinatorEpoch: 0, timestamp } as const
      log.append(transactionMarkerBatch(marker), 'coordinator')
    }
    await Promise.all(marked.map(({ log }) => log.acknowledged()))
    for (const { partition } of marked) onMarked(partition)
  }

  #partitionOf(id: string): { readonly log: PartitionLog; readonly fold: LogFold } {
    const found = this.#partitions[coordinatorPartition(id, Math.max(this.#partitions.length, 1))]
    if (found === undefined) throw transactionFailure('INVALID_PRODUCER_ID_MAPPING', id)
    return found
  }

  #batchOf(id: string, next: Transaction | null): Buffer {
    const nowMs = this.#options.clock.wallMs()
    const { length: keyLength, buffer: key } = written(this.#key, (out) => writeTransactionKey(id, out))
    const value = next === null ? undefined : written(this.#value, (out) => writeTransactionValue(next, out))
    const builder = new BatchBuilder({ capacityBytes: 512 })
    builder.append(nowMs, key, 0, keyLength, value?.buffer ?? null, value === undefined ? -1 : 0, value?.length ?? -1)
    return builder.finish()
  }

  #apply({ bytes, isControl, keyStart, keyEnd, valueStart, valueEnd }: BatchReader): void {
    // The marker of a transaction that somebody had made this log part of.
    if (isControl) return
    const id = keyStart < 0 ? undefined : readTransactionKey(bytes, keyStart, keyEnd)
    if (id === undefined) return
    const before = this.#states.get(id)
    if (before !== undefined) this.#ids.delete(before.producerId)
    if (valueStart < 0) {
      this.#states.delete(id)
      return
    }
    const state = readTransactionValue(bytes, valueStart, valueEnd)
    this.#states.set(id, state)
    this.#ids.set(state.producerId, id)
  }

  /** As long as there are ids, looks at the time again and again: for transactions that are too old, and unused ids. */
  #watchTime(): void {
    if (this.#isClosed || this.#cancelTimer !== undefined || this.#states.size === 0) return
    const look = () => {
      this.#cancelTimer = undefined
      const expirationMs = this.#options.settings.transactionalIdExpirationMs
      for (const id of this.#states.keys()) {
        this.#passTime(id, { type: 'time-out' })
        this.#passTime(id, { type: 'expire', expirationMs })
      }
      this.#watchTime()
    }
    const { settings, timers } = this.#options
    this.#cancelTimer = timers.after(settings.transactionAbortIntervalMs, look, { isBackground: true })
  }

  #passTime(id: string, event: TransactionEvent): void {
    const isPending = this.#pending.has(id)
    if (stepTransaction(this.#states.get(id), event, this.#options.clock.wallMs(), isPending).next === undefined) return
    // Where the disk is full it is tried again the next time.
    this.#handle(id, event).catch(() => {})
  }
}

function written(out: ByteWriter, write: (out: ByteWriter) => void): ByteWriter {
  out.clear()
  write(out)
  return out
}

function requireTransactionalId(id: string): void {
  if (id.length > 0 && Buffer.byteLength(id) <= 32_767) return
  throw new MillraceError('INVALID_ARGUMENT', `'${id.slice(0, 100)}' is not a transactional id`, {
    remedy: 'Use 1 to 32767 bytes.',
  })
}
