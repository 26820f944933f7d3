/**
 * Bytes that all connections together may hold. Nobody is refused, because what has arrived has to be put somewhere: but
 * who takes bytes when there are none left waits before it takes more, in turn with the others.
 */
export class ByteBudget {
  readonly #limit: number
  readonly #waiting = new Set<() => void>()
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get used(): number {
    return this.#used
  }

  get isOverdrawn(): boolean {
    return this.#used > this.#limit
  }

  take(bytes: number): void {
    this.#used += bytes
  }

  /** Gives bytes back; those who wait are called while there is room. */
  give(bytes: number): void {
    this.#used -= bytes
    for (const run of this.#waiting) {
      if (this.isOverdrawn) return
      this.#waiting.delete(run)
      run()
    }
  }

  /** Calls back when there is room again, unless it is taken back before. */
  whenRoom(run: () => void): () => void {
    this.#waiting.add(run)
    return () => this.#waiting.delete(run)
  }
}
