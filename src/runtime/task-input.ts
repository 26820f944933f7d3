import type { FetchedBatches, TopicPartition } from '../cluster/cluster.ts'
import type { Clock } from '../env/environment.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { BatchReader } from '../record/batch-reader.ts'
import { KeysAhead, mostKeysAhead } from '../record/keys-ahead.ts'
import { FlowRecord } from '../topology/flow-record.ts'
import type { DropReason, Processor } from '../topology/processor.ts'
import type { SourceNode } from '../topology/topology.ts'

/** What happens with a record that cannot be decoded or has no valid event time. */
export type BadRecordPolicy = 'fail' | 'skip'

/** One partition that a task reads: the batches fetched of it and the record at their head. */
export class TaskInput {
  readonly partition: TopicPartition
  /** The head, once `advance` said that there is one. */
  readonly record: FlowRecord = new FlowRecord()
  /** Takes the head: the source's children. */
  readonly output: Processor
  /** The offset after the last record that was taken: what a commit says. */
  position: number
  /** The end of the partition when it was last looked at. */
  highWatermark: number
  hasHead = false
  recordCount = 0
  /** The greatest event time of the records that were taken; -1 before the first. Begins as a number, as `TaskServices.streamTimeMs` does. */
  partitionTimeMs = -1

  readonly #source: SourceNode
  readonly #reader = new BatchReader()
  readonly #badRecords: BadRecordPolicy
  readonly #drop: (reason: DropReason, count?: number) => void
  readonly #clock: Clock
  readonly #timestampContext = { timestamp: -1, partitionTime: -1, topic: '', partition: -1, offset: -1 }
  readonly #keysAhead: KeysAhead
  /** After so many records it is time to tell of further keys. */
  #unexpected = 0
  #inBatch = false
  #fromOffset = 0
  #nextOffset: number
  #headOffset = -1

  constructor(options: {
    partition: TopicPartition
    position: number
    highWatermark: number
    partitionTimeMs: number
    source: SourceNode
    output: Processor
    badRecords: BadRecordPolicy
    drop: (reason: DropReason, count?: number) => void
    clock: Clock
  }) {
    this.partition = options.partition
    this.position = options.position
    this.#nextOffset = options.position
    this.highWatermark = options.highWatermark
    this.partitionTimeMs = options.partitionTimeMs
    this.#source = options.source
    this.#keysAhead = new KeysAhead(options.source.key)
    this.output = options.output
    this.#badRecords = options.badRecords
    this.#clock = options.clock
    this.#drop = options.drop
    this.record.topic = options.partition.topic
    this.record.partition = options.partition.partition
  }

  get sourceName(): string {
    return this.#source.name
  }

  /** Whether all that the log is known to have was taken. */
  get isCaughtUp(): boolean {
    return !this.hasHead && this.position >= this.highWatermark
  }

  load(fetched: FetchedBatches): void {
    this.#reader.reset(fetched.bytes)
    this.#inBatch = false
    this.#fromOffset = fetched.fromOffset
    this.#nextOffset = fetched.nextOffset
    this.highWatermark = fetched.highWatermark
    this.advance()
  }

  /** Goes on at a later offset, because what lies before it was deleted, and counts that. */
  skipTo(offset: number): void {
    this.#drop('deleted-before-read', offset - this.position)
    this.position = offset
    this.#nextOffset = offset
  }

  /** Moves to the next record, which becomes the head; false where the fetched batches have no more. */
  advance(): boolean {
    if (this.hasHead) {
      this.position = this.#headOffset + 1
      if (this.record.timestamp > this.partitionTimeMs) this.partitionTimeMs = this.record.timestamp
    }
    while (this.#nextRecord()) {
      if (this.#loadHead()) {
        this.hasHead = true
        return true
      }
    }
    this.hasHead = false
    // Beyond the last record there may be control records and gaps of compaction: they count as read.
    this.position = this.#nextOffset
    return false
  }

