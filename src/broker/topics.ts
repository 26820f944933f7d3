import { ByteWriter } from '../bytes/byte-writer.ts'
import type { Clock } from '../env/environment.ts'
import { assert, MillraceError } from '../errors.ts'
import { BatchBuilder } from '../record/batch-builder.ts'
import type { BatchReader } from '../record/batch-reader.ts'
import type { PartitionLog } from './log/partition-log.ts'
import { LogFold } from './log-fold.ts'
import { type ConfigRecord, type MetadataRecord, readMetadataRecord, writeMetadataRecord } from './metadata-record.ts'
import { ClientQuotas } from './quotas/client-quotas.ts'
import { recordsOf, registrySummary } from './registry-summary.ts'
import { AccessRules } from './security/access-rules.ts'
import { ScramCredentials } from './security/scram-credentials.ts'
import { isSecurityRecord, type SecurityRecord } from './security-record.ts'

export const metadataTopic = '__cluster_metadata'
export const offsetsTopic = '__consumer_offsets'
export const transactionsTopic = '__transaction_state'

/** Topics of the broker's own, which are not listed. */
export const ownTopics: ReadonlySet<string> = new Set([metadataTopic, offsetsTopic, transactionsTopic])

/** Whether Kafka's clients are told that a topic is not for applications. */
export function isInternal(topic: string): boolean {
  return ownTopics.has(topic)
}

export interface TopicDefinition {
  readonly name: string
  readonly partitions: number
  readonly config?: Readonly<Record<string, string>>
}

export interface BrokerTopic {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** A log of so many records is short enough, whatever they say. */
const recordsBeforeSummary = 1_000

/**
 * Which topics there are, what is set for them and for the broker, and which producer ids were given out. They are kept as records in a log of their own; what is in memory is the fold of that log. All
 * records of a topic are in one batch, so that a crash leaves a topic whole or not there at all.
 */
export class Topics {
  readonly #log: PartitionLog
  readonly #clock: Clock
  readonly #fold: LogFold
  readonly #byName = new Map<string, BrokerTopic>()
  readonly #nameById = new Map<string, string>()
  /** What is set for the broker, by the name of the resource: its id, or nothing for all brokers of the cluster. */
  readonly #brokerConfigs = new Map<string, Readonly<Record<string, string>>>()
  /** Topics that were deleted, until somebody takes note of them. */
  #deleted: BrokerTopic[] = []
  /** Who may log in. */
  readonly credentials: ScramCredentials = new ScramCredentials()
  /** Who may do what. */
  readonly rules: AccessRules = new AccessRules()
  /** How much clients may take. */
  readonly quotas: ClientQuotas = new ClientQuotas()
  #nextProducerId = 0
  #version = 0
  /** Deletes the records of the log below an offset, once that may be done. */
  #trim: ((offset: number) => Promise<unknown>) | undefined
  #isSummarising = false
  /** The end of the log from which on it is looked whether a summary is due. */
  #summaryAt = recordsBeforeSummary

  constructor(log: PartitionLog, clock: Clock) {
    this.#log = log
    this.#clock = clock
    this.#fold = new LogFold(log, (record) => this.#apply(record))
    this.#fold.catchUp()
  }

  /** Another number whenever a topic has come, gone or changed. */
  get version(): number {
    return this.#version
  }

  /** The names of all topics. */
  names(): Iterable<string> {
    return this.#byName.keys()
  }

  get(name: string): BrokerTopic | undefined {
    return this.#byName.get(name)
  }

  withId(id: string): BrokerTopic | undefined {
    const name = this.#nameById.get(id)
    return name === undefined ? undefined : this.#byName.get(name)
  }

