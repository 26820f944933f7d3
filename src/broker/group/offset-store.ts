import { ByteWriter } from '../../bytes/byte-writer.ts'
import type { Clock, Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { BatchBuilder, type BatchHeader } from '../../record/batch-builder.ts'
import type { BatchReader } from '../../record/batch-reader.ts'
import { coordinatorPartition } from '../coordinator-partition.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { TransactionVerifier } from '../log/producer-states.ts'
import { LogFold } from '../log-fold.ts'
import type { ConsumerGroupRecord } from './consumer/consumer-group-event.ts'
import { writeConsumerGroupKey, writeConsumerGroupValue } from './consumer/consumer-group-log-record.ts'
import { KeptConsumerGroups } from './consumer/kept-consumer-groups.ts'
import type { GroupMetadata } from './group-event.ts'
import {
  readGroupKeptMs,
  readGroupMetadataKey,
  readGroupMetadataValue,
  writeGroupMetadataKey,
  writeGroupMetadataValue,
} from './group-metadata-record.ts'
import { GroupOffsets, type TimedCommit } from './group-offsets.ts'
import {
  type OffsetCommitKey,
  type OffsetCommitValue,
  writeOffsetCommitKey,
  writeOffsetCommitValue,
} from './offset-commit-record.ts'

export interface PartitionOffset extends OffsetCommitValue {
  readonly topic: string
  readonly partition: number
}

/** The producer in whose open transaction offsets are committed. */
export interface OffsetTransaction {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface OffsetStoreOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** Makes the topic when the first offset is committed. */
  readonly createLogs: () => Promise<readonly PartitionLog[]>
  /** Throws where the partition of the offsets topic is not part of the producer's open transaction. */
  readonly verify: (producer: OffsetTransaction, offsetsPartition: number) => void
}

/** What the record format can say; Kafka takes 4096 by default (`offset.metadata.max.bytes`). */
const maxMetadataBytes = 32_767
const maxGroupBytes = 32_767

interface OffsetsPartition {
  readonly log: PartitionLog
  readonly fold: LogFold
  readonly offsets: GroupOffsets
}

/**
 * What groups committed, kept as records in `__consumer_offsets`. All offsets of a commit are in one batch, so that a crash
 * keeps all of them or none; what is in memory is the fold of the log. Offsets of a transaction wait for its marker.
 */
export class OffsetStore {
  readonly #options: OffsetStoreOptions
  /** Groups of the classic protocol with members, as they were last kept. */
  readonly keptGroups: Map<string, GroupMetadata> = new Map()
  readonly keptConsumerGroups: KeptConsumerGroups = new KeptConsumerGroups()
  readonly #key = new ByteWriter()
  readonly #value = new ByteWriter()
  #partitions: OffsetsPartition[] = []
  readonly #keptMs = new Map<string, number>()
  /** How many records of a commit are not acknowledged yet, by `nameOf`. */
  readonly #onTheirWay = new Map<string, number>()

  constructor(options: OffsetStoreOptions) {
    this.#options = options
  }

  /** Takes up what the logs hold. */
  async open(logs: readonly PartitionLog[]): Promise<void> {
    this.#use(logs)
    for (const { fold } of this.#partitions) await fold.replay(this.#options.timers)
  }

  /** The names of groups with a committed offset. */
  groups(): string[] {
    return this.#partitions.flatMap(({ offsets }) => offsets.groups()).sort()
  }

  /** Everything that a group committed. */
  offsetsOf(group: string): (OffsetCommitKey & OffsetCommitValue)[] {
    return this.#partitionOf(group)?.offsets.offsetsOf(group) ?? []
  }

  /** The partitions that the group has committed for, by topic. */
  committedPartitions(group: string): { readonly name: string; readonly partitionIndexes: readonly number[] }[] {
    const byTopic = Map.groupBy(this.offsetsOf(group), ({ topic }) => topic)
    return [...byTopic].map(([name, offsets]) => ({
      name,
      partitionIndexes: offsets.map(({ partition }) => partition),
    }))
  }

  hasCommitted(group: string): boolean {
    return this.offsetsOf(group).length > 0
  }

  /**
   * Makes a group of the classic protocol durable, in place of what it was in the consumer protocol: all or nothing. null: it is
   * no more.
   */
  keepGroup(
    group: string,
    metadata: GroupMetadata | null,
    replaced: readonly ConsumerGroupRecord[] = [],
  ): Promise<void> {
    // Of a group that was never kept there is nothing to take away.
    if (metadata === null && this.#partitions.length === 0) return Promise.resolve()
    const value = metadata === null ? null : writeGroupMetadataValue(metadata, this.#options.clock.wallMs())
    return this.#keep(group, [...consumerRecords(group, replaced), { key: writeGroupMetadataKey(group), value }])
  }

  /** Makes records of a group of the consumer protocol durable, in place of what it was in the classic one: all or none. */
  keepConsumerGroup(group: string, records: readonly ConsumerGroupRecord[], replacesClassic = false): Promise<void> {
    const classic = replacesClassic ? [{ key: writeGroupMetadataKey(group), value: null }] : []
    return this.#keep(group, [...classic, ...consumerRecords(group, records)])
  }

  committed(group: string, topic: string, partition: number): OffsetCommitValue | undefined {
    return this.#partitionOf(group)?.offsets.committed(group, topic, partition)
  }

  /**
   * The same where the answer is sure to stay (Kafka's `require stable`).
   * @throws MillraceError UNSTABLE_OFFSET_COMMIT where a transaction is open that commits another offset
   */
  stable(group: string, topic: string, partition: number): OffsetCommitValue | undefined {
    const offsets = this.#partitionOf(group)?.offsets
    if (offsets?.isPending(group, topic, partition) !== true) return offsets?.committed(group, topic, partition)
    throw new MillraceError(
      'UNSTABLE_OFFSET_COMMIT',
      `A transaction that commits offsets of '${group}' is still open`,
      {
        at: { topic, partition },
        remedy: 'Try again in a moment.',
      },
    )
  }

  /** The partition of the offsets topic that has the group: what a transaction must have among its partitions. Makes the topic. */
  async partitionFor(group: string): Promise<number> {
    requireGroup(group)
    await this.requireTopic()
    return coordinatorPartition(group, this.#partitions.length)
  }

  /**
   * Commits all of the offsets or none; resolves when the commit is acknowledged. In a transaction they count when it is
   * committed.
   * @throws MillraceError INVALID_ARGUMENT, INVALID_TXN_STATE, INVALID_PRODUCER_EPOCH, DISK_FULL, STORAGE_FAILED
   */
  async commit(group: string, offsets: readonly PartitionOffset[], transaction?: OffsetTransaction): Promise<void> {
    requireGroup(group)
    for (const offset of offsets) requireOffset(offset)
    if (offsets.length === 0) return
    await this.requireTopic()
    const partition = this.#partitionOf(group) as OffsetsPartition
    const records = offsets.map((offset) => ({ key: { ...offset, group }, value: offset }))
    await this.#append(partition, records, transaction)
  }

  /**
   * Takes the offsets of the partitions away, or all of a group's, also those that wait for the end of a transaction. Resolves
   * when that is acknowledged.
   * @throws MillraceError DISK_FULL, STORAGE_FAILED
   */
  async delete(group: string, partitions?: readonly { topic: string; partition: number }[]): Promise<void> {
    const place = this.#partitionOf(group)
    if (place === undefined) return
    await settle(place)
    const meant = partitions && new Set(partitions.map(({ topic, partition }) => `${topic}-${partition}`))
    const isMeant = (key: OffsetCommitKey): boolean =>
      key.group === group && (meant === undefined || meant.has(`${key.topic}-${key.partition}`))
    const keys = place.offsets.keys(isMeant)
    if (keys.length === 0) return
    await this.#append(
      place,
      keys.map((key) => ({ key, value: null })),
    )
  }

  /**
   * Takes away what any group committed of topics that are no more; resolves when that is acknowledged.
   * @throws MillraceError DISK_FULL, STORAGE_FAILED
   */
  async forgetTopics(topics: readonly string[]): Promise<void> {
    const forgotten = new Set(topics)
    for (const partition of this.#partitions) {
      await settle(partition)
      const tombstones = partition.offsets
        .keys(({ topic }) => forgotten.has(topic))
        .map((key) => ({ key, value: null }))
      if (tombstones.length > 0) await this.#append(partition, tombstones)
    }
  }

  /** Takes account of what may have become visible in a partition of the topic. */
  catchUp(partition: number): void {
    this.#partitions[partition]?.fold.catchUp()
  }

  /**
   * Takes away what a group committed and is too old, except where another commit is on its way, to the disk or in a transaction.
   * Resolves when that is acknowledged.
   * @throws MillraceError DISK_FULL, STORAGE_FAILED
   */
  async expire(group: string, isOld: (commit: TimedCommit) => boolean): Promise<void> {
    const place = this.#partitionOf(group)
    if (place === undefined) return
    const old = place.offsets.settledCommitsOf(group).filter((key) => isOld(key) && !this.#onTheirWay.has(nameOf(key)))
    if (old.length === 0) return
    await this.#append(
      place,
      old.map((key) => ({ key, value: null })),
    )
  }

  /** Whether the group has a committed offset, or one that is on its way. */
  isUsedBy(group: string): boolean {
    return this.#partitionOf(group)?.offsets.isUsedBy(group) === true || this.#isOnItsWay(group)
  }

  /** When a group of the classic protocol was kept last, in milliseconds since 1970; -1 where that is not known. */
  keptMsOf(group: string): number {
    return this.#keptMs.get(group) ?? -1
  }

  async #keep(group: string, records: readonly { key: Buffer; value: Buffer | null }[]): Promise<void> {
    requireGroup(group)
    await this.requireTopic()
    const { log, fold } = this.#partitionOf(group) as OffsetsPartition
    const nowMs = this.#options.clock.wallMs()
    const builder = new BatchBuilder()
    for (const { key, value } of records) {
      builder.append(nowMs, key, 0, key.length, value, 0, value?.length ?? -1)
    }
    log.append(builder.finish(), 'coordinator')
    await log.acknowledged()
    fold.catchUp()
  }

  async #append(
    place: OffsetsPartition,
    records: readonly OffsetRecord[],
    producer?: OffsetTransaction,
  ): Promise<void> {
    const { log, fold } = place
    const header: BatchHeader = producer === undefined ? {} : { ...producer, isTransactional: true }
    const verify: TransactionVerifier = (producerId, producerEpoch) => {
      this.#options.verify({ producerId, producerEpoch }, log.partition)
    }
    log.append(this.#batchOf(records, header), 'coordinator', producer && verify)
    const names = records.map(({ key }) => nameOf(key))
    for (const name of names) this.#onTheirWay.set(name, (this.#onTheirWay.get(name) ?? 0) + 1)
    try {
      await log.acknowledged()
      fold.catchUp()
    } finally {
      for (const name of names) this.#arrive(name)
    }
  }

  #arrive(name: string): void {
    const others = (this.#onTheirWay.get(name) ?? 1) - 1
    if (others > 0) this.#onTheirWay.set(name, others)
    else this.#onTheirWay.delete(name)
  }

  #isOnItsWay(group: string): boolean {
    for (const name of this.#onTheirWay.keys()) if (name.startsWith(`${group}\0`)) return true
    return false
  }

  /** Makes the topic of the offsets where it is not there yet. @throws MillraceError DISK_FULL, STORAGE_FAILED */
  async requireTopic(): Promise<void> {
    if (this.#partitions.length > 0) return
    const logs = await this.#options.createLogs()
    if (this.#partitions.length === 0) this.#use(logs)
  }

  #use(logs: readonly PartitionLog[]): void {
    this.#partitions = logs.map((log) => {
      const offsets = new GroupOffsets()
      const fold = new LogFold(log, (record) => {
        if (!offsets.apply(record) && !this.keptConsumerGroups.apply(record)) this.#applyGroup(record)
      })
      return { log, offsets, fold }
    })
  }

  #applyGroup({ bytes, keyStart, keyEnd, valueStart, valueEnd }: BatchReader): void {
    const group = keyStart < 0 ? undefined : readGroupMetadataKey(bytes, keyStart, keyEnd)
    if (group === undefined) return
    if (valueStart < 0) {
      this.keptGroups.delete(group)
      this.#keptMs.delete(group)
      return
    }
    this.keptGroups.set(group, readGroupMetadataValue(bytes, valueStart, valueEnd))
    this.#keptMs.set(group, readGroupKeptMs(bytes, valueStart, valueEnd))
  }

  #partitionOf(group: string): OffsetsPartition | undefined {
    return this.#partitions[coordinatorPartition(group, Math.max(this.#partitions.length, 1))]
  }

  #batchOf(records: readonly OffsetRecord[], header: BatchHeader): Buffer {
    const nowMs = this.#options.clock.wallMs()
    const key = this.#key
    const value = this.#value
    const builder = new BatchBuilder()
    for (const record of records) {
      key.clear()
      value.clear()
      writeOffsetCommitKey(record.key, key)
      if (record.value !== null) writeOffsetCommitValue(record.value, nowMs, value)
      const valueBytes = record.value === null ? null : value.buffer
      builder.append(nowMs, key.buffer, 0, key.length, valueBytes, 0, value.length)
    }
    return builder.finish(header)
  }
}

function nameOf({ group, topic, partition }: OffsetCommitKey): string {
  return `${group}\0${topic}-${partition}`
}

/** Takes account of everything that is on its way to the disk. */
async function settle({ log, fold }: OffsetsPartition): Promise<void> {
  // Commits that were asked for before are appended by then.
  await undefined
  if (log.highWatermark < log.logEndOffset) await log.acknowledged()
  fold.catchUp()
}

interface OffsetRecord {
  readonly key: OffsetCommitKey
  /** Null to take the offset away. */
  readonly value: OffsetCommitValue | null
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

function consumerRecords(group: string, records: readonly ConsumerGroupRecord[]) {
  return records.map((record) => {
    return { key: writeConsumerGroupKey(group, record), value: writeConsumerGroupValue(record) }
  })
}
