import { copyBytes } from '../bytes/copy-bytes.ts'

/** The first chunk is small, because most stores are; each further one is larger, up to the last of these. */
const chunkBytes = [4_096, 65_536, 1_048_576]
/** A value at least this large has a chunk of its own. */
const ownChunkBytes = 262_144
const initialIds = 512
const absent = -1

/**
 * Values of bytes by dense ids, back to back in a few large buffers, so that none is an object of its own. A value that is
 * replaced by one of about its size stays where it is; what else is given up is only counted, and when it is more than
 * what is used, all values are moved together.
 */
export class ValueSlab {
  #chunks: Buffer[] = []
  /** Where the next value goes in the last chunk. */
  #end = 0
  /** By id: the chunk, where in it the value begins, and its length; `absent` where there is none. */
  #chunkOf = new Uint32Array(initialIds)
  #startOf = new Uint32Array(initialIds)
  #lengths = new Int32Array(initialIds).fill(absent)
  #usedBytes = 0
  #unusedBytes = 0

  has(id: number): boolean {
    return id < this.#lengths.length && this.#lengths[id] !== absent
  }

  /** The value, as it lies there: changed by the next `set` or `delete`. */
  get(id: number): Buffer | undefined {
    if (!this.has(id)) return undefined
    const start = this.#startOf[id]
    return this.#chunks[this.#chunkOf[id]].subarray(start, start + this.#lengths[id])
  }

  /** Copies the value in `bytes[start..end)`. */
  set(id: number, bytes: Buffer, start: number, end: number): void {
    if (id >= this.#lengths.length) this.reserve(Math.max(id + 1, this.#lengths.length * 2))
    const before = this.#lengths[id]
    const size = roomFor(end - start)
    if (before === absent || roomFor(before) !== size) {
      if (before !== absent) this.#giveUp(before)
      this.#place(id, size)
    }
    this.#lengths[id] = end - start
    copyBytes(bytes, start, end, this.#chunks[this.#chunkOf[id]], this.#startOf[id])
    if (this.#unusedBytes > this.#usedBytes + ownChunkBytes) this.#moveTogether()
  }

  delete(id: number): void {
    this.#giveUp(this.#lengths[id])
    this.#lengths[id] = absent
  }

  /** Makes room for the ids below `count`. */
  reserve(count: number): void {
    if (count <= this.#lengths.length) return
    const lengths = new Int32Array(count).fill(absent)
    lengths.set(this.#lengths)
    this.#lengths = lengths
    this.#chunkOf = grown(this.#chunkOf, count)
    this.#startOf = grown(this.#startOf, count)
  }

  /** How many bytes the chunks take. */
  get byteLength(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  #giveUp(length: number): void {
    this.#usedBytes -= roomFor(length)
    this.#unusedBytes += roomFor(length)
  }

  #place(id: number, size: number): void {
    const last = this.#chunks.at(-1)
    if (last === undefined || this.#end + size > last.length) this.#addChunk(size)
    this.#chunkOf[id] = this.#chunks.length - 1
    this.#startOf[id] = this.#end
    this.#end += size
    this.#usedBytes += size
  }

  #addChunk(size: number): void {
    this.#unusedBytes += (this.#chunks.at(-1)?.length ?? 0) - this.#end
    const usual = chunkBytes[Math.min(this.#chunks.length, chunkBytes.length - 1)]
    this.#chunks.push(Buffer.allocUnsafeSlow(size >= ownChunkBytes ? size : Math.max(usual, size)))
    this.#end = 0
  }

  #moveTogether(): void {
    const chunks = this.#chunks
    this.#chunks = []
    this.#end = 0
    this.#usedBytes = 0
    this.#unusedBytes = 0
    for (let id = 0; id < this.#lengths.length; id++) {
      const length = this.#lengths[id]
      if (length === absent) continue
      const from = chunks[this.#chunkOf[id]]
      const start = this.#startOf[id]
      this.#place(id, roomFor(length))
      from.copy(this.#chunks[this.#chunkOf[id]], this.#startOf[id], start, start + length)
    }
  }
}

/** In steps, so that a number that gets another digit mostly stays where it is. */
function roomFor(length: number): number {
  return (length + 7) & ~7
}

function grown(from: Uint32Array, count: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(count)
  to.set(from)
  return to
}
