import type { Environment } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import { requireTopicName } from '../topic.ts'
import { DataDirectory, ownNodeId } from './data-directory.ts'
import { OffsetStore } from './group/offset-store.ts'
import { Flusher } from './log/flusher.ts'
import type { TornTail } from './log/log-recovery.ts'
import { defaultLogSettings, type LogSettings, logSettings } from './log/log-settings.ts'
import type { FlushPolicy, PartitionLog } from './log/partition-log.ts'
import { PartitionLogs } from './log/partition-logs.ts'
import { ProducerIds } from './producer-ids.ts'
import { RecoveryPoints } from './recovery-points.ts'
import { randomId } from './topic-id.ts'
import { type BrokerTopic, metadataTopic, offsetsTopic, ownTopics, type TopicDefinition, Topics } from './topics.ts'

export interface BrokerSettings extends LogSettings {
  /** Whether a topic is made when a client of Kafka's protocol asks for it (`auto.create.topics.enable`). Default: true. */
  readonly autoCreateTopics: boolean
  /** Partitions of topics that are made without a number of them (`num.partitions`). Default: 1. */
  readonly defaultPartitions: number
  /** Partitions that `__consumer_offsets` is made with. Default: 1. */
  readonly offsetsTopicPartitions: number
  /** The recovery points are saved at most this often (`log.flush.offset.checkpoint.interval.ms`). Default: 5000. */
  readonly checkpointIntervalMs: number
}

export interface BrokerOptions {
  /** Made where it is missing. */
  readonly directory: string
  readonly environment: Environment
  readonly flush: FlushPolicy
  readonly settings?: Partial<BrokerSettings>
}

/** The registry and commits may be larger than a topic's records. */
const ownMaxMessageBytes = 16_777_216
/** Kafka's `offsets.topic.segment.bytes`. */
const offsetsSegmentBytes = 104_857_600

/**
 * Opens the log of a single node, recovering what a crash left behind.
 * @throws MillraceError DIRECTORY_LOCKED, DIRECTORY_UNUSABLE, CORRUPT_BATCH, DISK_FULL, STORAGE_FAILED
 */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const { disk, clock, random, timers } = options.environment
  const directory = await DataDirectory.open(options.directory, disk)
  const flusher = new Flusher(directory.status, () => recoveryPoints.schedule())
  const logs = new PartitionLogs({ directory, disk, clock, random, timers, flusher, flushPolicy: options.flush })
  const settings = {
    ...defaultLogSettings,
    autoCreateTopics: true,
    defaultPartitions: 1,
    offsetsTopicPartitions: 1,
    checkpointIntervalMs: 5_000,
    ...options.settings,
  }
  const recoveryPoints = new RecoveryPoints(directory, logs, timers, settings.checkpointIntervalMs)
  const parts = { directory, logs, settings, recoveryPoints, environment: options.environment }
  try {
    const topics = new Topics(await openRegistry(parts), options.environment.clock)
    await openTopics(topics, parts)
    const broker = new Broker(parts, topics)
    await broker.offsets.open(logs.ofTopic(offsetsTopic), timers)
    directory.status.requireOnline()
    recoveryPoints.start()
    return broker
  } catch (error) {
    await recoveryPoints.stop()
    logs.close()
    directory.release()
    throw error
  }
}

interface BrokerParts {
  readonly directory: DataDirectory
  readonly logs: PartitionLogs
  readonly settings: BrokerSettings
  readonly recoveryPoints: RecoveryPoints
  readonly environment: Environment
}

