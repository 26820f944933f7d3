const smallestPooledBytes = 16 * 1024
const largestPooledBytes = 4 * 1024 * 1024

/**
 * Large buffers that are used again. A new one costs the kernel its pages and the collector a look at the whole heap for every
 * few dozen of them; of one that is used again only the copying is left. What is free is bounded: what is given back beyond
 * that is the collector's.
 */
export class BufferPool {
  readonly #mostFreeBytes: number
  /** Free ones by their size. */
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

  /** @param mostFreeBytes what the buffers that nobody uses may take in all */
  constructor(mostFreeBytes: number) {
    this.#mostFreeBytes = mostFreeBytes
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** A buffer of at least so many bytes, with whatever was in it, that shares its memory with no other. */
  take(bytes: number): Buffer {
    if (bytes < smallestPooledBytes || bytes > largestPooledBytes) return Buffer.allocUnsafeSlow(bytes)
    const size = sizeFor(bytes)
    const free = this.#free.get(size)?.pop()
    if (free === undefined) return Buffer.allocUnsafeSlow(size)
    this.#freeBytes -= size
    return free
  }

  /** Takes back a buffer that nobody looks into any more, given any part of it. One that is not of the pool is left alone. */
  give({ buffer }: Buffer): void {
    const size = buffer.byteLength
    if (size < smallestPooledBytes || size > largestPooledBytes || size !== sizeFor(size)) return
    if (this.#freeBytes + size > this.#mostFreeBytes) return
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [Buffer.from(buffer)])
    else free.push(Buffer.from(buffer))
    this.#freeBytes += size
  }
}

/** What is asked for differs a little from one time to the next: four sizes from one power of two to the next, so that at most a quarter is wasted. */
function sizeFor(bytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 2)
  return Math.ceil(bytes / step) * step
}
