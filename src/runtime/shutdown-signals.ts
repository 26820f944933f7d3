import type { Cancel, Host, Signal } from '../env/environment.ts'
import type { Application } from './application.ts'

/** The exit code of a process that a signal ended: 128 and the signal's number. */
const exitCodes: Record<Signal, number> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/**
 * The first signal drains, commits and closes, so that the process ends by itself with code 0; the second ends it at once. They
 * are listened to from the start on: the default of the first of them is gone as soon as another application of the process listens.
 */
export class ShutdownSignals {
  readonly #cancel: Cancel
  #count = 0
  #application: Application | undefined

  constructor(signals: readonly Signal[], host: Host) {
    if (signals.length === 0) this.#cancel = () => {}
    else this.#cancel = host.onSignal(signals, (signal) => this.#receive(signal, host))
  }

  /** Whether one came. */
  get isAsked(): boolean {
    return this.#count > 0
  }

  /** What to close from now on; at once where a signal came while it started. */
  close(application: Application): void {
    this.#application = application
    application.ended.then(this.#cancel, this.#cancel)
    if (this.isAsked) this.#close()
  }

  /** Listens no more. */
  ignore(): void {
    this.#cancel()
  }

  #receive(signal: Signal, host: Host): void {
    this.#count++
    if (this.#count > 1) host.exit(exitCodes[signal])
    else this.#close()
  }

  #close(): void {
    // Its failure is told by `closed`, or as an unhandled rejection where nobody waits for that.
    this.#application?.close().catch(() => {})
  }
}