/** A single node: topics, their partitions' logs and the offsets of groups, in one data directory. */
export class Broker {
  readonly topics: Topics
  readonly offsets: OffsetStore
  readonly producerIds: ProducerIds
  readonly clusterId: string
  readonly #parts: BrokerParts
  #creating: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(parts: BrokerParts, topics: Topics) {
    this.#parts = parts
    this.topics = topics
    this.clusterId = parts.directory.clusterId
    this.producerIds = new ProducerIds((count) => topics.reserveProducerIds(count))
    this.offsets = new OffsetStore({ clock: parts.environment.clock, createLogs: () => this.#createOffsetsLogs() })
  }

  get settings(): BrokerSettings {
    return this.#parts.settings
  }

  get environment(): Environment {
    return this.#parts.environment
  }

  get nodeId(): number {
    return ownNodeId
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
   * Makes the topics that do not exist; resolves when they are durable.
   * @throws MillraceError INVALID_ARGUMENT, TOPIC_MISMATCH, DIRECTORY_UNUSABLE, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  createTopics(definitions: readonly TopicDefinition[]): Promise<void> {
    // One at a time: what exists must not change between looking and making.
    const created = this.#creating.then(() => this.#createTopics(definitions))
    this.#creating = created.catch(() => {})
    return created
  }

  /** Calls back when the disk has failed. */
  onOffline(listener: () => void): void {
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

  async #createTopics(definitions: readonly TopicDefinition[]): Promise<void> {
    this.requireOpen()
    const { directory, logs, environment, settings } = this.#parts
    const missing = new Map<string, BrokerTopic>()
    for (const definition of definitions) {
      requireTopicDefinition(definition, settings)
      const existing = this.topics.get(definition.name) ?? missing.get(definition.name)
      if (existing !== undefined) requireSameShape(existing, definition)
      const { name, partitions, config = {} } = definition
      if (existing === undefined) missing.set(name, { name, partitions, config, id: randomId(environment.random) })
    }
    if (missing.size === 0) return
    const topics = [...missing.values()]
    try {
      for (const { name, id, partitions, config } of topics) {
        await logs.create(name, id, partitions, logSettings(settings, config, name))
      }
      await this.topics.add(topics)
    } catch (error) {
      // After a failure of the disk nobody knows whether the registry has them; what is on the disk stays.
      if (directory.status.failure === undefined) for (const topic of topics) logs.remove(topic.name)
      throw error
    }
  }

  async #createOffsetsLogs(): Promise<readonly PartitionLog[]> {
    const { logs, settings } = this.#parts
    const config = {
      'cleanup.policy': 'compact',
      'max.message.bytes': String(ownMaxMessageBytes),
      'segment.bytes': String(Math.min(settings.segmentBytes, offsetsSegmentBytes)),
    }
    const partitions = settings.offsetsTopicPartitions
    await this.createTopics([{ name: offsetsTopic, partitions, config }])
    return logs.ofTopic(offsetsTopic)
  }

  async #close(): Promise<void> {
    const { directory, logs, recoveryPoints } = this.#parts
    await this.#creating
    await recoveryPoints.stop()
    try {
      await Promise.all(logs.all().map((log) => log.flushed()))
      await logs.syncIndexes()
      directory.status.requireOnline()
      logs.close()
      if (await recoveryPoints.write()) await directory.markCleanShutdown()
    } finally {
      logs.close()
      directory.release()
    }
  }
}

/** Opens the log with the topics, or makes it where the directory is new. */
async function openRegistry({ directory, logs, settings, environment }: BrokerParts): Promise<PartitionLog> {
  const ownSettings = { ...settings, maxMessageBytes: ownMaxMessageBytes }
  if (directory.isFormatted) {
    await logs.open(metadataTopic, 1, ownSettings)
    const log = logs.ofTopic(metadataTopic)[0] as PartitionLog
    if (!directory.wasCleanlyShutDown) await log.flushed()
    return log
  }
  await logs.create(metadataTopic, randomId(environment.random), 1, ownSettings)
  await directory.format(environment.random)
  return logs.ofTopic(metadataTopic)[0] as PartitionLog
}

async function openTopics(topics: Topics, { directory, logs, settings, recoveryPoints }: BrokerParts): Promise<void> {
  for (const { name, partitions, config } of topics.list()) {
    await logs.open(name, partitions, logSettings(settings, config, name))
  }
  logs.endRecovery()
  if (directory.wasCleanlyShutDown || !directory.isFormatted) return
  // What was found is shown to readers only when it is sure to stay.
  await Promise.all(logs.all().map((log) => log.flushed()))
  await recoveryPoints.write()
}

function requireTopicDefinition({ name, partitions, config = {} }: TopicDefinition, settings: BrokerSettings): void {
  requireTopicName(name)
  logSettings(settings, config, name)
  if (name === metadataTopic) {
    throw new MillraceError('INVALID_ARGUMENT', `'${name}' is the broker's own`, { remedy: 'Use another name.' })
  }
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= 10_000) return
  throw new MillraceError('INVALID_ARGUMENT', `${partitions} is not a number of partitions`, {
    at: { topic: name },
    remedy: 'Give a whole number from 1 to 10000.',
  })
}

function requireSameShape(existing: BrokerTopic, { name, partitions }: TopicDefinition): void {
  if (existing.partitions === partitions) return
  const what = `The topic exists with ${existing.partitions} partitions, not ${partitions}`
  throw new MillraceError('TOPIC_MISMATCH', what, {
    at: { topic: name },
    remedy: `Ask for ${existing.partitions} partitions, or use another name.`,
  })
}

/** Whether a topic is shown to those who did not ask for it by name. */
export function isListed(topic: BrokerTopic): boolean {
  return !ownTopics.has(topic.name)
}
