import type { Clock, Disk, Random, Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import type { DataDirectory } from '../data-directory.ts'
import type { CheckpointEntry } from '../offset-checkpoint.ts'
import type { DamagedRange } from './damaged-range.ts'
import { openEpochs } from './epoch-recovery.ts'
import type { Flusher } from './flusher.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { recoverLog, type TornTail } from './log-recovery.ts'
import { isCompacted, type LogSettings } from './log-settings.ts'
import { OpenFiles } from './open-files.ts'
import { createSegments, type FlushPolicy, PartitionLog } from './partition-log.ts'
import { recoverProducers } from './producer-recovery.ts'
import { ProducerSnapshots } from './producer-snapshots.ts'
import { ProducerStates } from './producer-states.ts'
import { type Segment, type SegmentContext, segmentFileName } from './segment.ts'
import { scanChunkBytes } from './segment-scanner.ts'

export interface PartitionLogsOptions {
  readonly directory: DataDirectory
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly flusher: Flusher
  readonly flushPolicy: FlushPolicy
  /** Files of segments that are open at a time. */
  readonly maxOpenFiles: number
}

/** A part of a log that is damaged: it is not served, and left as it is. */
export interface QuarantinedRange extends DamagedRange {
  readonly topic: string
  readonly partition: number
}

/** Of a partition: what is remembered of a producer takes a few hundred bytes. */
const maxProducers = 100_000

/** Directories or logs that are made durable at the same time. */
const syncsAtOnce = 64

/** The logs of a data directory: opens, makes, finds and closes them. */
export class PartitionLogs {
  /** What recovery cut off the ends of logs, for whoever reports it. */
  readonly cuts: TornTail[] = []
  /** What was found damaged and is in quarantine. */
  damages: QuarantinedRange[] = []
  /** Files of segments that the last process deleted. They may go when the checkpoint says where their logs begin. */
  #leftovers: string[] = []
  readonly #options: PartitionLogsOptions
  readonly #files: OpenFiles
  readonly #logs = new Map<string, PartitionLog[]>()
  /** Recoveries go one after the other and share it. */
  #buffer: Buffer | undefined

  constructor(options: PartitionLogsOptions) {
    this.#options = options
    this.#files = new OpenFiles(options.disk, options.maxOpenFiles)
  }

  get(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(topic)?.[partition]
  }

  ofTopic(topic: string): readonly PartitionLog[] {
    return this.#logs.get(topic) ?? []
  }

  all(): PartitionLog[] {
    return [...this.#logs.values()].flat()
  }

  /** Opens the logs of a topic as the last process left them. */
  async open(topic: string, partitions: number, settings: LogSettings): Promise<void> {
    const logs: PartitionLog[] = []
    // From here on they are closed with all others, also where a later one cannot be opened.
    this.#logs.set(topic, logs)
    for (let partition = 0; partition < partitions; partition++) {
      logs.push(await this.#open(topic, partition, settings))
    }
  }

  /** Gives back what opening logs took: memory, and the files of deleted segments, when `writeStarts` has vouched for them. */
  async endRecovery(writeStarts: () => Promise<boolean>): Promise<void> {
    this.#buffer = undefined
    const leftovers = this.#leftovers
    this.#leftovers = []
    if (leftovers.length === 0 || !(await writeStarts())) return
    for (const path of leftovers) {
      try {
        this.#options.disk.remove(path)
      } catch (error) {
        throw this.#options.directory.status.goOffline('removing a deleted segment', path, error)
      }
    }
  }

  /** An offset of each log that has it. */
  offsets(offsetOf: (log: PartitionLog) => number | undefined): CheckpointEntry[] {
    return this.all().flatMap((log) => {
      const offset = offsetOf(log)
      return offset === undefined ? [] : [{ topic: log.topic, partition: log.partition, offset }]
    })
  }

  /** Makes the logs of a topic's new partitions, so that they are there after a power failure too. */
  async create(
    topic: string,
    topicId: string,
    { from, to }: { readonly from: number; readonly to: number },
    settings: LogSettings,
  ): Promise<void> {
    const { directory, disk } = this.#options
    const made: PartitionLog[] = []
    try {
      for (let partition = from; partition < to; partition++) {
        made.push(this.#create(topic, topicId, partition, settings))
      }
      for (let start = 0; start < made.length; start += syncsAtOnce) {
        const some = made.slice(start, start + syncsAtOnce)
        await Promise.all(some.map((log) => disk.syncDirectory(directory.partitionPath(topic, log.partition))))
      }
      await disk.syncDirectory(directory.path)
    } catch (error) {
      for (const log of made) log.close()
      throw directory.status.unusable(error, 'making the logs of a topic', directory.path)
    }
    this.#logs.set(topic, [...this.ofTopic(topic), ...made])
  }

  /** Takes back the making of partitions that did not come to be: of a topic, or from one on. */
  remove(topic: string, from: number): void {
    const { directory, disk } = this.#options
    const logs = this.ofTopic(topic)
    for (const log of logs.slice(from)) {
      log.close()
      disk.remove(directory.partitionPath(topic, log.partition))
    }
    if (from === 0) this.#logs.delete(topic)
    else this.#logs.set(topic, logs.slice(0, from))
  }

  /** The logs of a deleted topic, which are found no more. */
  withdraw(topic: string): readonly PartitionLog[] {
    const logs = this.ofTopic(topic)
    this.#logs.delete(topic)
    this.damages = this.damages.filter((range) => range.topic !== topic)
    for (const log of logs) log.delete()
    return logs
  }

  /** Puts the indexes of all logs on the device, some at a time. */
  async syncIndexes(): Promise<void> {
    const { path, status } = this.#options.directory
    const logs = this.all()
    try {
      for (let from = 0; from < logs.length; from += syncsAtOnce) {
        await Promise.all(logs.slice(from, from + syncsAtOnce).map((log) => log.syncIndexes()))
      }
    } catch (error) {
      throw status.goOffline('flushing the indexes', path, error)
    }
  }

  close(): void {
    for (const log of this.all()) log.close()
  }

  async #open(topic: string, partition: number, settings: LogSettings): Promise<PartitionLog> {
    const { directory, timers, flushPolicy, flusher, random } = this.#options
    const { wasCleanlyShutDown } = directory
    const cleanedTo = directory.checkpointed('cleaned', topic, partition)
    const context = this.#contextOf(settings, cleanedTo)
    const path = directory.partitionPath(topic, partition)
    const recoveryPoint = directory.checkpointed('recoveryPoints', topic, partition) ?? 0
    const startCheckpoint = directory.checkpointed('logStarts', topic, partition) ?? 0
    this.#buffer ??= Buffer.allocUnsafeSlow(scanChunkBytes)
    const buffer = this.#buffer
    const { segments, logStartOffset, leftovers, cut } = await recoverLog({
      context,
      timers,
      topic,
      partition,
      directory: path,
      logStartOffset: startCheckpoint,
      recoveryPoint,
      wasCleanlyShutDown,
      buffer,
    })
    if (cut !== undefined) this.cuts.push(cut)
    for (const { damaged } of segments) for (const range of damaged) this.damages.push({ topic, partition, ...range })
    try {
      const { producers, snapshots } = this.#producersOf(topic, partition, path, settings)
      const trustedOffset = wasCleanlyShutDown ? endOf(segments) : startOfChecked(segments, recoveryPoint)
      await recoverProducers({ segments, producers, snapshots, buffer }, trustedOffset, timers)
      const checkedFrom = wasCleanlyShutDown ? undefined : trustedOffset
      const epochs = new LeaderEpochs(context.disk, path)
      await openEpochs(epochs, { segments, logStartOffset, checkedFrom, buffer, timers })
      this.#leftovers.push(...leftovers)
      return new PartitionLog({
        topic,
        partition,
        directory: path,
        settings,
        flushPolicy,
        flusher,
        context,
        random,
        segments,
        producers,
        snapshots,
        epochs,
        logStartOffset,
        cleanedTo,
        recoveryPoint: wasCleanlyShutDown ? Number.MAX_SAFE_INTEGER : recoveryPoint,
        isFlushed: wasCleanlyShutDown,
        // A snapshot that was taken back must not be there again when the log has grown past it with other batches.
        hasUnsyncedNames: !wasCleanlyShutDown || snapshots.hasTakenBack,
      })
    } catch (error) {
      for (const segment of segments) segment.close()
      throw directory.status.unusable(error, 'recovering what is known of producers and epochs', path)
    }
  }

  #create(topic: string, topicId: string, partition: number, settings: LogSettings): PartitionLog {
    const { directory, disk, flushPolicy, flusher, random } = this.#options
    const path = directory.partitionPath(topic, partition)
    removeLeftover(disk, path, topic, partition)
    const context = this.#contextOf(settings, undefined)
    const segments = createSegments(context, path)
    writePartitionMetadata(disk, path, topicId)
    const { producers, snapshots } = this.#producersOf(topic, partition, path, settings)
    const epochs = new LeaderEpochs(disk, path)
    const own = { topic, partition, directory: path, settings, segments, producers, snapshots, epochs }
    const shared = { flushPolicy, flusher, context, random, cleanedTo: undefined }
    return new PartitionLog({
      ...own,
      ...shared,
      logStartOffset: 0,
      recoveryPoint: 0,
      isFlushed: false,
      hasUnsyncedNames: false,
    })
  }

  #producersOf(topic: string, partition: number, path: string, settings: LogSettings) {
    const { clock, directory, disk } = this.#options
    const expirationMs = settings.producerIdExpirationMs
    return {
      producers: new ProducerStates({ clock, expirationMs, maxProducers, place: { topic, partition } }),
      snapshots: new ProducerSnapshots(disk, directory.status, path),
    }
  }

  #contextOf(settings: LogSettings, cleanedTo: number | undefined): SegmentContext {
    const { disk, clock, directory } = this.#options
    const files = this.#files
    const { indexIntervalBytes } = settings
    const allowsGaps = cleanedTo !== undefined || isCompacted(settings)
    return { disk, files, clock, status: directory.status, indexIntervalBytes, allowsGaps }
  }
}

