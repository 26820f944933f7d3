import type { Cancel, Timers } from '../env/environment.ts'
import type { DataDirectory } from './data-directory.ts'
import type { PartitionLogs } from './log/partition-logs.ts'

/**
 * Writes the logs' recovery points to the directory's checkpoint, at most once in an interval and only where something was
 * flushed since: what lies between the checkpoint and the end of a log is what the next start has to check.
 */
export class RecoveryPoints {
  readonly #directory: DataDirectory
  readonly #logs: PartitionLogs
  readonly #timers: Timers
  readonly #intervalMs: number
  #cancel: Cancel | undefined
  #writing: Promise<boolean> = Promise.resolve(false)
  #isActive = false

  constructor(directory: DataDirectory, logs: PartitionLogs, timers: Timers, intervalMs: number) {
    this.#directory = directory
    this.#logs = logs
    this.#timers = timers
    this.#intervalMs = intervalMs
  }

  /** Begins when all logs are open: a checkpoint that lacks one would make the next start distrust it. */
  start(): void {
    this.#isActive = true
  }

  /** Sees to it that they are written before long. */
  schedule(): void {
    if (!this.#isActive) return
    this.#cancel ??= this.#timers.after(this.#intervalMs, () => {
      this.#cancel = undefined
      // A failure has taken the directory offline, where everybody who comes next is told.
      this.write().catch(() => {})
    })
  }

  /** Resolves with whether they were written, which a full disk prevents. */
  write(): Promise<boolean> {
    // One file is written at a time; the later write has the later offsets.
    const write = (): Promise<boolean> => this.#write()
    this.#writing = this.#writing.then(write, write)
    return this.#writing
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#isActive = false
    this.#cancel?.()
    this.#cancel = undefined
    await this.#writing.catch(() => {})
  }

  #write(): Promise<boolean> {
    const entries = this.#logs.all().map((log) => {
      return { topic: log.topic, partition: log.partition, offset: log.recoveryPoint }
    })
    return this.#directory.writeRecoveryPoints(entries)
  }
}
