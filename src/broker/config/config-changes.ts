import { isCompacted, type LogSettings } from '../log/log-settings.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { PartitionLogs } from '../log/partition-logs.ts'
import type { LogUpkeep } from '../log-upkeep.ts'
import type { ConfigResource } from '../metadata-record.ts'
import type { KafkaError } from '../protocol/error-codes.ts'
import type { Topics } from '../topics.ts'
import type { Turns } from '../turns.ts'
import { type BrokerConfig, brokerConfigProblem, type ConfigTexts } from './broker-config.ts'
import { brokerSettingNamed } from './broker-setting-names.ts'
import { type ConfigEdit, type EditedSetting, editConfig } from './config-edit.ts'
import { effectiveText, logSettings, topicConfigProblem, topicSettingNamed } from './topic-settings.ts'

export interface ConfigChangesOptions {
  readonly config: BrokerConfig
  readonly logs: PartitionLogs
  readonly topics: Topics
  readonly upkeep: LogUpkeep
  /** Shared with everything else that changes topics. */
  readonly turns: Turns
  readonly nodeId: number
  /** Throws where the broker is closed. */
  readonly requireOpen: () => void
}

/** Which settings are to be changed, and how: told what is set now. */
export interface ConfigChange {
  readonly resource: ConfigResource
  /** The name of a topic; of the broker its id, or nothing for all brokers of the cluster. */
  readonly name: string
  readonly edits: (current: ConfigTexts) => readonly ConfigEdit[]
  /** Whether nothing is changed, but only looked at. */
  readonly validateOnly: boolean
}

/** Why settings stay as they are, in Kafka's words. */
export interface ConfigRefusal {
  readonly error: KafkaError
  readonly message: string
}

/** The most of a value (Kafka: ConfigurationControlManager). */
const maxValueLength = 32_767

/** Changes settings of topics and the broker: kept in the registry, and followed by open logs at once. */
export class ConfigChanges {
  readonly #options: ConfigChangesOptions

  constructor(options: ConfigChangesOptions) {
    this.#options = options
  }

  /**
   * All edits of a change, or none; resolves when that is durable, with why nothing was changed where that is so.
   * @throws MillraceError DISK_FULL, STORAGE_FAILED, CLOSED
   */
  alter(change: ConfigChange): Promise<ConfigRefusal | undefined> {
    return this.#options.turns.run(async () => {
      this.#options.requireOpen()
      return change.resource === 'topic' ? this.#alterTopic(change) : this.#alterBroker(change)
    })
  }

  /** Takes up what the registry has of the broker. Before logs are opened. */
  recover(): void {
    const { config, nodeId, topics } = this.#options
    config.change(topics.brokerConfig(''), topics.brokerConfig(String(nodeId)))
  }

  async #alterTopic({ name, edits, validateOnly }: ConfigChange): Promise<ConfigRefusal | undefined> {
    const { config, topics } = this.#options
    const topic = topics.get(name)
    const current = topic?.config ?? {}
    const edited = editConfig(current, edits(current), (setting) => this.#topicSetting(setting))
    if ('problem' in edited) return invalid(edited.problem)
    const problem = tooLong(edited.config) ?? topicConfigProblem(config.settings, edited.config)
    if (problem !== undefined) return invalid(problem)
    if (topic === undefined) {
      return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `The topic '${name}' does not exist.` }
    }
    if (validateOnly) return undefined
    await this.#keep('topic', name, current, edited.config, [[topic.name, edited.config]])
    return undefined
  }

  async #alterBroker({ name, edits, validateOnly }: ConfigChange): Promise<ConfigRefusal | undefined> {
    const { config, nodeId, topics } = this.#options
    const current = topics.brokerConfig(name)
    const edited = editConfig(current, edits(current), brokerSetting)
    if ('problem' in edited) return invalid(edited.problem)
    const isOfCluster = name === ''
    const ofCluster = isOfCluster ? edited.config : topics.brokerConfig('')
    const ofBroker = isOfCluster ? topics.brokerConfig(String(nodeId)) : edited.config
    const problem = dynamicProblem(edited.config) ?? tooLong(edited.config) ?? config.conflictIn(ofCluster, ofBroker)
    if (problem !== undefined) return { error: 'INVALID_REQUEST', message: problem }
    if (validateOnly) return undefined
    const before = [topics.brokerConfig(''), topics.brokerConfig(String(nodeId))] as const
    config.change(ofCluster, ofBroker)
    try {
      const all = topics.list().map((topic) => [topic.name, topic.config] as const)
      await this.#keep('broker', name, current, edited.config, all)
    } catch (error) {
      config.change(...before)
      throw error
    }
    return undefined
  }

  /** Makes the difference durable, then lets logs follow it. */
  async #keep(
    resource: ConfigResource,
    resourceName: string,
    before: ConfigTexts,
    after: ConfigTexts,
    affected: readonly (readonly [topic: string, config: ConfigTexts])[],
  ): Promise<void> {
    const { config, logs, topics, upkeep } = this.#options
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    const changed = [...names].filter((name) => before[name] !== after[name])
    if (changed.length === 0) return
    const followers = affected.flatMap(([topic, texts]) => {
      const settings = logSettings(config.settings, texts, topic)
      return logs.ofTopic(topic).map((log) => [log, settings] as const)
    })
    await this.#vouchForGaps(followers)
    await topics.configure(changed.map((name) => ({ resource, resourceName, name, value: after[name] ?? null })))
    for (const [log, settings] of followers) log.configure(settings)
    upkeep.start()
  }

  /**
   * A log that was compacted up to now has gaps, and may get more of them by a compaction that is under way: the next start must
   * know that, although the topic's settings do not say it any more.
   */
  async #vouchForGaps(followers: readonly (readonly [PartitionLog, LogSettings])[]): Promise<void> {
    const left = followers.filter(([log, settings]) => isCompacted(log.settings) && !isCompacted(settings))
    if (left.length === 0) return
    for (const [log] of left) log.cleanedTo ??= log.logStartOffset
    await this.#options.upkeep.vouchForCleaned()
  }

  #topicSetting(name: string): EditedSetting | undefined {
    const setting = topicSettingNamed(name)
    if (setting === undefined) return undefined
    const byDefault = setting.kind.type === 'list' ? effectiveText(name, this.#options.config.settings) : ''
    return { type: setting.kind.type, byDefault }
  }
}

function brokerSetting(name: string): EditedSetting | undefined {
  const kind = brokerSettingNamed(name)?.kind
  return kind && { type: kind.type, byDefault: '' }
}

/** What of the broker's settings cannot be changed while it runs, or has a value that is not allowed. */
function dynamicProblem(texts: ConfigTexts): string | undefined {
  const fixed = Object.keys(texts).filter((name) => {
    const setting = brokerSettingNamed(name)
    return setting !== undefined && setting.isDynamic !== true
  })
  if (fixed.length > 0) return `Cannot update these configs dynamically: Set(${fixed.join(', ')})`
  for (const [name, text] of Object.entries(texts)) {
    const problem = brokerConfigProblem(name, text)
    if (problem !== undefined) return problem
  }
  return undefined
}

function tooLong(texts: ConfigTexts): string | undefined {
  if (Object.values(texts).every((text) => text.length <= maxValueLength)) return undefined
  return `The configuration value cannot be added because it exceeds the maximum value size of ${maxValueLength} bytes.`
}

function invalid(message: string): ConfigRefusal {
  return { error: 'INVALID_CONFIG', message }
}