function endOf(segments: readonly Segment[]): number {
  return segments.at(-1)?.nextOffset ?? 0
}

/** Where the first segment begins that may not have been on the device with all that belongs to it: the recovery point is in it, or at its end. */
function startOfChecked(segments: readonly Segment[], recoveryPoint: number): number {
  return segments.findLast((segment) => segment.baseOffset < recoveryPoint)?.baseOffset ?? 0
}

/** A topic whose making was interrupted leaves empty logs; one that holds records is somebody's data. */
function removeLeftover(disk: Disk, path: string, topic: string, partition: number): void {
  if (!disk.exists(path)) return
  for (const name of disk.list(path).filter((name) => name.endsWith('.log'))) {
    const file = disk.open(`${path}/${name}`)
    const isEmpty = file.size() === 0 && name === segmentFileName(0, '.log')
    file.close()
    if (isEmpty) continue
    throw new MillraceError('DIRECTORY_UNUSABLE', 'There are records of a topic that is not in the registry', {
      at: { topic, partition, path },
      remedy: 'Move the directory away, or put back the registry that it belongs to.',
    })
  }
  disk.remove(path)
}

/** Kafka's `partition.metadata`: which topic's log this is, were its name to be given to another one. */
function writePartitionMetadata(disk: Disk, path: string, topicId: string): void {
  const file = disk.open(`${path}/partition.metadata`, { create: true })
  try {
    file.write(Buffer.from(`version: 0\ntopic_id: ${topicId}\n`), 0)
  } finally {
    file.close()
  }
}
