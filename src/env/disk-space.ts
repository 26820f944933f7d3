export const chunkBytes: number = 1024 * 1024

/** 64 MiB: a removed log segment or two, for the next one to grow into. */
const keptChunks = 64

/**
 * What an in-memory disk has to give: bytes up to its capacity, in chunks. Chunks given back are handed out again, dirty,
 * because touching new memory costs several times as much as copying into memory already in use.
 */
export class DiskSpace {
  capacityBytes: number
  /** The sum of the sizes of all files, holes included. */
  usedBytes = 0
  readonly #chunks: Uint8Array[] = []

  constructor(capacityBytes: number = Number.POSITIVE_INFINITY) {
    this.capacityBytes = capacityBytes
  }

  get freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes)
  }

  /** A whole chunk, with anything in it. */
  takeChunk(): Uint8Array {
    return this.#chunks.pop() ?? new Uint8Array(chunkBytes)
  }

  giveBack(chunk: Uint8Array): void {
    if (chunk.length === chunkBytes && this.#chunks.length < keptChunks) this.#chunks.push(chunk)
  }
}
