import type { Cancel, Clock, Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { type CleanableRange, cleanableRange } from './cleanable-range.ts'
import { LogCompaction } from './log-compaction.ts'
import { isCompacted } from './log-settings.ts'
import type { PartitionLog } from './partition-log.ts'

export interface LogCleanerOptions {
  readonly logs: { all(): readonly PartitionLog[] }
  /**
   * Writes up to where the logs are on the device; resolves with whether it did. Beyond that a start takes a gap for the end
   * of what was written, so that it comes before every compaction.
   */
  readonly writeRecoveryPoints: () => Promise<boolean>
  /** Writes up to where the logs are compacted; resolves with whether it did, which a full disk prevents. */
  readonly writeCleaned: () => Promise<boolean>
  readonly clock: Clock
  readonly timers: Timers
  /** Between two looks at the logs when there was nothing to do. */
  readonly backoffMs: number
  readonly maxKeyBytes: number
  /** Told why a log could not be compacted: it is left alone until the next start. */
  readonly onFailure: (log: PartitionLog, error: unknown) => void
}

/** Compacts logs in the background, one at a time, the dirtiest first. */
export class LogCleaner {
  readonly #options: LogCleanerOptions
  readonly #uncleanable = new Set<PartitionLog>()
  #cancel: Cancel | undefined
  /** The logs that are being compacted, with the end of that. */
  readonly #running = new Map<PartitionLog, Promise<boolean>>()
  /** The last that was begun, or waits for the one before it. */
  #cleaning: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: LogCleanerOptions) {
    this.#options = options
  }

  /** Looks at the logs from time to time from now on, if one is compacted. */
  start(): void {
    if (this.#isStopped || this.#cancel !== undefined) return
    if (!this.#options.logs.all().some((log) => isCompacted(log.settings))) return
    this.#cancel = this.#options.timers.after(this.#options.backoffMs, () => this.#look(), { isBackground: true })
  }

  /** Compacts everything for which it is time, when what is under way is done; ends early where the disk is full. */
  clean(): Promise<void> {
    const cleaned = this.#cleaning.then(() => this.#clean())
    this.#cleaning = cleaned.catch(() => {})
    return cleaned
  }

  /** Resolves when nothing is done with a log that was deleted any more. */
  async leave(log: PartitionLog): Promise<void> {
    await this.#running.get(log)
    this.#uncleanable.delete(log)
  }

  /** Resolves when nothing of it is under way any more; what was half done is taken back. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#cleaning
  }

  #look(): void {
    const again = (): void => {
      this.#cancel = undefined
      this.start()
    }
    // A failure has taken the directory offline, where everybody who comes next is told.
    this.clean().then(again, again)
  }

  async #clean(): Promise<void> {
    for (let next = this.#dirtiest(); next !== undefined && !this.#isStopped; next = this.#dirtiest()) {
      const { log, range } = next
      const ended = this.#compact(log, range).finally(() => this.#running.delete(log))
      this.#running.set(log, ended)
      if (!(await ended)) return
    }
  }

  #dirtiest(): { log: PartitionLog; range: CleanableRange } | undefined {
    const nowMs = this.#options.clock.wallMs()
    let dirtiest: { log: PartitionLog; range: CleanableRange } | undefined
    for (const log of this.#options.logs.all()) {
      if (log.isDeleted || !isCompacted(log.settings) || log.damage.length > 0 || this.#uncleanable.has(log)) continue
      const range = cleanableRange(log, log.cleanedTo, nowMs)
      if (!range.isDue) continue
      if (dirtiest === undefined || range.dirtyRatio > dirtiest.range.dirtyRatio) dirtiest = { log, range }
    }
    return dirtiest
  }

  /** Whether to go on with other logs. */
  async #compact(log: PartitionLog, range: CleanableRange): Promise<boolean> {
    const { clock, timers, maxKeyBytes } = this.#options
    const isStopped = () => this.#isStopped
    log.isBeingCompacted = true
    try {
      if (!(await this.#options.writeRecoveryPoints())) return false
      log.cleanedTo = await new LogCompaction(log, range, { clock, timers, maxKeyBytes, isStopped }).run()
      await this.#options.writeCleaned()
      return !this.#isStopped
    } catch (error) {
      if (this.#isStopped || log.context.status.failure !== undefined) return false
      if (log.isDeleted) return true
      if (error instanceof MillraceError && error.code === 'DISK_FULL') return false
      this.#uncleanable.add(log)
      this.#options.onFailure(log, error)
      return true
    } finally {
      log.isBeingCompacted = false
    }
  }
}
