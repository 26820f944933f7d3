import type { BufferPool } from './buffer-pool.ts'

/** The buffers of a pool that one piece of work has taken, to be given back all at once when it is done. */
export class BufferLoan {
  readonly #pool: BufferPool
  #taken: Buffer[] | undefined

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  /** A buffer of at least so many bytes, with whatever was in it. */
  take(bytes: number): Buffer {
    const buffer = this.#pool.take(bytes)
    if (this.#taken === undefined) this.#taken = [buffer]
    else this.#taken.push(buffer)
    return buffer
  }

  /** Nobody may look into what was taken any more. */
  giveBack(): void {
    for (const buffer of this.#taken ?? []) this.#pool.give(buffer)
    this.#taken = undefined
  }
}