  #nextRecord(): boolean {
    const reader = this.#reader
    for (;;) {
      if (this.#unexpected === 0 && this.#inBatch) this.#expectKeys()
      if (this.#inBatch && reader.next()) {
        this.#unexpected--
        if (reader.offset >= this.#fromOffset) return true
        continue
      }
      this.#inBatch = this.#nextDataBatch()
      if (!this.#inBatch) return false
    }
  }

  /** Tells of the next records' keys, where somebody gains by that. */
  #expectKeys(): void {
    this.#unexpected = mostKeysAhead
    const lookup = this.output.keyLookup
    if (lookup?.expectsKeys !== true) return
    const keys = this.#keysAhead
    this.#reader.findKeysAhead(keys)
    lookup.expectKeys(keys)
    if (keys.count > 0) this.#unexpected = keys.count
  }

  #nextDataBatch(): boolean {
    this.#unexpected = 0
    try {
      while (this.#reader.nextBatch()) if (!this.#reader.isControl) return true
      return false
    } catch (error) {
      throw placed(error, { ...this.partition, offset: this.position })
    }
  }

  /** False where the record is bad and the policy is to skip it. */
  #loadHead(): boolean {
    const reader = this.#reader
    const record = this.record
    const source = this.#source
    record.offset = reader.offset
    this.#headOffset = reader.offset
    record.loadKey(reader.bytes, reader.keyStart, reader.keyEnd, source.key)
    record.loadValue(reader.bytes, reader.valueStart, reader.valueEnd, source.value)
    record.loadHeaders(reader.bytes, reader.headersStart, reader.headersEnd, reader.headerCount)
    record.oldValue = undefined
    record.operator = source.name
    this.recordCount++
    if (this.#badRecords === 'skip' && !this.#isDecodable()) {
      this.#drop('undecodable')
      return false
    }
    // Two assignments, not one of either: that would make an object of the number for each record.
    if (source.timestamp === undefined) record.timestamp = reader.timestamp
    else record.timestamp = this.#eventTime(source.timestamp)
    return record.timestamp >= 0 || this.#mendTimestamp()
  }

  #isDecodable(): boolean {
    try {
      this.record.key()
      this.record.value()
      return true
    } catch {
      return false
    }
  }

  #eventTime(timestamp: NonNullable<SourceNode['timestamp']>): number {
    if (timestamp === 'wall-clock') return this.#clock.wallMs()
    const { topic, partition } = this.partition
    const context = this.#timestampContext
    context.timestamp = this.#reader.timestamp
    context.partitionTime = this.partitionTimeMs
    context.topic = topic
    context.partition = partition
    context.offset = this.record.offset
    const time = timestamp(this.record.value(), this.record.key(), context)
    return Number.isFinite(time) ? Math.floor(time) : -1
  }

  /** Does with a record without a valid event time what its source says; false where it is skipped. */
  #mendTimestamp(): boolean {
    const policy = this.#source.invalidTimestamp ?? this.#badRecords
    if (policy === 'partition-time' && this.partitionTimeMs >= 0) {
      this.record.timestamp = this.partitionTimeMs
      return true
    }
    if (policy !== 'skip') throw this.#invalidTimestamp()
    this.#drop('negative-timestamp')
    return false
  }

  #invalidTimestamp(): MillraceError {
    return new MillraceError(
      'INVALID_TIMESTAMP',
      'The record has no valid event time: it is negative or not a number',
      {
        at: { ...this.partition, offset: this.record.offset, operator: this.#source.name },
        remedy:
          "Mend the topic's `timestamp` function, or count and skip such records: run with `badRecords: 'skip'`, or open the topic with `invalidTimestamp: 'skip'`.",
      },
    )
  }
}

/** The error, with its code kept, saying where the record came from. */
export function placed(error: unknown, at: MillraceError['at']): MillraceError {
  if (error instanceof MillraceError) return error.placedAt(at)
  return new MillraceError('OPERATOR_FAILED', `A function of operator '${at.operator}' threw: ${messageOf(error)}`, {
    at,
    remedy: 'Nothing of this record was committed: mend the function and start again.',
    cause: error,
  })
}
