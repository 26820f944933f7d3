import { chunkBytes, type DiskSpace } from './disk-space.ts'

/** The first chunk starts this small and doubles, so that a thousand little files do not take a thousand chunks. */
const firstChunkBytes = 4096

/**
 * The bytes of an in-memory file, in chunks that never move, so that a file grows without being copied (but for its first
 * chunk while that is small). A chunk that is missing is a hole and reads as zeros. What a chunk holds beyond the file's
 * size is undefined: a file that grows past its end clears the gap.
 */
export class FileContent {
  #size = 0
  readonly #space: DiskSpace
  readonly #chunks: (Uint8Array | undefined)[] = []

  constructor(space: DiskSpace) {
    this.#space = space
  }

  get size(): number {
    return this.#size
  }

  /** Returns the bytes read: fewer than asked for only at the end of the file. */
  read(into: Uint8Array, position: number): number {
    const count = Math.min(into.length, this.#size - position)
    let done = 0
    while (done < count) {
      const index = Math.floor((position + done) / chunkBytes)
      const start = position + done - index * chunkBytes
      const wanted = Math.min(count - done, chunkBytes - start)
      const chunk = this.#chunks[index]
      const there = chunk === undefined ? 0 : Math.max(0, Math.min(wanted, chunk.length - start))
      if (there > 0) into.set(chunk!.subarray(start, start + there), done)
      if (there < wanted) into.fill(0, done + there, done + wanted)
      done += wanted
    }
    return done
  }

  /** Returns the bytes written: fewer than given where the disk is full. */
  write(bytes: Uint8Array, position: number): number {
    const end = Math.min(position + bytes.length, this.#endOfSpace())
    if (end <= position) return 0
    if (position > this.#size) this.#grow(position)
    const count = end - position
    let done = 0
    while (done < count) {
      const index = Math.floor((position + done) / chunkBytes)
      const start = position + done - index * chunkBytes
      const part = Math.min(count - done, chunkBytes - start)
      const chunk = this.#chunkFor(index, start + part)
      chunk.set(part === bytes.length ? bytes : bytes.subarray(done, done + part), start)
      done += part
    }
    if (end > this.#size) this.#resize(end)
    return count
  }

  /** Returns false, and changes nothing, where the disk is too full for it. */
  truncate(size: number): boolean {
    if (size > this.#endOfSpace()) return false
    if (size > this.#size) this.#grow(size)
    else this.#shrink(size)
    return true
  }

  #endOfSpace(): number {
    return this.#size + this.#space.freeBytes
  }

  #resize(size: number): void {
    this.#space.usedBytes += size - this.#size
    this.#size = size
  }

  #grow(size: number): void {
    const last = Math.min(this.#chunks.length, Math.ceil(size / chunkBytes))
    for (let index = Math.floor(this.#size / chunkBytes); index < last; index++) {
      const start = index * chunkBytes
      this.#chunks[index]?.fill(0, Math.max(0, this.#size - start), size - start)
    }
    this.#resize(size)
  }

  #shrink(size: number): void {
    const kept = Math.ceil(size / chunkBytes)
    for (let index = kept; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]
      if (chunk !== undefined) this.#space.giveBack(chunk)
    }
    if (this.#chunks.length > kept) this.#chunks.length = kept
    this.#resize(size)
  }

  /** The chunk to write into, which reaches to `end` at least. */
  #chunkFor(index: number, end: number): Uint8Array {
    const chunk = this.#chunks[index]
    if (chunk !== undefined && chunk.length >= end) return chunk
    const grown = index === 0 && end < chunkBytes ? this.#smallChunk(end) : this.#space.takeChunk()
    // Only what is below the size can be read; a hole there was zeros until now.
    const visible = Math.min(grown.length, this.#size - index * chunkBytes)
    if (visible > 0) grown.fill(0, 0, visible)
    if (chunk !== undefined) grown.set(chunk)
    while (this.#chunks.length < index) this.#chunks.push(undefined)
    this.#chunks[index] = grown
    return grown
  }

  #smallChunk(end: number): Uint8Array {
    let length = firstChunkBytes
    while (length < end) length *= 2
    return length < chunkBytes ? new Uint8Array(length) : this.#space.takeChunk()
  }
}
