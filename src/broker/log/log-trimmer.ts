import type { Cancel, Clock, Disk, Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { diskFull, isDiskFull } from '../disk-error.ts'
import type { DirectoryStatus } from './directory-status.ts'
import type { PartitionLog } from './partition-log.ts'
import { isRetentionLimited, retainedFrom } from './retention.ts'

export interface LogTrimmerOptions {
  readonly logs: { all(): readonly PartitionLog[] }
  /** Writes where the logs begin; resolves with whether it did, which a full disk prevents. */
  readonly writeStarts: () => Promise<boolean>
  readonly status: DirectoryStatus
  readonly disk: Disk
  readonly clock: Clock
  readonly timers: Timers
  /** Between two looks at what retention lets go. */
  readonly intervalMs: number
}

/** Files of a log that are no longer part of it. They go with it where it is deleted: their names may then be another's. */
interface RetiredFiles {
  readonly log: PartitionLog
  readonly paths: readonly string[]
  readonly delayMs: number
}

/** A look at the logs gives way to sockets and timers after this many. */
const logsPerSlice = 100

/**
 * Deletes the starts of logs: what retention lets go, and what somebody asked to be deleted.
 *
 * First readers are kept out, then the files get names that say that they are to be removed, then the new start is written to
 * the directory's checkpoint, and only then the files are removed, after a while. So a start after a crash at any point
 * knows that what is missing was deleted, not lost.
 */
export class LogTrimmer {
  readonly #options: LogTrimmerOptions
  /** Files to be removed when the checkpoint says where their logs begin, and how long after. */
  #unvouched: RetiredFiles[] = []
  readonly #removals = new Set<Cancel>()
  #cancel: Cancel | undefined
  #trimming: Promise<void> = Promise.resolve()
  /** How often the start of a log was raised, and how often it had been when the checkpoint was last written. */
  #raises = 0
  #writtenRaises = 0
  #isStopped = false

  constructor(options: LogTrimmerOptions) {
    this.#options = options
  }

  /** Looks at the logs from time to time from now on, if one has a retention. */
  start(): void {
    if (this.#isStopped || this.#cancel !== undefined) return
    if (!this.#options.logs.all().some(isRetentionLimited)) return
    this.#cancel = this.#options.timers.after(this.#options.intervalMs, () => this.#look(), { isBackground: true })
  }

  /**
   * Deletes the records below an offset of each log, which is not above its high watermark: of all logs or none. Resolves when
   * that is durable, with where the logs begin now.
   * @throws MillraceError OFFSET_OUT_OF_RANGE, DISK_FULL, STORAGE_FAILED
   */
  async deleteRecords(targets: readonly { readonly log: PartitionLog; readonly offset: number }[]): Promise<number[]> {
    this.#options.status.requireOnline()
    for (const { log, offset } of targets) log.requireDeletable(offset)
    for (const { log } of targets) log.requireExisting()
    const raised = targets.filter(({ log, offset }) => this.#raise(log, offset))
    // Also where somebody else has deleted that much before, and it is not durable yet.
    if (this.#writtenRaises < this.#raises && !(await this.#settle(raised.map(({ log }) => log)))) {
      throw diskFull(undefined, this.#options.status.path)
    }
    return targets.map(({ log }) => log.logStartOffset)
  }

  /** Deletes what retention lets go now. */
  async trim(): Promise<void> {
    const trimmed: PartitionLog[] = []
    const nowMs = this.#options.clock.wallMs()
    let looked = 0
    for (const log of this.#options.logs.all()) {
      this.#options.status.requireOnline()
      if (++looked % logsPerSlice === 0) await this.#options.timers.nextTurn()
      if (this.#isStopped) return
      if (log.isDeleted) continue
      const start = retainedFrom(log, nowMs)
      if (start === log.logEndOffset && start > log.logStartOffset) log.roll()
      if (this.#raise(log, start) || log.hasRetiredSegments) trimmed.push(log)
    }
    if (trimmed.length > 0 || this.#unvouched.length > 0) await this.#settle(trimmed)
  }

  /** Resolves when nothing of it is under way any more; files that wait to be removed are left to the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    for (const cancel of this.#removals) cancel()
    await this.#trimming
  }

  #look(): void {
    this.#cancel = undefined
    // A failure has taken the directory offline, where everybody who comes next is told; a full disk is tried again.
    this.#trimming = this.trim()
      .catch(() => {})
      .then(() => this.start())
  }

  #raise(log: PartitionLog, offset: number): boolean {
    const isRaised = log.raiseLogStart(offset)
    if (isRaised) this.#raises++
    return isRaised
  }

  /** Takes segments out and removes their files once the logs' starts are durable; false where the disk is too full for that. */
  async #settle(logs: readonly PartitionLog[]): Promise<boolean> {
    for (const log of logs) {
      const paths = log.retireSegments()
      if (paths.length > 0) this.#unvouched.push({ log, paths, delayMs: log.settings.fileDeleteDelayMs })
    }
    const vouchedFor = this.#unvouched
    const raises = this.#raises
    this.#unvouched = []
    let isWritten = await this.#options.writeStarts()
    if (!isWritten && vouchedFor.length > 0 && (await this.#syncNames(vouchedFor.flatMap(({ paths }) => paths)))) {
      // Their bytes are not needed any more, only their names.
      for (const files of vouchedFor) this.#empty(files)
      isWritten = await this.#options.writeStarts()
    }
    if (isWritten) this.#writtenRaises = Math.max(this.#writtenRaises, raises)
    if (!isWritten) this.#unvouched.push(...vouchedFor)
    else for (const files of vouchedFor) this.#removeLater(files)
    return isWritten
  }

  #removeLater({ log, paths, delayMs }: RetiredFiles): void {
    if (this.#isStopped) return
    const remove = () => {
      this.#removals.delete(cancel)
      if (log.isDeleted) return
      for (const path of paths) this.#attempt('removing a deleted segment', path, () => this.#options.disk.remove(path))
    }
    const cancel = this.#options.timers.after(delayMs, remove, { isBackground: true })
    this.#removals.add(cancel)
  }

  /**
   * Puts the names of deleted files on the device: a file that a crash gave its old name back after it was emptied would be taken
   * for a torn end of the log, with all that follows it. False where the disk is too full for that.
   */
  async #syncNames(paths: readonly string[]): Promise<boolean> {
    const { disk, status } = this.#options
    for (const directory of new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))) {
      // The topic may be deleted by now, with its directory.
      if (!disk.exists(directory)) continue
      try {
        await disk.syncDirectory(directory)
      } catch (error) {
        if (isDiskFull(error)) return false
        throw status.goOffline('syncing the directory of a log', directory, error)
      }
    }
    return true
  }

  #empty({ log, paths }: RetiredFiles): void {
    if (log.isDeleted) return
    for (const path of paths) {
      this.#attempt('emptying a deleted segment', path, () => {
        const file = this.#options.disk.open(path)
        try {
          file.truncate(0)
        } finally {
          file.close()
        }
      })
    }
  }

  #attempt(doing: string, path: string, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof MillraceError)) this.#options.status.goOffline(doing, path, error)
    }
  }
}
