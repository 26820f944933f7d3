import type { Environment } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import type { BrokerSettings } from './broker-settings.ts'
import { BrokerConfig } from './config/broker-config.ts'
import { ConfigChanges } from './config/config-changes.ts'
import { logSettings } from './config/topic-settings.ts'
import { DataDirectory, ownNodeId } from './data-directory.ts'
import { ConsumerGroupCoordinator } from './group/consumer/consumer-group-coordinator.ts'
import { GroupCoordinator } from './group/group-coordinator.ts'
import { GroupExpiry } from './group/group-expiry.ts'
import { OffsetStore } from './group/offset-store.ts'
import { Flusher } from './log/flusher.ts'
import type { TornTail } from './log/log-recovery.ts'
import type { LogSettings } from './log/log-settings.ts'
import type { FlushPolicy, PartitionLog } from './log/partition-log.ts'
import { PartitionLogs, type QuarantinedRange } from './log/partition-logs.ts'
import { type CompactionFailure, LogUpkeep } from './log-upkeep.ts'
import { ProducerIds } from './producer-ids.ts'
import { requireTopicDefinition, TopicChanges } from './topic-changes.ts'
import { randomId } from './topic-id.ts'
import {
  type BrokerTopic,
  metadataTopic,
  offsetsTopic,
  ownTopics,
  type TopicDefinition,
  Topics,
  transactionsTopic,
} from './topics.ts'
import { TransactionCoordinator } from './transaction/transaction-coordinator.ts'
import { Turns } from './turns.ts'

export interface BrokerOptions {
  /** Made where it is missing. */
  readonly directory: string
  readonly environment: Environment
  readonly flush: FlushPolicy
  readonly settings?: Partial<BrokerSettings>
  /** Settings by Kafka's names, as `log.retention.hours`, which count before `settings`. */
  readonly config?: Readonly<Record<string, string>>
}

/** The registry and commits may be larger than a topic's records. */
const ownMaxMessageBytes = 16_777_216
/** Kafka's `offsets.topic.segment.bytes` and `transaction.state.log.segment.bytes`. */
const ownSegmentBytes = 104_857_600

/**
 * Opens the log of a single node, recovering what a crash left behind.
 * @throws MillraceError INVALID_ARGUMENT, DIRECTORY_LOCKED, DIRECTORY_UNUSABLE, CORRUPT_BATCH, DISK_FULL, STORAGE_FAILED
 */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const { disk, clock, random, timers } = options.environment
  const config = new BrokerConfig(options.settings ?? {}, options.config ?? {})
  const directory = await DataDirectory.open(options.directory, disk)
  const flusher = new Flusher(directory.status, () => upkeep.recoveryPoints.schedule())
  const { maxOpenFiles } = config.settings
  const flushPolicy = options.flush
  const logs = new PartitionLogs({ directory, disk, clock, random, timers, flusher, flushPolicy, maxOpenFiles })
  const upkeep = new LogUpkeep(directory, logs, config.settings, options.environment)
  const parts = { directory, logs, config, upkeep, environment: options.environment }
  try {
    const topics = new Topics(await openRegistry(parts), options.environment.clock)
    const broker = new Broker(parts, topics)
    broker.configChanges.recover()
    const deleted = await broker.topicChanges.recover()
    await openTopics(topics, parts)
    await broker.offsets.open(logs.ofTopic(offsetsTopic))
    await broker.topicChanges.forgetOffsets(deleted)
    await broker.transactions.open(logs.ofTopic(transactionsTopic))
    for (const [group, metadata] of broker.offsets.keptGroups) broker.groups.restore(group, metadata)
    for (const [group, kept] of broker.offsets.keptConsumerGroups.entries()) broker.consumerGroups.restore(group, kept)
    await topics.keepShort((offset) => broker.deleteRecords([{ topic: metadataTopic, partition: 0, offset }]))
    directory.status.requireOnline()
    broker.start()
    return broker
  } catch (error) {
    await upkeep.stop()
    logs.close()
    directory.release()
    throw error
  }
}

interface BrokerParts {
  readonly directory: DataDirectory
  readonly logs: PartitionLogs
  readonly config: BrokerConfig
  readonly upkeep: LogUpkeep
  readonly environment: Environment
}

/** A single node: topics, their partitions' logs and the offsets of groups, in one data directory. */
export class Broker {
  readonly topics: Topics
  readonly offsets: OffsetStore
  /** Of the classic protocol. */
  readonly groups: GroupCoordinator
  /** Of the consumer protocol (KIP-848). */
  readonly consumerGroups: ConsumerGroupCoordinator
  readonly producerIds: ProducerIds
  readonly clusterId: string
  readonly transactions: TransactionCoordinator
  readonly #parts: BrokerParts
  /** How topics grow and go. */
  readonly topicChanges: TopicChanges
  readonly configChanges: ConfigChanges
  readonly #groupExpiry: GroupExpiry
  #closing: Promise<void> | undefined

