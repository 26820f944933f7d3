import type { Cancel, Disk, Random, Timers } from '../env/environment.ts'
import type { DataDirectory } from './data-directory.ts'

export interface DeletedLogsOptions {
  readonly directory: DataDirectory
  readonly disk: Disk
  readonly random: Random
  readonly timers: Timers
}

/** What the names of directories end with that are no log any more and soon removed, as Kafka's. */
const deletedSuffix = '-delete'
const maxNameLength = 255
/** Sockets and timers have their turn after so many files. */
const filesPerSlice = 16

/**
 * The directories of deleted topics' logs. Each first gets a name that no log has, and the files go after a while, or at the
 * next start. Nobody uses the files any more by then.
 */
export class DeletedLogs {
  readonly #options: DeletedLogsOptions
  readonly #waiting = new Set<Cancel>()
  #removing: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: DeletedLogsOptions) {
    this.#options = options
  }

  /**
   * Gives the directories their new names, those that there are; resolves with these when that is durable.
   * @throws MillraceError STORAGE_FAILED
   */
  async retire(logs: readonly { readonly topic: string; readonly partition: number }[]): Promise<string[]> {
    const { directory, disk, random } = this.#options
    const retired: string[] = []
    try {
      for (const { topic, partition } of logs) {
        const path = directory.partitionPath(topic, partition)
        if (!disk.exists(path)) continue
        const suffix = `.${random.uuid().replaceAll('-', '')}${deletedSuffix}`
        const name = `${topic}-${partition}`.slice(0, maxNameLength - suffix.length) + suffix
        disk.rename(path, `${directory.path}/${name}`)
        retired.push(name)
      }
      if (retired.length > 0) await disk.syncDirectory(directory.path)
    } catch (error) {
      throw directory.status.goOffline('deleting a log', directory.path, error)
    }
    return retired
  }

  /** Removes retired directories after a while. */
  removeLater(names: readonly string[], delayMs: number): void {
    if (this.#isStopped || names.length === 0) return
    const remove = () => {
      this.#waiting.delete(cancel)
      // A failure has taken the directory offline, where everybody who comes next is told.
      this.#removing = this.#removing.then(() => this.#remove(names)).catch(() => {})
    }
    const cancel = this.#options.timers.after(delayMs, remove, { isBackground: true })
    this.#waiting.add(cancel)
  }

  /**
   * Removes what the last process left to be removed.
   * @throws MillraceError STORAGE_FAILED
   */
  async sweep(): Promise<void> {
    const { directory, disk } = this.#options
    let names: string[]
    try {
      names = disk.list(directory.path)
    } catch (error) {
      throw directory.status.unusable(error, 'listing the logs', directory.path)
    }
    await this.#remove(names.filter((name) => name.endsWith(deletedSuffix)))
  }

  /** Resolves when nothing of it is under way any more; what waits to be removed is left to the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#waiting) cancel()
    await this.#removing
  }

  async #remove(names: readonly string[]): Promise<void> {
    const { directory, disk, timers } = this.#options
    let removed = 0
    for (const name of names) {
      const path = `${directory.path}/${name}`
      directory.status.requireOnline()
      if (!disk.exists(path)) continue
      try {
        for (const file of disk.list(path)) {
          disk.remove(`${path}/${file}`)
          if (++removed % filesPerSlice === 0) await timers.nextTurn()
        }
        disk.remove(path)
      } catch (error) {
        throw directory.status.goOffline('removing a deleted log', path, error)
      }
    }
  }
}
