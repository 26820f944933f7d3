import { ByteWriter } from '../../bytes/byte-writer.ts'
import type { Clock, Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { BatchBuilder } from '../../record/batch-builder.ts'
import type { BatchReader } from '../../record/batch-reader.ts'
import { coordinatorPartition } from '../coordinator-partition.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { LogFold } from '../log-fold.ts'
import type { GroupMetadata } from './group-event.ts'
import {
  readGroupMetadataKey,
  readGroupMetadataValue,
  writeGroupMetadataKey,
  writeGroupMetadataValue,
} from './group-metadata-record.ts'
import {
  type OffsetCommitValue,
  readOffsetCommitKey,
  readOffsetCommitValue,
  writeOffsetCommitKey,
  writeOffsetCommitValue,
} from './offset-commit-record.ts'

export interface PartitionOffset extends OffsetCommitValue {
  readonly topic: string
  readonly partition: number
}

export interface OffsetStoreOptions {
  readonly clock: Clock
  /** Makes the topic when the first offset is committed. */
  readonly createLogs: () => Promise<readonly PartitionLog[]>
}

/** What the record format can say; Kafka takes 4096 by default (`offset.metadata.max.bytes`). */
const maxMetadataBytes = 32_767
const maxGroupBytes = 32_767

/**
 * What groups committed, kept as records in `__consumer_offsets`. All offsets of a commit are in one batch, so that a crash
 * keeps all of them or none; what is in memory is the fold of the log.
 */
export class OffsetStore {
  readonly #clock: Clock
  readonly #createLogs: () => Promise<readonly PartitionLog[]>
  /** Groups with members, as they were last kept. */
  readonly keptGroups: Map<string, GroupMetadata> = new Map()
  /** By group, then by partition. */
  readonly #committed = new Map<string, Map<string, OffsetCommitValue>>()
  readonly #key = new ByteWriter()
  readonly #value = new ByteWriter()
  #partitions: { readonly log: PartitionLog; readonly fold: LogFold }[] = []

  constructor(options: OffsetStoreOptions) {
    this.#clock = options.clock
    this.#createLogs = options.createLogs
  }

  /** Takes up what the logs hold. */
  async open(logs: readonly PartitionLog[], timers: Timers): Promise<void> {
    this.#use(logs)
    for (const { fold } of this.#partitions) await fold.replay(timers)
  }

  committed(group: string, topic: string, partition: number): OffsetCommitValue | undefined {
    return this.#committed.get(group)?.get(`${topic}-${partition}`)
  }

  /** The partitions that the group has committed for, by topic. */
  committedPartitions(group: string): { readonly name: string; readonly partitionIndexes: readonly number[] }[] {
    const byTopic = new Map<string, number[]>()
    for (const partition of this.#committed.get(group)?.keys() ?? []) {
      const dash = partition.lastIndexOf('-')
      const name = partition.slice(0, dash)
      byTopic.set(name, [...(byTopic.get(name) ?? []), Number(partition.slice(dash + 1))])
    }
    return [...byTopic].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
  }

  hasCommitted(group: string): boolean {
    return (this.#committed.get(group)?.size ?? 0) > 0
  }

  /** The groups that have committed offsets. */
  groups(): string[] {
    return [...this.#committed.keys()].filter((group) => this.hasCommitted(group))
  }

  /** Makes a group durable; null: it is no more. */
  async keepGroup(group: string, metadata: GroupMetadata | null): Promise<void> {
    requireGroup(group)
    await this.#requireLogs()
    const { log, fold } = this.#partitionOf(group)
    const nowMs = this.#clock.wallMs()
    const key = writeGroupMetadataKey(group)
    const value = metadata === null ? null : writeGroupMetadataValue(metadata, nowMs)
    const builder = new BatchBuilder()
    builder.append(nowMs, key, 0, key.length, value, 0, value?.length ?? -1)
    log.append(builder.finish())
    await log.acknowledged()
    fold.catchUp()
  }

  /**
   * Commits all of the offsets or none; resolves when the commit is acknowledged.
   * @throws MillraceError INVALID_ARGUMENT, DISK_FULL, STORAGE_FAILED
   */
  async commit(group: string, offsets: readonly PartitionOffset[]): Promise<void> {
    requireGroup(group)
    for (const offset of offsets) requireOffset(offset)
    if (offsets.length === 0) return
    await this.#requireLogs()
    const { log, fold } = this.#partitionOf(group)
    log.append(this.#batchOf(group, offsets))
    await log.acknowledged()
    fold.catchUp()
  }

  async #requireLogs(): Promise<void> {
    if (this.#partitions.length > 0) return
    const logs = await this.#createLogs()
    if (this.#partitions.length === 0) this.#use(logs)
  }

  #use(logs: readonly PartitionLog[]): void {
    this.#partitions = logs.map((log) => ({ log, fold: new LogFold(log, (record) => this.#apply(record)) }))
  }

  #partitionOf(group: string): { readonly log: PartitionLog; readonly fold: LogFold } {
    const partition = coordinatorPartition(group, this.#partitions.length)
    return this.#partitions[partition] as { readonly log: PartitionLog; readonly fold: LogFold }
  }

  #batchOf(group: string, offsets: readonly PartitionOffset[]): Buffer {
    const nowMs = this.#clock.wallMs()
    const key = this.#key
    const value = this.#value
    const builder = new BatchBuilder()
    for (const offset of offsets) {
      key.clear()
      value.clear()
      writeOffsetCommitKey({ group, topic: offset.topic, partition: offset.partition }, key)
      writeOffsetCommitValue(offset, nowMs, value)
      builder.append(nowMs, key.buffer, 0, key.length, value.buffer, 0, value.length)
    }
    return builder.finish()
  }

  #apply(record: BatchReader): void {
    const { bytes, keyStart, valueStart } = record
    const key = keyStart < 0 ? undefined : readOffsetCommitKey(bytes, keyStart)
    if (key === undefined) {
      this.#applyGroup(record)
      return
    }
    const partition = `${key.topic}-${key.partition}`
    const offsets = this.#committed.get(key.group) ?? new Map<string, OffsetCommitValue>()
    if (valueStart < 0) offsets.delete(partition)
    else offsets.set(partition, readOffsetCommitValue(bytes, valueStart))
    this.#committed.set(key.group, offsets)
  }

  #applyGroup({ bytes, keyStart, keyEnd, valueStart, valueEnd }: BatchReader): void {
    const group = keyStart < 0 ? undefined : readGroupMetadataKey(bytes, keyStart, keyEnd)
    if (group === undefined) return
    if (valueStart < 0) this.keptGroups.delete(group)
    else this.keptGroups.set(group, readGroupMetadataValue(bytes, valueStart, valueEnd))
  }
}

function requireGroup(group: string): void {
  if (group.length > 0 && Buffer.byteLength(group) <= maxGroupBytes) return
  throw new MillraceError('INVALID_ARGUMENT', `'${group.slice(0, 100)}' is not the name of a group`, {
    remedy: `Use 1 to ${maxGroupBytes} bytes.`,
  })
}

function requireOffset({ topic, partition, offset, metadata }: PartitionOffset): void {
  const at = { topic, partition }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new MillraceError('INVALID_ARGUMENT', `${offset} is not an offset`, { at })
  }
  const metadataBytes = Buffer.byteLength(metadata)
  if (metadataBytes <= maxMetadataBytes) return
  throw new MillraceError('INVALID_ARGUMENT', `The metadata of a commit has ${metadataBytes} bytes`, {
    at,
    remedy: `Write at most ${maxMetadataBytes} bytes.`,
  })
}
