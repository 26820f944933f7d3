import type { AppendResult, Cluster, OffsetCommit, TopicPartition, TransactionalProducer } from '../cluster/cluster.ts'
import type { RunConfig } from './run-options.ts'

/** Where an application's batches go, and how they come to count. */
export interface Committer {
  append(partition: TopicPartition, batch: Buffer): Promise<AppendResult>
  /** Commits the offsets, and with them what was appended and has been acknowledged. */
  commit(offsets: readonly OffsetCommit[]): Promise<void>
  /** Gives up what was appended since the last commit, as far as that is possible. */
  abandon(): Promise<void>
}

/** The least that a transaction is allowed to take. Kafka's producers allow this, too. */
const leastTimeoutMs = 60_000
/** Brokers allow this by default (`transaction.max.timeout.ms`). */
const mostTimeoutMs = 900_000

/** The way of committing that the guarantee asks for. With transactions, what the last run left open is aborted first. */
export async function startCommitter(config: RunConfig): Promise<Committer> {
  const { applicationId, cluster, commitIntervalMs, guarantee } = config
  if (guarantee === 'at-least-once') return new OffsetCommitter(cluster, applicationId)
  const timeoutMs = Math.min(Math.max(leastTimeoutMs, 2 * commitIntervalMs), mostTimeoutMs)
  return new TransactionCommitter(await cluster.transactions(applicationId, { timeoutMs }), applicationId)
}

/** At least once: outputs count when they are appended, and the offsets that vouch for them follow. */
class OffsetCommitter implements Committer {
  readonly #cluster: Cluster
  readonly #applicationId: string

  constructor(cluster: Cluster, applicationId: string) {
    this.#cluster = cluster
    this.#applicationId = applicationId
  }

  append(partition: TopicPartition, batch: Buffer): Promise<AppendResult> {
    return this.#cluster.append(partition, batch)
  }

  commit(offsets: readonly OffsetCommit[]): Promise<void> {
    return this.#cluster.commitOffsets(this.#applicationId, offsets)
  }

  async abandon(): Promise<void> {}
}

/** Exactly once: outputs, changelogs and offsets are one transaction. */
class TransactionCommitter implements Committer {
  readonly #producer: TransactionalProducer
  readonly #applicationId: string

  constructor(producer: TransactionalProducer, applicationId: string) {
    this.#producer = producer
    this.#applicationId = applicationId
  }

  append(partition: TopicPartition, batch: Buffer): Promise<AppendResult> {
    return this.#producer.append(partition, batch)
  }

  async commit(offsets: readonly OffsetCommit[]): Promise<void> {
    await this.#producer.addOffsets(this.#applicationId, offsets)
    await this.#producer.commit()
  }

  abandon(): Promise<void> {
    return this.#producer.abort()
  }
}