  /**
   * A topic whose name differs from the one given only in where it has '.' and '_': names of metrics cannot tell these apart, so
   * that Kafka does not let one be made beside the other.
   */
  colliding(name: string): string | undefined {
    if (!/[._]/.test(name)) return undefined
    const unified = unify(name)
    for (const other of this.#byName.keys()) if (other !== name && unify(other) === unified) return other
    return undefined
  }

  /** All topics, sorted by name. */
  list(): BrokerTopic[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Adds topics that are not there yet; resolves when they are durable. */
  async add(topics: readonly BrokerTopic[]): Promise<void> {
    assert(
      topics.every((topic) => !this.#byName.has(topic.name)),
      'a topic is added once',
    )
    this.#log.append(Buffer.concat(topics.map((topic) => this.#batchOf(recordsOf(topic)))))
    await this.#log.acknowledged()
    this.#fold.catchUp()
    await this.#summarise()
  }

  /** Deletes topics; resolves when that is durable. */
  async delete(topics: readonly BrokerTopic[]): Promise<void> {
    await this.#write(topics.map(({ id: topicId }) => ({ type: 'remove-topic', topicId })))
  }

  /** Adds partitions to a topic until there are so many; resolves when that is durable. */
  async grow({ id: topicId, partitions }: BrokerTopic, count: number): Promise<void> {
    const records: MetadataRecord[] = []
    for (let partition = partitions; partition < count; partition++) {
      records.push({ type: 'partition', partition, topicId })
    }
    await this.#write(records)
  }

  /** Sets settings of topics or the broker, or takes them away where the value is null; resolves when that is durable. */
  async configure(changes: readonly Omit<ConfigRecord, 'type'>[]): Promise<void> {
    await this.#write(changes.map((change) => ({ ...change, type: 'config' })))
  }

  /** What is set for the broker, by the name of the resource. */
  get brokerConfigs(): ReadonlyMap<string, Readonly<Record<string, string>>> {
    return this.#brokerConfigs
  }

  /** Producer ids below it may have been given out. */
  get nextProducerId(): number {
    return this.#nextProducerId
  }

  /** What is set for the broker with the id, or for all brokers where it is empty. */
  brokerConfig(resourceName: string): Readonly<Record<string, string>> {
    return this.#brokerConfigs.get(resourceName) ?? {}
  }

  /**
   * Sees to it from now on that the log does not grow with what is out of date: where most of it is, all that counts is written
   * once more at its end, and `trim` is called to delete what is in front of that.
   */
  async keepShort(trim: (offset: number) => Promise<unknown>): Promise<void> {
    this.#trim = trim
    await this.#summarise()
  }

  /** The topics that were deleted since the last call, or since the last summary at the first. Nothing is summarised until then. */
  takeDeleted(): BrokerTopic[] {
    const deleted = this.#deleted
    this.#deleted = []
    return deleted
  }

  /** Writes down who may log in; resolves when that is durable. */
  async secure(records: readonly SecurityRecord[]): Promise<void> {
    if (records.length > 0) await this.#write(records)
  }

  /** Sets this many producer ids aside, which nobody else will be given; resolves with the first of them when that is durable. */
  async reserveProducerIds(count: number): Promise<number> {
    const first = this.#nextProducerId
    await this.#write([{ type: 'producer-ids', nextProducerId: first + count }])
    return first
  }

  async #write(records: readonly MetadataRecord[]): Promise<void> {
    this.#log.append(this.#batchOf(records))
    await this.#log.acknowledged()
    this.#fold.catchUp()
    await this.#summarise()
  }

  /** What was to be written is durable by now: that there is no room for a summary is nobody's failure. */
  async #summarise(): Promise<void> {
    if (this.#trim === undefined || this.#isSummarising || !this.#isSummaryDue()) return
    this.#isSummarising = true
    try {
      const batches = registrySummary(this).map((records) => this.#batchOf(records))
      // A segment of its own, so that those in front of it can go.
      this.#log.roll()
      const offset = this.#log.append(Buffer.concat(batches))
      await this.#log.acknowledged()
      this.#fold.catchUp()
      await this.#trim(offset)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
    } finally {
      this.#isSummarising = false
    }
  }

  /** Where most of the log is out of date, and the state is that of all of it. */
  #isSummaryDue(): boolean {
    const { logStartOffset, highWatermark, logEndOffset } = this.#log
    if (logEndOffset <= this.#summaryAt || highWatermark < logEndOffset || this.#deleted.length > 0) return false
    const needed = registrySummary(this).reduce((sum, batch) => sum + batch.length, 0)
    this.#summaryAt = logStartOffset + 2 * needed + recordsBeforeSummary
    return needed > 0 && logEndOffset > this.#summaryAt
  }

  #batchOf(records: readonly MetadataRecord[]): Buffer {
    const builder = new BatchBuilder()
    const out = new ByteWriter()
    for (const record of records) {
      out.clear()
      writeMetadataRecord(record, out)
      builder.append(this.#clock.wallMs(), null, -1, -1, out.buffer, 0, out.length)
    }
    return builder.finish()
  }

  #apply({ bytes, valueStart, valueEnd }: BatchReader): void {
    const record = readMetadataRecord(bytes, valueStart, valueEnd)
    if (isSecurityRecord(record)) {
      this.credentials.apply(record)
      this.rules.apply(record)
      this.quotas.apply(record)
      return
    }
    if (record.type === 'producer-ids') {
      this.#nextProducerId = record.nextProducerId
      return
    }
    this.#version++
    if (record.type === 'topic') {
      this.#nameById.set(record.topicId, record.name)
      this.#byName.set(record.name, { name: record.name, id: record.topicId, partitions: 0, config: {} })
      return
    }
    if (record.type === 'config' && record.resource === 'broker') {
      this.#brokerConfigs.set(record.resourceName, configured(this.brokerConfig(record.resourceName), record))
      return
    }
    const name = record.type === 'config' ? record.resourceName : this.#nameById.get(record.topicId)
    const topic = name === undefined ? undefined : this.#byName.get(name)
    assert(topic !== undefined, 'the records of a topic follow the one with its name')
    if (record.type === 'remove-topic') {
      this.#byName.delete(topic.name)
      this.#nameById.delete(topic.id)
      this.#deleted.push(topic)
      return
    }
    const changed =
      record.type === 'config'
        ? { ...topic, config: configured(topic.config, record) }
        : { ...topic, partitions: record.partition + 1 }
    this.#byName.set(topic.name, changed)
  }
}

function unify(name: string): string {
  return name.replaceAll('.', '_')
}

function configured(config: Readonly<Record<string, string>>, { name, value }: ConfigRecord): Record<string, string> {
  const { [name]: _before, ...others } = config
  return value === null ? others : { ...others, [name]: value }
}
