import type { Environment } from '../env/environment.ts'
import { CheckpointWriter } from './checkpoint-writer.ts'
import type { Checkpoint, DataDirectory } from './data-directory.ts'
import { diskFull } from './disk-error.ts'
import { LogCleaner } from './log/log-cleaner.ts'
import { LogTrimmer } from './log/log-trimmer.ts'
import type { PartitionLog } from './log/partition-log.ts'
import type { PartitionLogs } from './log/partition-logs.ts'

export interface LogUpkeepSettings {
  /** The recovery points are saved at most this often (`log.flush.offset.checkpoint.interval.ms`). Default: 5000. */
  readonly checkpointIntervalMs: number
  /** How often is looked for what retention lets go (`log.retention.check.interval.ms`). Default: 5 minutes. */
  readonly retentionCheckIntervalMs: number
  /** How often is looked for logs to compact (`log.cleaner.backoff.ms`). Default: 15 seconds. */
  readonly cleanerBackoffMs: number
  /** What the keys of one round of compaction may take (`log.cleaner.dedupe.buffer.size`); grown as needed. Default: 128 MiB. */
  readonly cleanerDedupeBufferBytes: number
}

export const defaultLogUpkeepSettings: LogUpkeepSettings = {
  checkpointIntervalMs: 5_000,
  retentionCheckIntervalMs: 300_000,
  cleanerBackoffMs: 15_000,
  cleanerDedupeBufferBytes: 134_217_728,
}

/** A log that could not be compacted, and is left alone until the next start. */
export interface CompactionFailure {
  readonly topic: string
  readonly partition: number
  readonly error: unknown
}

/** What goes on with the logs of a directory in the background: their checkpoints, retention and compaction. */
export class LogUpkeep {
  readonly recoveryPoints: CheckpointWriter
  readonly logStarts: CheckpointWriter
  readonly trimmer: LogTrimmer
  readonly cleaner: LogCleaner
  readonly #cleaned: CheckpointWriter
  readonly #directory: DataDirectory
  #onCompactionFailure: (failure: CompactionFailure) => void = () => {}

  constructor(directory: DataDirectory, logs: PartitionLogs, settings: LogUpkeepSettings, environment: Environment) {
    this.#directory = directory
    const { clock, disk, timers } = environment
    const writerOf = (checkpoint: Checkpoint, offsetOf: (log: PartitionLog) => number | undefined) =>
      new CheckpointWriter(
        () => directory.writeCheckpoint(checkpoint, logs.offsets(offsetOf)),
        timers,
        settings.checkpointIntervalMs,
      )
    this.recoveryPoints = writerOf('recoveryPoints', (log) => log.recoveryPoint)
    this.logStarts = writerOf('logStarts', (log) => log.logStartOffset)
    this.#cleaned = writerOf('cleaned', (log) => log.cleanedTo)
    const { status } = directory
    const writeStarts = () => this.logStarts.write()
    const intervalMs = settings.retentionCheckIntervalMs
    this.trimmer = new LogTrimmer({ logs, writeStarts, status, disk, clock, timers, intervalMs })
    this.cleaner = new LogCleaner({
      logs,
      writeRecoveryPoints: () => this.recoveryPoints.write(),
      writeCleaned: () => this.#cleaned.write(),
      clock,
      timers,
      backoffMs: settings.cleanerBackoffMs,
      maxKeyBytes: settings.cleanerDedupeBufferBytes,
      onFailure: ({ topic, partition }, error) => this.#onCompactionFailure({ topic, partition, error }),
    })
  }

  /**
   * Sees to it that nothing is told at the next start of deleted topics whose names are used anew: what was known of their logs
   * is not true of the new ones.
   * @throws MillraceError DISK_FULL, STORAGE_FAILED
   */
  async forgetCheckpoints(topics: { readonly has: (name: string) => boolean }): Promise<void> {
    const writers = { recoveryPoints: this.recoveryPoints, logStarts: this.logStarts, cleaned: this.#cleaned }
    for (const checkpoint of ['recoveryPoints', 'logStarts', 'cleaned'] as const) {
      await writers[checkpoint].idle()
      if (!this.#directory.hasCheckpointed(checkpoint, topics)) continue
      if (!(await writers[checkpoint].write())) throw diskFull(undefined, this.#directory.path)
    }
  }

  /**
   * Makes durable which logs were compacted, and up to where.
   * @throws MillraceError DISK_FULL, STORAGE_FAILED
   */
  async vouchForCleaned(): Promise<void> {
    if (!(await this.#cleaned.write())) throw diskFull(undefined, this.#directory.path)
  }

  /**
   * Removes the batch of a log that holds the offset, and all after it, as a follower does whose leader has something else
   * there. What is left is durable when the log is flushed after it.
   * @throws MillraceError DISK_FULL, after which nothing was removed; STORAGE_FAILED
   */
  async truncate(log: PartitionLog, offset: number): Promise<void> {
    // Nothing must be on its way that would raise the recovery point again.
    await log.flushed()
    log.lowerRecoveryPoint(log.endWithout(offset))
    // Where the log begins must be known too: nothing may be left of it.
    const isWritten = (await this.recoveryPoints.write()) && (await this.logStarts.write())
    if (!isWritten) throw diskFull(undefined, this.#directory.path)
    log.truncate(offset)
  }

  onCompactionFailure(listener: (failure: CompactionFailure) => void): void {
    this.#onCompactionFailure = listener
  }

  /** Begins when all logs are open; called again when there are new ones. */
  start(): void {
    this.recoveryPoints.start()
    this.trimmer.start()
    this.cleaner.start()
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    await this.cleaner.stop()
    await this.trimmer.stop()
    for (const writer of [this.recoveryPoints, this.logStarts, this.#cleaned]) await writer.stop()
  }
}