  constructor(parts: BrokerParts, topics: Topics) {
    this.#parts = parts
    this.topics = topics
    this.clusterId = parts.directory.clusterId
    this.producerIds = new ProducerIds((count) => topics.reserveProducerIds(count))
    this.groups = new GroupCoordinator({
      ...parts.environment,
      settings: parts.config.settings,
      claim: (group) => this.consumerGroups.release(group),
      keep: (group, metadata, replaced) => this.offsets.keepGroup(group, metadata, replaced),
      onMade: () => this.#groupExpiry.start(),
    })
    this.consumerGroups = new ConsumerGroupCoordinator({
      ...parts.environment,
      settings: parts.config.settings,
      topics,
      classic: this.groups,
      keep: (group, records, replacesClassic) => this.offsets.keepConsumerGroup(group, records, replacesClassic),
    })
    const { clock, timers } = parts.environment
    const createOffsetsLogs = () => {
      this.#groupExpiry.start()
      return this.#createOwnTopic(offsetsTopic)
    }
    this.offsets = new OffsetStore({
      clock,
      timers,
      createLogs: createOffsetsLogs,
      verify: (producer, partition) =>
        this.transactions.requireInTransaction(producer, { topic: offsetsTopic, partition }),
    })
    this.#groupExpiry = new GroupExpiry({
      clock,
      timers,
      groups: this.groups,
      consumerGroups: this.consumerGroups,
      offsets: this.offsets,
      retentionMs: parts.config.settings.offsetsRetentionMs,
      intervalMs: parts.config.settings.offsetsRetentionCheckIntervalMs,
    })
    const shared = { ...parts, topics, turns: new Turns(), requireOpen: () => this.requireOpen() }
    this.configChanges = new ConfigChanges({ ...shared, nodeId: this.nodeId })
    this.topicChanges = new TopicChanges({
      ...shared,
      forgetOffsets: (names) => this.offsets.forgetTopics(names),
    })
    this.transactions = new TransactionCoordinator({
      clock,
      timers,
      settings: parts.config.settings,
      createLogs: () => this.#createOwnTopic(transactionsTopic),
      allocateProducerId: () => this.producerIds.allocate(),
      logOf: ({ topic, partition }) => parts.logs.get(topic, partition),
      onMarked: ({ topic, partition }) => {
        if (topic === offsetsTopic) this.offsets.catchUp(partition)
      },
    })
  }

  /** Begins with what goes on in the background, when everything is open. */
  start(): void {
    this.#parts.upkeep.start()
    if (this.topics.get(offsetsTopic) !== undefined) this.#groupExpiry.start()
  }

  /** The settings, and who says so. */
  get config(): BrokerConfig {
    return this.#parts.config
  }

  get settings(): BrokerSettings {
    return this.#parts.config.settings
  }

  get environment(): Environment {
    return this.#parts.environment
  }

  get nodeId(): number {
    return ownNodeId
  }

  /** Where the logs are. */
  get logDirectory(): string {
    return this.#parts.directory.path
  }

  /** Whether the disk has failed, so that nothing is served any more. */
  get isOffline(): boolean {
    return this.#parts.directory.status.failure !== undefined
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /** Ends of logs that the last process had not finished writing, and that were removed when they were opened. */
  get cuts(): readonly TornTail[] {
    return this.#parts.logs.cuts
  }

  /** @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, CLOSED */
  log(topic: string, partition: number): PartitionLog {
    this.requireOpen()
    const log = this.#parts.logs.get(topic, partition)
    if (log !== undefined) return log
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'There is no such partition', {
      at: { topic, partition },
      remedy: 'Create the topic first, with enough partitions.',
    })
  }

  /**
   * A log that clients of Kafka's protocol may see: all but the registry, in which the broker keeps what is nobody else's.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, CLOSED
   */
  servedLog(topic: string, partition: number): PartitionLog {
    if (topic !== metadataTopic) return this.log(topic, partition)
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'The registry is not served', { at: { topic, partition } })
  }

  /** Damaged parts of logs that were found when they were opened: they are not served, and nothing of them was changed. */
  get damages(): readonly QuarantinedRange[] {
    return this.#parts.logs.damages
  }

  /**
   * Appends what a client sends, and returns its offset as the log does: a batch of a transaction only where the transaction
   * has the partition.
   * @throws MillraceError as `PartitionLog.append`
   */
  append(log: PartitionLog, batches: Buffer): number {
    const { topic, partition } = log
    return log.append(batches, 'client', (producerId, producerEpoch) => {
      this.transactions.requireInTransaction({ producerId, producerEpoch }, { topic, partition })
    })
  }

  /**
   * Makes the topics that do not exist; resolves when they are durable.
   * @throws MillraceError INVALID_ARGUMENT, TOPIC_MISMATCH, DIRECTORY_UNUSABLE, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  createTopics(definitions: readonly TopicDefinition[]): Promise<void> {
    return this.topicChanges.create(definitions)
  }

  /**
   * Makes a topic that somebody has asked for, as the broker makes topics by itself: with its number of partitions, or as one of
   * its own.
   * @throws MillraceError as `createTopics`
   */
  async createAskedFor(name: string): Promise<void> {
    if (name === offsetsTopic || name === transactionsTopic) await this.#createOwnTopic(name)
    else await this.createTopics([{ name, partitions: this.settings.defaultPartitions }])
  }

  /**
   * Deletes the records below an offset of each partition, or below its high watermark where the offset is -1: of all or none.
   * Resolves when that is durable, with the first offsets that can be read now.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  deleteRecords(
    targets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[],
  ): Promise<number[]> {
    const found = targets.map(({ topic, partition, offset }) => {
      const log = this.log(topic, partition)
      return { log, offset: offset === -1 ? log.highWatermark : offset }
    })
    return this.#parts.upkeep.trimmer.deleteRecords(found)
  }

  /**
   * Removes the batch of a partition that holds the offset, and all after it: what a follower does with what its leader has not.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  truncate(topic: string, partition: number, offset: number): Promise<void> {
    return this.#parts.upkeep.truncate(this.log(topic, partition), offset)
  }

  /** Compacts now what is due; it happens by itself in the background. */
  compact(): Promise<void> {
    return this.#parts.upkeep.cleaner.clean()
  }

  /** Calls back when a log could not be compacted. */
  onCompactionFailure(listener: (failure: CompactionFailure) => void): void {
    this.#parts.upkeep.onCompactionFailure(listener)
  }

  /** @throws MillraceError INVALID_ARGUMENT where a topic cannot be made so */
  requireDefinition(definition: TopicDefinition): void {
    requireTopicDefinition(definition, this.settings)
  }

  /** Calls back when the disk has failed. */
  onOffline(listener: (failure: MillraceError) => void): void {
    this.#parts.directory.status.onOffline(listener)
  }

  /** @throws MillraceError CLOSED */
  requireOpen(): void {
    if (this.isClosed) throw new MillraceError('CLOSED', 'The cluster is closed')
  }

  /**
   * Makes everything durable and lets go of the directory.
   * @throws MillraceError STORAGE_FAILED where that was not possible; the directory is let go of all the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #createOwnTopic(name: string): Promise<readonly PartitionLog[]> {
    const { logs } = this.#parts
    const { offsetsTopicPartitions, transactionsTopicPartitions } = this.settings
    const partitions = name === offsetsTopic ? offsetsTopicPartitions : transactionsTopicPartitions
    const config = {
      'cleanup.policy': 'compact',
      'max.message.bytes': String(ownMaxMessageBytes),
      'segment.bytes': String(Math.min(this.settings.segmentBytes, ownSegmentBytes)),
    }
    await this.createTopics([{ name, partitions, config }])
    return logs.ofTopic(name)
  }

  async #close(): Promise<void> {
    const { directory, logs, upkeep } = this.#parts
    await this.topicChanges.close()
    await this.#groupExpiry.stop()
    await this.transactions.close()
    this.groups.close()
    this.consumerGroups.close()
    await upkeep.stop()
    try {
      await Promise.all(logs.all().map((log) => log.flushed()))
      await logs.syncIndexes()
      directory.status.requireOnline()
      logs.close()
      const isWritten = await upkeep.recoveryPoints.write()
      // Without the marker the next start finds the same damage again.
      if (isWritten && logs.damages.length === 0) await directory.markCleanShutdown()
    } finally {
      logs.close()
      directory.release()
    }
  }
}

/** Opens the log with the topics, or makes it where the directory is new. */
async function openRegistry({ directory, logs, config, environment }: BrokerParts): Promise<PartitionLog> {
  // What the broker keeps for topics by default is not for itself.
  const ownSettings: LogSettings = { ...config.settings, maxMessageBytes: ownMaxMessageBytes, cleanupPolicy: 'none' }
  if (directory.isFormatted) {
    await logs.open(metadataTopic, 1, ownSettings)
    const log = logs.ofTopic(metadataTopic)[0] as PartitionLog
    if (!directory.wasCleanlyShutDown) await log.flushed()
    return log
  }
  await logs.create(metadataTopic, randomId(environment.random), { from: 0, to: 1 }, ownSettings)
  await directory.format(environment.random)
  return logs.ofTopic(metadataTopic)[0] as PartitionLog
}

async function openTopics(topics: Topics, parts: BrokerParts): Promise<void> {
  const { directory, logs, upkeep } = parts
  const { settings } = parts.config
  for (const { name, partitions, config } of topics.list()) {
    await logs.open(name, partitions, logSettings(settings, config, name))
  }
  await logs.endRecovery(() => upkeep.logStarts.write())
  if (directory.wasCleanlyShutDown || !directory.isFormatted) return
  // What was found is shown to readers only when it is sure to stay.
  await Promise.all(logs.all().map((log) => log.flushed()))
  await upkeep.recoveryPoints.write()
}

/** Whether a topic is shown to those who did not ask for it by name. */
export function isListed(topic: BrokerTopic): boolean {
  return !ownTopics.has(topic.name)
}
