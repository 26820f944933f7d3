import type { Random } from '../../env/environment.ts'
import { assert, MillraceError, type Place } from '../../errors.ts'
import { batchSize, lastOffsetOf, setBaseOffset, setLeaderEpoch, setLogAppendTime } from '../../record/batch-format.ts'
import { fileUnusable, isOutOfFiles, systemCodeOf } from '../disk-error.ts'
import { isInLog } from './aborted-evidence.ts'
import { requireAppendable, requireSizes } from './append-check.ts'
import { compressedFor } from './batch-compression.ts'
import { endBefore } from './batch-lookup.ts'
import { type DamagedRange, withoutEnd } from './damaged-range.ts'
import type { Flushable, Flusher } from './flusher.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import { isCompacted, type LogSettings, longestSegmentMs, maxSegmentBytes } from './log-settings.ts'
import { rewindProducers } from './producer-recovery.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { AppendOrigin, ProducerStates, TransactionVerifier } from './producer-states.ts'
import { Segment, type SegmentContext } from './segment.ts'
import { recount, truncateSegment } from './segment-count.ts'
import { scanChunkBytes } from './segment-scanner.ts'
import { cleanedSuffix, completeSwap, removeCleaned } from './segment-swap.ts'
import type { AbortedTransaction, TransactionIndex } from './transaction-index.ts'

/** When an append is acknowledged: when it is on the device, or when the operating system has it (Kafka's default). */
export type FlushPolicy = 'fsync' | 'page-cache'

/** Told each time that readers may see more of a log, and when it is deleted. Called in the middle of appends: to note it, not to act on it. */
export interface LogWatcher {
  onAdvance(): void
}

export interface PartitionLogOptions {
  readonly topic: string
  readonly partition: number
  readonly directory: string
  readonly settings: LogSettings
  readonly flushPolicy: FlushPolicy
  readonly flusher: Flusher
  readonly context: SegmentContext
  readonly random: Random
  /** At least one, in order. */
  readonly segments: Segment[]
  /** What is known of producers at the end of the segments, and the files it is kept in. */
  readonly producers: ProducerStates
  readonly snapshots: ProducerSnapshots
  readonly epochs: LeaderEpochs
  /** The first offset that can be read, as far as that is known; the first segment may begin behind it. */
  readonly logStartOffset: number
  readonly cleanedTo: number | undefined
  /** Everything below it is known to be on the device. */
  readonly recoveryPoint: number
  /** Whether all of its files are known to be on the device. */
  readonly isFlushed: boolean
  /** Whether files may have come or gone in the directory since it was last synced. */
  readonly hasUnsyncedNames: boolean
}

/** Relative offsets in an index are int32. */
const maxRelativeOffset = 2_147_483_647

const done = Promise.resolve()

/**
 * The log of one partition: segments of record batches, one after the other without a gap.
 *
 * `logStartOffset <= highWatermark <= logEndOffset`; readers see what is in front of the high watermark, which is the recovery
 * point where appends are acknowledged after an fsync, and the log's end where they are acknowledged at once.
 */
export class PartitionLog implements Flushable {
  readonly topic: string
  readonly partition: number
  /** Written into each batch: which leadership of the partition appended it. */
  leaderEpoch = 0
  readonly segments: Segment[]
  readonly context: SegmentContext
  readonly producers: ProducerStates
  /** Which leaderships wrote it. */
  readonly epochs: LeaderEpochs
  /** What is in quarantine; nearly always nothing. */
  readonly damage: readonly DamagedRange[]
  /** Grows when segments are cut, removed or replaced: a reader's place in a segment is only good while it stays the same. */
  layoutVersion = 0
  settings: LogSettings
  readonly directory: string
  /** Up to where keys are there once; undefined where it was never compacted. */
  cleanedTo: number | undefined
  /** Its segments stay where they are while it is. */
  isBeingCompacted = false
  /** Whether the topic was deleted: nothing can be read or written any more. */
  isDeleted = false
  /** The time that the last append gave its records; -1 where records keep their own. */
  stampedMs = -1
  readonly #flushPolicy: FlushPolicy
  readonly #flusher: Flusher
  readonly #place: Place
  readonly #snapshots: ProducerSnapshots
  readonly #watchers = new Set<LogWatcher>()
  #active: Segment
  #logStartOffset: number
  #highWatermark: number
  #recoveryPoint: number
  /** Segments written to since the last sync began, and where the log ended at that time. */
  #unsynced: Segment[]
  #syncingTo: number
  #hasUnsyncedNames: boolean
  #isClosed = false
  readonly #random: Random
  /** By how much the last segment is closed before `segment.ms` is over. */
  #jitterMs: number

