import { refusal, requireOptions, requireTopic, requireTopics } from '../arguments.ts'
import type { Address, Clock } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import type { Topic } from '../topic.ts'
import type { Cluster, OffsetRange, PartitionOffset, TopicDescription, TopicPartition, TopicSpec } from './cluster.ts'
import { type ConsumedRecord, type ConsumeOptions, consume } from './consumer.ts'
import { Producer, type ProducerOptions } from './producer.ts'

/** A cluster as users hold it: typed topics in, typed records out. Hand it to `run` to share it with an application. */
export class Connection implements AsyncDisposable {
  /** The port below, in raw batches. */
  readonly cluster: Cluster
  readonly #clock: Clock
  readonly #partitionCounts = new Map<string, number>()

  constructor(cluster: Cluster, clock: Clock) {
    this.cluster = cluster
    this.#clock = clock
  }

  get address(): string {
    return this.cluster.address
  }

  /** Where clients of Kafka's protocol are served; undefined where none are. */
  get listening(): Address | undefined {
    return this.cluster.listening
  }

  /**
   * Makes the topics that do not exist, from specifications or typed topics.
   * @throws MillraceError TOPIC_MISMATCH where one exists with another number of partitions
   */
  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    if (!Array.isArray(topics))
      throw refusal(
        'createTopics(...)',
        'an array of topics',
        topics,
        'Give one also where there is one topic: [words].',
      )
    requireTopics('createTopics', topics)
    await this.cluster.createTopics(
      topics.map(({ name, partitions, config }) => ({ name, partitions, ...(config && { config }) })),
    )
    for (const { name, partitions } of topics) this.#partitionCounts.set(name, partitions)
  }

  describeTopics(names?: readonly string[]): Promise<TopicDescription[]> {
    return this.cluster.describeTopics(names)
  }

  offsets(partitions: readonly TopicPartition[]): Promise<OffsetRange[]> {
    return this.cluster.offsets(partitions)
  }

  /**
   * Deletes the records below an offset of each partition, or all that readers may see where the offset is -1; resolves with
   * the first offsets that can be read now.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE, DISK_FULL, STORAGE_FAILED
   */
  deleteRecords(offsets: readonly PartitionOffset[]): Promise<number[]> {
    return this.cluster.deleteRecords(offsets)
  }

  /**
   * A producer for a topic that `createTopics` of this connection was called with.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION where it was not
   */
  producer<K, V>(topic: Topic<K, V>, options: Omit<ProducerOptions, 'clock'> = {}): Producer<K, V> {
    requireTopic('producer', topic)
    const partitions = this.#partitionCounts.get(topic.name)
    if (partitions === undefined) {
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'The topic was not created by this connection', {
        at: { topic: topic.name },
        remedy: 'Call createTopics first: topics that exist are left as they are.',
      })
    }
    return new Producer(this.cluster, topic, partitions, { ...options, clock: this.#clock })
  }

  /** Reads a topic outside of any group: an async iterable of arrays, each with the records of one fetch. */
  consume<K, V>(topic: Topic<K, V>, options: ConsumeOptions): AsyncGenerator<ConsumedRecord<K, V>[], void, undefined> {
    requireTopic('consume', topic)
    requireOptions('consume(...)', options, "where to begin: { from: 'earliest' }")
    return consume(this.cluster, topic, options)
  }

  /** Makes everything durable and lets go of the log. Closing twice does nothing. */
  close(): Promise<void> {
    return this.cluster.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
