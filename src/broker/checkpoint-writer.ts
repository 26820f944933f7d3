import type { Cancel, Timers } from '../env/environment.ts'

/** Writes a checkpoint of the data directory: one write at a time, and where it is not asked for at once, at most one in an interval. */
export class CheckpointWriter {
  readonly #write: () => Promise<boolean>
  readonly #timers: Timers
  readonly #intervalMs: number
  #cancel: Cancel | undefined
  #writing: Promise<boolean> = Promise.resolve(false)
  #isActive = false

  /** @param write puts the present offsets of all logs into the checkpoint; resolves with whether it did, which a full disk prevents */
  constructor(write: () => Promise<boolean>, timers: Timers, intervalMs: number) {
    this.#write = write
    this.#timers = timers
    this.#intervalMs = intervalMs
  }

  /** Begins when all logs are open: a checkpoint that lacks one would make the next start distrust it. */
  start(): void {
    this.#isActive = true
  }

  /** Sees to it that it is written before long. */
  schedule(): void {
    if (!this.#isActive) return
    const write = () => {
      this.#cancel = undefined
      // A failure has taken the directory offline, where everybody who comes next is told.
      this.write().catch(() => {})
    }
    // What it saves is time of the next start: no reason to keep a process that has nothing else to do.
    this.#cancel ??= this.#timers.after(this.#intervalMs, write, { isBackground: true })
  }

  /** Resolves with whether it was written, which a full disk prevents. */
  write(): Promise<boolean> {
    // One file is written at a time; the later write has the later offsets.
    this.#writing = this.#writing.then(this.#write, this.#write)
    return this.#writing
  }

  /** Resolves when the writes that were asked for are over. */
  async idle(): Promise<void> {
    await this.#writing.catch(() => {})
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#isActive = false
    this.#cancel?.()
    this.#cancel = undefined
    await this.idle()
  }
}
