/** What a client may take at once after it took nothing for so long: Kafka's window of ten samples of a second. */
const windowSeconds = 10

/**
 * How much of a quota is left: it fills up at the quota's rate to a window's worth. Who takes more than there is has to wait
 * until it is filled up to nothing again.
 */
export class QuotaBucket {
  #limit: number
  #left: number
  #atMs: number

  /** @param limit units a second */
  constructor(limit: number, nowMs: number) {
    this.#limit = limit
    this.#left = limit * windowSeconds
    this.#atMs = nowMs
  }

  /** Takes units; returns after how many milliseconds more may be taken. */
  take(units: number, limit: number, nowMs: number): number {
    this.#left = Math.min(this.#left + (this.#limit * (nowMs - this.#atMs)) / 1_000, limit * windowSeconds)
    this.#limit = limit
    this.#atMs = nowMs
    this.#left -= units
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left / limit) * 1_000)
  }
}
