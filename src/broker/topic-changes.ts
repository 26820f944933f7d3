import type { Environment } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import { requireTopicName } from '../topic.ts'
import { invalidConfig, logSettings, topicConfigProblem } from './config/topic-settings.ts'
import type { DataDirectory } from './data-directory.ts'
import { DeletedLogs } from './deleted-logs.ts'
import type { LogSettings } from './log/log-settings.ts'
import type { PartitionLogs } from './log/partition-logs.ts'
import type { LogUpkeep } from './log-upkeep.ts'
import { randomId } from './topic-id.ts'
import { type BrokerTopic, metadataTopic, ownTopics, type TopicDefinition, type Topics } from './topics.ts'
import type { Turns } from './turns.ts'

export interface TopicChangesOptions {
  readonly directory: DataDirectory
  readonly logs: PartitionLogs
  readonly topics: Topics
  /** What logs follow whose topics do not say otherwise. */
  readonly config: { readonly settings: LogSettings }
  /** Shared with everything else that changes topics. */
  readonly turns: Turns
  readonly upkeep: LogUpkeep
  readonly environment: Environment
  /** Throws where the broker is closed. */
  readonly requireOpen: () => void
  /** Takes away what groups committed of topics with these names, which are no more. */
  readonly forgetOffsets: (topics: readonly string[]) => Promise<void>
}

const maxPartitions = 10_000

/**
 * How topics come and go: one change at a time, because what exists must not change between looking and changing. The registry
 * decides: logs are made before it has their topic, and go after it has it no more.
 */
export class TopicChanges {
  readonly #options: TopicChangesOptions
  readonly #deletedLogs: DeletedLogs

  constructor(options: TopicChangesOptions) {
    this.#options = options
    this.#deletedLogs = new DeletedLogs({ ...options.environment, directory: options.directory })
  }

  /**
   * Makes the topics that do not exist; resolves when they are durable.
   * @throws MillraceError INVALID_ARGUMENT, TOPIC_MISMATCH, DIRECTORY_UNUSABLE, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  create(definitions: readonly TopicDefinition[]): Promise<void> {
    return this.#options.turns.run(() => this.#create(definitions))
  }

  /**
   * Adds partitions to a topic until it has so many; resolves when they are durable.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, INVALID_ARGUMENT, DIRECTORY_UNUSABLE, DISK_FULL, STORAGE_FAILED, CLOSED
   */
  grow(name: string, partitions: number): Promise<void> {
    return this.#options.turns.run(() => this.#grow(name, partitions))
  }

  /**
   * Deletes a topic with all its records. Resolves when that is durable: the topic is not there again after a crash, and its
   * name can be used anew. Its files go after `file.delete.delay.ms`.
   * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, INVALID_ARGUMENT (it is the broker's own), DISK_FULL, STORAGE_FAILED, CLOSED
   */
  delete(name: string): Promise<void> {
    return this.#options.turns.run(() => this.#delete(name))
  }

  /** Ends what the last process left of the logs of deleted topics, and tells their names. Before any topic is made. */
  async recover(): Promise<string[]> {
    const { topics } = this.#options
    // A name that is used anew has logs of the new topic: it was free only when the old ones were out of the way.
    const gone = topics.takeDeleted().filter(({ name }) => topics.get(name) === undefined)
    await this.#deletedLogs.retire(gone.flatMap(partitionsOf))
    await this.#deletedLogs.sweep()
    return [...new Set(gone.map(({ name }) => name))]
  }

  /** Takes away what groups committed of topics that are no more. Where the disk is full that waits until a name is used anew. */
  async forgetOffsets(topics: readonly string[]): Promise<void> {
    try {
      await this.#options.forgetOffsets(topics)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'DISK_FULL') throw error
    }
  }

  /** Resolves when no change is under way any more. */
  async close(): Promise<void> {
    await this.#options.turns.idle()
    await this.#deletedLogs.stop()
  }

