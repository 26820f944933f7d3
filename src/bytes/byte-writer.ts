import { copyBytes } from './copy-bytes.ts'
import { writeInt64 } from './int64.ts'

/** Up to this many characters a loop beats the call into native code, about 35 ns whatever the length. */
const longestLoopedText = 12

/**
 * A buffer that grows: bytes are written one after the other and read back as one range. One writer is made once and
 * used for many records (`clear`), so that writing a record allocates nothing.
 */
export class ByteWriter {
  buffer: Buffer
  /** Bytes written so far; `buffer[0..length)` is what there is. */
  length = 0

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
  }

  clear(): void {
    this.length = 0
  }

  /** Makes room for `size` more bytes and returns the position where they begin; the caller fills them. */
  reserve(size: number): number {
    const start = this.length
    const end = start + size
    if (end > this.buffer.length) this.#grow(end)
    this.length = end
    return start
  }

  writeUtf8(text: string): void {
    // Three bytes for each UTF-16 unit is the most that UTF-8 can take.
    const most = text.length * 3
    const start = this.reserve(most)
    const asciiEnd = text.length > longestLoopedText ? start : writeAscii(text, this.buffer, start)
    if (asciiEnd - start === text.length) this.length = asciiEnd
    else this.length = start + this.buffer.write(text, start, most, 'utf8')
  }

  writeBytes(bytes: Uint8Array): void {
    const start = this.reserve(bytes.length)
    this.buffer.set(bytes, start)
  }

  /** Copies a range of another buffer. */
  writeRange(source: Buffer, from: number, to: number): void {
    const start = this.reserve(to - from)
    copyBytes(source, from, to, this.buffer, start)
  }

  writeInt8(value: number): void {
    const start = this.reserve(1)
    this.buffer[start] = value
  }

  writeInt16(value: number): void {
    const start = this.reserve(2)
    this.buffer.writeInt16BE(value, start)
  }

  writeInt32(value: number): void {
    const start = this.reserve(4)
    this.buffer.writeInt32BE(value, start)
  }

  /** Writes an integer of at most 2^53 - 1 as eight bytes. */
  writeInt64(value: number): void {
    const start = this.reserve(8)
    writeInt64(this.buffer, start, value)
  }

  writeFloat64(value: number): void {
    const start = this.reserve(8)
    this.buffer.writeDoubleBE(value, start)
  }

  /** A copy of what was written, owned by the caller. */
  toBuffer(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length))
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}

/** Writes characters up to the first that is not ASCII; returns the position after them. */
function writeAscii(text: string, bytes: Buffer, at: number): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return at + index
    bytes[at + index] = code
  }
  return at + text.length
}