  constructor(options: PartitionLogOptions) {
    this.topic = options.topic
    this.partition = options.partition
    this.segments = options.segments
    this.context = options.context
    this.producers = options.producers
    this.epochs = options.epochs
    this.#snapshots = options.snapshots
    this.directory = options.directory
    this.cleanedTo = options.cleanedTo
    this.settings = options.settings
    this.#flushPolicy = options.flushPolicy
    this.#flusher = options.flusher
    this.#place = { topic: options.topic, partition: options.partition }
    this.damage = options.segments.flatMap((segment) => segment.damaged)
    this.#active = options.segments.at(-1) as Segment
    const firstOffset = (options.segments[0] as Segment).baseOffset
    this.#logStartOffset = Math.max(options.logStartOffset, firstOffset)
    this.#recoveryPoint = Math.max(Math.min(options.recoveryPoint, this.logEndOffset), firstOffset)
    this.#syncingTo = this.#recoveryPoint
    this.#highWatermark = options.flushPolicy === 'fsync' ? this.#recoveryPoint : this.logEndOffset
    this.producers.onHighWatermark(this.#highWatermark)
    // The last segment counts too where it ends at the recovery point: its end may have been cut.
    const isUnsynced = (segment: Segment) => !options.isFlushed && segment.nextOffset >= this.#recoveryPoint
    this.#unsynced = options.segments.filter(isUnsynced)
    this.#hasUnsyncedNames = options.hasUnsyncedNames
    this.#random = options.random
    this.#jitterMs = this.#chooseJitter()
  }

  /** The first offset that can be read. */
  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.#active.nextOffset
  }

  /** The offset after the last one that readers may see. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Everything below it is on the device: recovery may cut nothing there. */
  get recoveryPoint(): number {
    return this.#recoveryPoint
  }

  /** The time of the youngest record, in milliseconds since 1970; -1 where there is none. */
  get largestTimestamp(): number {
    let largest = -1
    for (const segment of this.segments) if (segment.largestTimestamp > largest) largest = segment.largestTimestamp
    return largest
  }

