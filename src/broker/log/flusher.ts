import type { DirectoryStatus } from './directory-status.ts'

/** What a flusher makes durable. */
export interface Flushable {
  /** Puts everything written until this call on the device. */
  sync(): Promise<void>
  /** Called after `sync` succeeded: what it covered is durable. */
  completeSync(): void
}

/**
 * Group fsync for one log directory. One flush is under way at a time; what is written meanwhile, to any partition, is
 * covered by the next one, and all who wait for a flush are answered together. A failed flush is never tried again:
 * the directory goes offline and every waiter is told.
 */
export class Flusher {
  readonly #status: DirectoryStatus
  readonly #unflushed = new Set<Flushable>()
  #waiting: PromiseWithResolvers<void> | undefined
  #isRunning = false
  readonly #onFlushed: () => void

  /** @param onFlushed called after each flush that succeeded */
  constructor(status: DirectoryStatus, onFlushed: () => void = () => {}) {
    this.#status = status
    this.#onFlushed = onFlushed
  }

  /** Resolves when everything written to the log so far is durable; rejects with STORAGE_FAILED where that failed. */
  flush(log: Flushable): Promise<void> {
    this.#unflushed.add(log)
    this.#waiting ??= waiters()
    if (!this.#isRunning) {
      this.#isRunning = true
      void this.#run()
    }
    return this.#waiting.promise
  }

  async #run(): Promise<void> {
    // The first flush of a run waits for the end of the current job, so that appends to several partitions in a row share it.
    await Promise.resolve()
    while (this.#unflushed.size > 0) {
      const logs = [...this.#unflushed]
      const waiting = this.#waiting
      this.#unflushed.clear()
      this.#waiting = undefined
      try {
        this.#status.requireOnline()
        await Promise.all(logs.map((log) => log.sync()))
      } catch (error) {
        this.#fail(waiting, error)
        break
      }
      for (const log of logs) log.completeSync()
      waiting?.resolve()
      this.#onFlushed()
    }
    this.#isRunning = false
  }

  #fail(waiting: PromiseWithResolvers<void> | undefined, error: unknown): void {
    const failure = this.#status.goOffline('flushing the log', this.#status.path, error)
    waiting?.reject(failure)
    this.#waiting?.reject(failure)
    this.#waiting = undefined
    this.#unflushed.clear()
  }
}

function waiters(): PromiseWithResolvers<void> {
  const waiting = Promise.withResolvers<void>()
  // A flush in the background has nobody who waits for it; its failure is in the directory's status.
  waiting.promise.catch(() => {})
  return waiting
}
