import { MillraceError, messageOf } from '../../errors.ts'
import { fileUnusable, systemCodeOf } from '../disk-error.ts'

/**
 * Whether a log directory can still be trusted. After a failed write or fsync the kernel may have dropped the very pages
 * that a retry would report as safe, so the first failure turns the directory off until the process is started again.
 */
export class DirectoryStatus {
  readonly path: string
  #failure: MillraceError | undefined
  readonly #listeners = new Set<(failure: MillraceError) => void>()

  constructor(path: string) {
    this.path = path
  }

  get failure(): MillraceError | undefined {
    return this.#failure
  }

  /** @throws MillraceError STORAGE_FAILED once the directory is offline. */
  requireOnline(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Turns the directory off; the first failure is the one that everybody is told. Returns it, to be thrown. */
  goOffline(doing: string, path: string, cause: unknown): MillraceError {
    if (this.#failure !== undefined) return this.#failure
    const what = `The disk failed while ${doing}: ${messageOf(cause)}; the log directory ${this.path} is offline`
    this.#failure = new MillraceError('STORAGE_FAILED', what, {
      at: { path },
      remedy: 'Check the disk, then start the process again: what was acknowledged is recovered from the log.',
      cause,
    })
    for (const listener of this.#listeners) listener(this.#failure)
    return this.#failure
  }

  /** The error for a file that could not be opened or made: a failure of the disk itself turns the directory off here too. */
  unusable(error: unknown, doing: string, path: string): MillraceError {
    return systemCodeOf(error) === 'EIO' ? this.goOffline(doing, path, error) : fileUnusable(error, doing, path)
  }

  onOffline(listener: (failure: MillraceError) => void): void {
    this.#listeners.add(listener)
  }
}
