/** Kafka's size of a block (KIP-730): a restart gives up the rest of one. */
const blockSize = 1_000

/**
 * Gives out producer ids, each once in the life of the log. They are set aside in blocks, durably, so that only one in a
 * thousand waits for the disk.
 */
export class ProducerIds {
  readonly #reserve: (count: number) => Promise<number>
  #next = 0
  #blockEnd = 0
  #reserving: Promise<void> | undefined

  /** @param reserve sets ids aside and resolves with the first of them */
  constructor(reserve: (count: number) => Promise<number>) {
    this.#reserve = reserve
  }

  /** @throws MillraceError DISK_FULL, STORAGE_FAILED */
  async allocate(): Promise<number> {
    while (this.#next === this.#blockEnd) {
      this.#reserving ??= this.#nextBlock()
      await this.#reserving
    }
    return this.#next++
  }

  async #nextBlock(): Promise<void> {
    try {
      this.#next = await this.#reserve(blockSize)
      this.#blockEnd = this.#next + blockSize
    } finally {
      this.#reserving = undefined
    }
  }
}