  /** The offset after the last record of which it is decided whether readers of committed records see it. */
  get lastStableOffset(): number {
    const undecided = this.producers.firstUnstableOffset ?? this.#highWatermark
    return Math.max(Math.min(undecided, this.#highWatermark), this.#logStartOffset)
  }

  /**
   * Appends whole batches in one write, setting their offsets and leader epoch (and the time, where the topic's records have
   * that of the append) in the caller's bytes, which are the caller's again afterwards. Returns the offset of the first
   * record: where a producer has sent the batch again, the offset that it got the first time. Durable when `flushed` then
   * resolves. `verify` is asked about a batch that would begin a transaction here, and throws where it may not.
   * @throws MillraceError CORRUPT_BATCH, INVALID_TIMESTAMP, RECORD_TOO_LARGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION, INVALID_PRODUCER_EPOCH,
   * OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED, UNKNOWN_TOPIC_OR_PARTITION, DISK_FULL,
   * STORAGE_FAILED
   */
  append(sent: Buffer, origin: AppendOrigin = 'client', verify?: TransactionVerifier): number {
    this.context.status.requireOnline()
    this.requireExisting()
    if (this.damage.length > 0) this.#requireEnd()
    const nowMs = this.context.clock.wallMs()
    const { offsets, maxTimestamp } = requireAppendable(sent, this.settings, nowMs, this.#place)
    const written = this.producers.check(sent, origin)
    if (written !== undefined) return written
    if (verify !== undefined) this.producers.verify(sent, verify)
    const batches = origin === 'client' ? compressedFor(sent, this.settings) : sent
    if (batches !== sent) requireSizes(batches, this.settings, this.#place)
    const isStamped = this.settings.timestampType === 'LogAppendTime'
    this.stampedMs = isStamped ? nowMs : -1
    this.#makeRoom(batches.length, offsets, isStamped ? nowMs : maxTimestamp)
    const baseOffset = this.logEndOffset
    this.#assignOffsets(batches, baseOffset)
    if (isStamped) stampBatches(batches, nowMs)
    this.#write(batches)
    if (this.epochs.note(this.leaderEpoch, baseOffset)) this.#saveEpochs()
    for (let start = 0; start < batches.length; start += batchSize(batches, start)) this.producers.apply(batches, start)
    if (this.#unsynced.at(-1) !== this.#active) this.#unsynced.push(this.#active)
    if (this.#flushPolicy === 'page-cache') this.#raiseHighWatermark(this.logEndOffset)
    return baseOffset
  }

  /** Whether everything appended so far may be acknowledged. */
  get isAcknowledged(): boolean {
    return this.#highWatermark >= this.logEndOffset
  }

  /** Resolves when everything appended so far may be acknowledged. */
  acknowledged(): Promise<void> {
    return this.#flushPolicy === 'page-cache' ? done : this.flushed()
  }

  /** Resolves when everything appended so far is on the device. */
  flushed(): Promise<void> {
    return this.#flusher.flush(this)
  }

  /**
   * Lets nobody read or write any more, and wakes those who wait for more. The files stay; they are in use until `flushed`
   * resolves and the log is not being compacted any more.
   */
  delete(): void {
    this.isDeleted = true
    this.layoutVersion++
    for (const watcher of this.#watchers) watcher.onAdvance()
    this.#watchers.clear()
  }

  /** Follows other settings from now on. What is there stays as it was written. */
  configure(settings: LogSettings): void {
    this.settings = settings
    this.context.indexIntervalBytes = settings.indexIntervalBytes
    this.context.allowsGaps ||= isCompacted(settings)
    this.#jitterMs = this.#chooseJitter()
  }

  /** @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION where the topic was deleted */
  requireExisting(): void {
    if (!this.isDeleted) return
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'The topic was deleted', { at: this.#place })
  }

  watch(watcher: LogWatcher): void {
    this.#watchers.add(watcher)
  }

  unwatch(watcher: LogWatcher): void {
    this.#watchers.delete(watcher)
  }

  /** The segment that holds the offset, which is in the log or its end. */
  segmentOf(offset: number): Segment {
    let low = 0
    let high = this.segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.segments[middle] as Segment).baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return this.segments[low] as Segment
  }

  segmentAfter(segment: Segment): Segment | undefined {
    return this.segments[this.segments.indexOf(segment) + 1]
  }

  /**
   * Gives up the promise that recovery finds everything from the offset on. The directory's checkpoint must be written
   * after it, before the log is truncated there: or the next start would take the truncation for lost data.
   */
  lowerRecoveryPoint(offset: number): void {
    this.#recoveryPoint = Math.min(this.#recoveryPoint, offset)
    this.#syncingTo = Math.min(this.#syncingTo, offset)
  }

  /** Where the log ends when the batch that holds the offset is removed, and all after it. */
  endWithout(offset: number): number {
    if (offset >= this.logEndOffset) return this.logEndOffset
    return Math.max(endBefore(offset, this.segmentOf(offset)), this.logStartOffset)
  }

  /** Removes the batch that holds the offset and all after it. The recovery point is not above where the log then ends. */
  truncate(offset: number): void {
    this.context.status.requireOnline()
    assert(offset >= this.logStartOffset, 'a log is not truncated below its start')
    if (offset >= this.logEndOffset) return
    try {
      this.#truncate(offset)
    } catch (error) {
      if (error instanceof MillraceError || systemCodeOf(error) === undefined) throw error
      throw this.context.status.goOffline('truncating a log', this.directory, error)
    }
  }

  #truncate(offset: number): void {
    const end = this.endWithout(offset)
    assert(end >= this.#recoveryPoint, 'the recovery point is lowered and saved before a truncation')
    const last = this.segmentOf(offset)
    for (const segment of this.segments.splice(this.segments.indexOf(last) + 1)) segment.remove()
    this.#active = last
    truncateSegment(last, offset)
    // Where the log begins inside of the batch nothing is left of it.
    if (this.logEndOffset < end) this.#startOver(end)
    this.layoutVersion++
    if (this.epochs.truncateEnd(end)) this.#saveEpochs()
    this.#unsynced = this.#unsynced.filter((segment) => this.segments.includes(segment) && segment !== this.#active)
    this.#unsynced.push(this.#active)
    this.#hasUnsyncedNames = true
    this.lowerRecoveryPoint(end)
    this.#highWatermark = Math.min(this.#highWatermark, end)
    const { segments, producers } = this
    const buffer = Buffer.allocUnsafeSlow(scanChunkBytes)
    rewindProducers({ segments, producers, snapshots: this.#snapshots, buffer }, end)
    producers.onHighWatermark(this.#highWatermark)
  }

  /** An empty segment in place of all: made first, because a log without any has lost its start. */
  #startOver(offset: number): void {
    const replaced = this.segments.splice(0)
    this.#active = new Segment(this.context, this.directory, offset, { create: true })
    this.segments.push(this.#active)
    for (const segment of replaced) segment.remove()
  }

  /**
   * The aborted transactions with records from the one offset up to, but not including, the other.
   * @throws MillraceError CORRUPT_BATCH where an index of them is damaged; STORAGE_FAILED
   */
  abortedTransactions(from: number, to: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (let segment: Segment | undefined = this.segmentOf(from); segment !== undefined; ) {
      if (this.#collectAborted(segment.transactions, from, to, found)) return found
      segment = this.segmentAfter(segment)
    }
    return found
  }

  #collectAborted(index: TransactionIndex, from: number, to: number, found: AbortedTransaction[]): boolean {
    try {
      index.check((aborted) => isInLog(aborted, (offset) => this.segmentOf(offset)))
      return index.collect(from, to, found)
    } catch (error) {
      if (isOutOfFiles(error)) throw fileUnusable(error, 'opening an index of transactions', index.path)
      if (error instanceof MillraceError) throw error
      throw this.context.status.goOffline('reading an index of transactions', index.path, error)
    }
  }

  /**
   * Lets nobody read below the offset any more; false where that is so already. The segments that lie below it are then
   * taken out by `retireSegments`.
   * @throws MillraceError OFFSET_OUT_OF_RANGE where readers have not seen all of it
   */
  raiseLogStart(offset: number): boolean {
    this.requireDeletable(offset)
    if (offset <= this.#logStartOffset) return false
    this.#logStartOffset = offset
    if (this.epochs.truncateStart(offset)) this.#saveEpochs()
    return true
  }

  /** @throws MillraceError OFFSET_OUT_OF_RANGE where readers have not seen all that is below the offset */
  requireDeletable(offset: number): void {
    if (offset <= this.#highWatermark) return
    const what = `Records can be deleted up to the high watermark ${this.#highWatermark}, not up to ${offset}`
    throw new MillraceError('OFFSET_OUT_OF_RANGE', what, { at: { ...this.#place, offset } })
  }

  /** Takes the segments out that lie below the log's start; returns the new names of their files, which can be removed. */
  retireSegments(): string[] {
    const retired: string[] = []
    if (this.isBeingCompacted) return retired
    while (this.segments.length > 1 && (this.segments[1] as Segment).baseOffset <= this.#logStartOffset) {
      const segment = this.segments.shift() as Segment
      this.#unsynced = this.#unsynced.filter((other) => other !== segment)
      this.layoutVersion++
      retired.push(...segment.retire())
    }
    const { baseOffset } = this.segments[0] as Segment
    this.#recoveryPoint = Math.max(this.#recoveryPoint, baseOffset)
    if (retired.length > 0) this.#removeSnapshotsBelow(baseOffset)
    return retired
  }

  /** Whether `retireSegments` has something to do. */
  get hasRetiredSegments(): boolean {
    return (
      !this.isBeingCompacted &&
      this.segments.length > 1 &&
      (this.segments[1] as Segment).baseOffset <= this.#logStartOffset
    )
  }

  /** A segment beside the log, to be filled and then to take the place of others. */
  createCleaned(baseOffset: number): Segment {
    removeCleaned(this.context.disk, this.directory, baseOffset)
    return new Segment(this.context, this.directory, baseOffset, { create: true, suffix: cleanedSuffix })
  }

  /** Puts a segment in the place of others that lie one after the other; its files are published (`publishSwap`). */
  replaceSegments(replaced: readonly Segment[], { baseOffset }: Segment): void {
    const { disk } = this.context
    for (const segment of replaced) segment.close()
    completeSwap(
      disk,
      this.directory,
      baseOffset,
      replaced.map((segment) => segment.baseOffset),
    )
    const segment = new Segment(this.context, this.directory, baseOffset)
    segment.index.load(segment.file.size())
    if (!segment.timeIndex.load()) segment.clearIndexes()
    recount(segment, Number.POSITIVE_INFINITY)
    this.segments.splice(this.segments.indexOf(replaced[0] as Segment), replaced.length, segment)
    this.#unsynced = this.#unsynced.filter((other) => !replaced.includes(other))
    this.#snapshots.removeStray(new Set(this.segments.map((other) => other.baseOffset)))
    this.layoutVersion++
  }

  #saveEpochs(): void {
    try {
      this.epochs.save()
    } catch (error) {
      throw this.context.status.goOffline('writing the epochs of a log', this.directory, error)
    }
  }

  #removeSnapshotsBelow(offset: number): void {
    try {
      this.#snapshots.removeBelow(offset)
    } catch (error) {
      throw this.context.status.goOffline('removing a snapshot of producers', this.directory, error)
    }
  }

  /** Begins a new segment where the last one holds records, so that it can be deleted or compacted. */
  roll(): void {
    this.context.status.requireOnline()
    if (this.#active.size > 0) this.#roll()
  }

  async sync(): Promise<void> {
    if (this.isDeleted) return
    const segments = this.#unsynced
    const hasUnsyncedNames = this.#hasUnsyncedNames
    this.#syncingTo = this.logEndOffset
    this.#unsynced = []
    this.#hasUnsyncedNames = false
    const syncs = segments.map((segment) => segment.sync(segment !== this.#active))
    if (hasUnsyncedNames) syncs.push(this.context.disk.syncDirectory(this.directory))
    await Promise.all(syncs)
  }

  completeSync(): void {
    this.#recoveryPoint = Math.max(this.#recoveryPoint, this.#syncingTo)
    if (this.#flushPolicy === 'fsync') this.#raiseHighWatermark(this.#recoveryPoint)
  }

  /** Writes the indexes of the last segment and puts them on the device, which a start after a clean shutdown trusts. */
  async syncIndexes(): Promise<void> {
    this.#active.seal()
    this.context.status.requireOnline()
    await this.#active.syncIndexes()
  }

  /** Closes the files; again does nothing. What was not flushed is then up to the operating system. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.context.status.failure === undefined && !this.isDeleted) {
      this.#active.seal()
      this.#snapshots.write(this.logEndOffset, this.producers.entries())
    }
    for (const segment of this.segments) segment.close()
    this.#watchers.clear()
  }

  #requireEnd(): void {
    const range = this.damage.find((one) => !one.isEndKnown)
    if (range !== undefined) throw withoutEnd(range, this.#place)
  }

  #raiseHighWatermark(offset: number): void {
    if (offset <= this.#highWatermark) return
    this.#highWatermark = offset
    this.producers.onHighWatermark(offset)
    for (const watcher of this.#watchers) watcher.onAdvance()
  }

  /** Begins a new segment where the append would make the last one too large, too long or too old. */
  #makeRoom(bytes: number, offsets: number, maxTimestamp: number): void {
    if (bytes > maxSegmentBytes) {
      throw new MillraceError('RECORD_TOO_LARGE', `An append of ${bytes} bytes is above ${maxSegmentBytes} bytes`, {
        at: this.#place,
        remedy: 'Append fewer batches at once.',
      })
    }
    const active = this.#active
    const { segmentBytes, segmentIndexBytes } = this.settings
    const isDue =
      active.size + bytes > segmentBytes ||
      active.nextOffset + offsets - active.baseOffset > maxRelativeOffset ||
      active.areIndexesFull(segmentIndexBytes) ||
      active.waitedMs(maxTimestamp) > longestSegmentMs(this.settings) - this.#jitterMs
    if (active.size > 0 && isDue) this.#roll()
  }

  #roll(): void {
    const full = this.#active
    const next = new Segment(this.context, this.directory, this.logEndOffset, { create: true })
    full.seal()
    this.#snapshots.write(this.logEndOffset, this.producers.entries())
    this.context.status.requireOnline()
    if (this.#unsynced.at(-1) !== full) this.#unsynced.push(full)
    this.#hasUnsyncedNames = true
    this.segments.push(next)
    this.#active = next
    this.#jitterMs = this.#chooseJitter()
    // A segment is flushed when it is full, whoever waits for it: this bounds what a recovery has to look at.
    void this.flushed()
  }

  #chooseJitter(): number {
    const mostMs = Math.min(this.settings.segmentJitterMs, longestSegmentMs(this.settings))
    return mostMs === 0 ? 0 : this.#random.uint32() % mostMs
  }

  /** An aborted transaction is in the index before its marker is in the log. */
  #write(batches: Buffer): void {
    const active = this.#active
    const ended = this.producers.endedBy(batches)
    if (ended?.isAborted !== true) {
      active.append(batches)
      return
    }
    active.addAborted(ended)
    try {
      active.append(batches)
    } catch (error) {
      if (this.context.status.failure === undefined) active.transactions.truncate(ended.lastOffset)
      throw error
    }
  }

  #assignOffsets(batches: Buffer, baseOffset: number): void {
    let offset = baseOffset
    for (let start = 0; start < batches.length; start += batchSize(batches, start)) {
      setBaseOffset(batches, start, offset)
      setLeaderEpoch(batches, start, this.leaderEpoch)
      offset = lastOffsetOf(batches, start) + 1
    }
  }
}

/** Makes the directory of a log and its first segment. */
export function createSegments(context: SegmentContext, directory: string): Segment[] {
  try {
    context.disk.makeDirectory(directory)
  } catch (error) {
    throw context.status.unusable(error, 'making the directory of a log', directory)
  }
  return [new Segment(context, directory, 0, { create: true })]
}

/** Gives the records of the batches the time of the append. */
function stampBatches(batches: Buffer, nowMs: number): void {
  for (let start = 0; start < batches.length; start += batchSize(batches, start))
    setLogAppendTime(batches, start, nowMs)
}
