/** The bytes that updates in an application's record caches may take together. */
export class CacheBound {
  /** 0: no update waits. */
  readonly maxBytes: number
  usedBytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get isExceeded(): boolean {
    return this.usedBytes > this.maxBytes
  }
}

/** Kafka Streams' default of `statestore.cache.max.bytes`. */
export const defaultCacheBytes: number = 10 * 1024 * 1024
