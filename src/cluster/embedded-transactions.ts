import type { Broker } from '../broker/broker.ts'
import { sequenceAfter } from '../broker/log/producer-entry.ts'
import { offsetsTopic } from '../broker/topics.ts'
import type { ProducerIdentity } from '../broker/transaction/transaction-step.ts'
import { MillraceError } from '../errors.ts'
import { recordCountOf, stampProducer } from '../record/batch-format.ts'
import type { AppendResult, OffsetCommit, TopicPartition, TransactionalProducer } from './cluster.ts'

/** The one before is being ended by the coordinator, which takes some writes: more than this many times is no coincidence. */
const initAttempts = 100

export interface EmbeddedTransactionsOptions {
  readonly broker: Broker
  readonly transactionalId: string
  readonly timeoutMs: number
}

/**
 * The transactions of one transactional id on a broker in the same process. The partitions that a transaction writes to are
 * made part of it by the first batch for each; until that is durable, batches for it wait, in a copy.
 */
export class EmbeddedTransactions implements TransactionalProducer {
  readonly #broker: Broker
  readonly #transactionalId: string
  #producer: ProducerIdentity
  /** Of the open transaction: the next sequence number of each partition that is part of it. */
  readonly #sequences = new Map<string, number>()
  readonly #waiting = new Map<string, WaitingPartition>()
  #adding: Promise<void> | undefined

  private constructor(broker: Broker, transactionalId: string, producer: ProducerIdentity) {
    this.#broker = broker
    this.#transactionalId = transactionalId
    this.#producer = producer
  }

  /** Shuts out whoever had the id, and waits until its open transaction is aborted. */
  static async start({
    broker,
    transactionalId,
    timeoutMs,
  }: EmbeddedTransactionsOptions): Promise<EmbeddedTransactions> {
    for (let attempts = 1; ; attempts++) {
      await broker.transactions.settled(transactionalId)
      try {
        const producer = await broker.transactions.initProducerId({ transactionalId, timeoutMs })
        return new EmbeddedTransactions(broker, transactionalId, producer)
      } catch (error) {
        const isBusy = error instanceof MillraceError && error.code === 'CONCURRENT_TRANSACTIONS'
        if (!isBusy || attempts === initAttempts) throw error
      }
    }
  }

  append(partition: TopicPartition, batch: Buffer): Promise<AppendResult> {
    const name = nameOf(partition)
    if (this.#sequences.has(name)) return this.#append(partition, batch)
    try {
      this.#broker.log(partition.topic, partition.partition)
    } catch (error) {
      return Promise.reject(error)
    }
    const waiting = this.#waiting.get(name) ?? { partition, batches: [] }
    this.#waiting.set(name, waiting)
    const { promise, resolve, reject } = Promise.withResolvers<AppendResult>()
    waiting.batches.push({ batch: Buffer.from(batch), resolve, reject })
    void this.#add()
    return promise
  }

  async addOffsets(group: string, offsets: readonly OffsetCommit[]): Promise<void> {
    for (const { topic, partition } of offsets) this.#broker.log(topic, partition)
    const partition = { topic: offsetsTopic, partition: await this.#broker.offsets.partitionFor(group) }
    while (this.#adding !== undefined) await this.#adding
    if (!this.#sequences.has(nameOf(partition))) {
      await this.#broker.transactions.addPartitions(this.#request(), [partition])
      this.#sequences.set(nameOf(partition), 0)
    }
    await this.#broker.offsets.commit(group, offsets, this.#producer)
  }

  commit(): Promise<void> {
    return this.#end('commit')
  }

  abort(): Promise<void> {
    return this.#end('abort')
  }

  async #end(outcome: 'commit' | 'abort'): Promise<void> {
    while (this.#adding !== undefined) await this.#adding
    if (this.#sequences.size === 0) return
    this.#producer = await this.#broker.transactions.end(this.#request(), outcome)
    this.#sequences.clear()
    await this.#broker.transactions.settled(this.#transactionalId)
  }

  #append(partition: TopicPartition, batch: Buffer): Promise<AppendResult> {
    try {
      const name = nameOf(partition)
      const sequence = this.#sequences.get(name) as number
      stampProducer(batch, 0, { ...this.#producer, baseSequence: sequence, isTransactional: true })
      const log = this.#broker.log(partition.topic, partition.partition)
      const result = { baseOffset: this.#broker.append(log, batch) }
      this.#sequences.set(name, sequenceAfter(sequence, recordCountOf(batch, 0)))
      return log.acknowledged().then(() => result)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Makes the partitions for which batches wait part of the transaction, then appends these. */
  #add(): Promise<void> {
    this.#adding ??= this.#addWaiting().finally(() => {
      this.#adding = undefined
      if (this.#waiting.size > 0) void this.#add()
    })
    return this.#adding
  }

  async #addWaiting(): Promise<void> {
    // Batches for several partitions in a row share a record of the coordinator.
    await Promise.resolve()
    const names = [...this.#waiting.keys()]
    let failure: { readonly error: unknown } | undefined
    try {
      const partitions = [...this.#waiting.values()].map(({ partition }) => partition)
      await this.#broker.transactions.addPartitions(this.#request(), partitions)
    } catch (error) {
      failure = { error }
    }
    for (const name of names) {
      const { partition, batches } = this.#waiting.get(name) as WaitingPartition
      this.#waiting.delete(name)
      if (failure === undefined) this.#sequences.set(name, 0)
      for (const { batch, resolve, reject } of batches) {
        if (failure !== undefined) reject(failure.error)
        else this.#append(partition, batch).then(resolve, reject)
      }
    }
  }

  #request() {
    return { transactionalId: this.#transactionalId, ...this.#producer }
  }
}

interface WaitingPartition {
  readonly partition: TopicPartition
  readonly batches: {
    readonly batch: Buffer
    readonly resolve: (result: AppendResult) => void
    readonly reject: (error: unknown) => void
  }[]
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