  async #create(definitions: readonly TopicDefinition[]): Promise<void> {
    const { directory, environment, logs, topics, upkeep } = this.#options
    const { settings } = this.#options.config
    this.#options.requireOpen()
    const missing = new Map<string, BrokerTopic>()
    for (const definition of definitions) {
      requireTopicDefinition(definition, settings)
      const existing = topics.get(definition.name) ?? missing.get(definition.name)
      if (existing !== undefined) requireSameShape(existing, definition)
      const { name, partitions, config = {} } = definition
      if (existing === undefined) requireNoCollision(topics.colliding(name), name)
      if (existing === undefined) missing.set(name, { name, partitions, config, id: randomId(environment.random) })
    }
    if (missing.size === 0) return
    directory.status.requireOnline()
    await upkeep.forgetCheckpoints(missing)
    await this.#options.forgetOffsets([...missing.keys()])
    const made = [...missing.values()]
    try {
      for (const { name, id, partitions, config } of made) {
        await logs.create(name, id, { from: 0, to: partitions }, logSettings(settings, config, name))
      }
      await topics.add(made)
      upkeep.start()
    } catch (error) {
      // After a failure of the disk nobody knows whether the registry has them; what is on the disk stays.
      if (directory.status.failure === undefined) for (const { name } of made) logs.remove(name, 0)
      throw error
    }
  }

  async #grow(name: string, partitions: number): Promise<void> {
    const { directory, logs, topics } = this.#options
    const topic = this.#require(name)
    requireForeign(name)
    if (!(partitions > topic.partitions && partitions <= maxPartitions)) {
      throw new MillraceError('INVALID_ARGUMENT', `A topic cannot grow to ${partitions} partitions`, {
        at: { topic: name },
        remedy: `Give a number above ${topic.partitions}, and at most ${maxPartitions}.`,
      })
    }
    directory.status.requireOnline()
    const range = { from: topic.partitions, to: partitions }
    try {
      await logs.create(name, topic.id, range, logSettings(this.#options.config.settings, topic.config, name))
      await topics.grow(topic, partitions)
    } catch (error) {
      if (directory.status.failure === undefined) logs.remove(name, topic.partitions)
      throw error
    }
  }

  async #delete(name: string): Promise<void> {
    const { config, directory, logs, topics, upkeep } = this.#options
    const topic = this.#require(name)
    requireForeign(name)
    directory.status.requireOnline()
    await topics.delete([topic])
    const gone = logs.withdraw(name)
    // A flush or a compaction that was under way still uses the files.
    await Promise.all(gone.map((log) => log.flushed()))
    await Promise.all(gone.map((log) => upkeep.cleaner.leave(log)))
    for (const log of gone) log.close()
    const retired = await this.#deletedLogs.retire(gone)
    // Until then the registry must say what became of them.
    topics.takeDeleted()
    this.#deletedLogs.removeLater(retired, logSettings(config.settings, topic.config, name).fileDeleteDelayMs)
    await this.forgetOffsets([name])
  }

  #require(name: string): BrokerTopic {
    this.#options.requireOpen()
    const topic = this.#options.topics.get(name)
    if (topic !== undefined) return topic
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'There is no such topic', { at: { topic: name } })
  }
}

/** @throws MillraceError INVALID_ARGUMENT where a topic cannot be made so */
export function requireTopicDefinition(
  { name, partitions, config = {} }: TopicDefinition,
  settings: LogSettings,
): void {
  requireTopicName(name)
  const problem = topicConfigProblem(settings, config)
  if (problem !== undefined) throw invalidConfig(problem, name)
  if (name === metadataTopic) {
    throw new MillraceError('INVALID_ARGUMENT', `'${name}' is the broker's own`, { remedy: 'Use another name.' })
  }
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= maxPartitions) return
  throw new MillraceError('INVALID_ARGUMENT', `${partitions} is not a number of partitions`, {
    at: { topic: name },
    remedy: `Give a whole number from 1 to ${maxPartitions}.`,
  })
}

/** Of the broker's own topics the number of partitions decides where things are looked for. */
function requireForeign(name: string): void {
  if (!ownTopics.has(name)) return
  throw new MillraceError('INVALID_ARGUMENT', `'${name}' is the broker's own`, {
    remedy: 'It can neither be deleted nor be given more partitions.',
  })
}

function requireNoCollision(colliding: string | undefined, name: string): void {
  if (colliding === undefined) return
  throw new MillraceError('INVALID_ARGUMENT', `'${name}' collides with the existing topic '${colliding}'`, {
    remedy: "Use a name that differs from it in more than '.' and '_'.",
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

function partitionsOf({ name, partitions }: BrokerTopic): { topic: string; partition: number }[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
}
