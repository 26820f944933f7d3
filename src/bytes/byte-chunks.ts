import { copyBytes } from './copy-bytes.ts'

const chunkBytes = 16_384
/** What is larger has memory of its own. */
const largestShared = 2_048

/**
 * Keeps copies of short ranges of bytes, one after the other in chunks: a `Buffer` for each would take some hundred bytes more. A chunk
 * lives as long as anything that was put into it.
 */
export class ByteChunks {
  /** Where the copy that was made last is: `buffer[start..end)`. */
  buffer: Buffer = Buffer.alloc(0)
  start = 0
  end = 0

  put(source: Buffer, from: number, to: number): void {
    const size = to - from
    if (size > largestShared) {
      this.buffer = Buffer.allocUnsafeSlow(size)
      this.end = 0
    } else if (this.end + size > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(chunkBytes)
      this.end = 0
    }
    this.start = this.end
    this.end = copyBytes(source, from, to, this.buffer, this.start)
  }
}
