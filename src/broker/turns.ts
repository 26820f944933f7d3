/** Changes that must not overlap: one runs at a time, in the order in which they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#last.then(change)
    this.#last = changed.catch(() => {})
    return changed
  }

  /** Resolves when no change is under way any more. */
  async idle(): Promise<void> {
    await this.#last
  }
}
