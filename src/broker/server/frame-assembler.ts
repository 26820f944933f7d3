import type { BufferPool } from '../../bytes/buffer-pool.ts'
import { malformed } from '../protocol/malformed-message.ts'

const sizeBytes = 4
/** A frame's buffer begins at most this large, or with what has arrived, and grows with that: an announced length costs next to nothing. */
const firstBufferBytes = 16 * 1024
/** The key and the version of the API, with which every request begins. */
const headBytes = 4

export interface FrameAssemblerOptions {
  readonly maxFrameBytes: () => number
  readonly onFrame: (frame: Buffer) => void
  /** Told of the first bytes of a frame of so many before the others are waited for; may throw. */
  readonly onHead?: (head: Buffer, frameBytes: number) => void
  /** Told by how many bytes the buffer of the frame under way has grown, not counting what is beyond the frame. */
  readonly onGrowth?: (bytes: number) => void
  /** Where the buffers of frames come from; whoever is given a frame gives its buffer back. Default: new ones. */
  readonly buffers?: BufferPool
}

/**
 * Puts the frames of a connection together from what arrives of it: four bytes of size, then as many bytes. Each frame gets a
 * buffer of its own, because what is in it is kept until its request is answered.
 */
export class FrameAssembler {
  readonly #options: FrameAssemblerOptions
  readonly #size: Buffer = Buffer.alloc(sizeBytes)
  #sizeReceived = 0
  /** The frame under way; undefined between frames. */
  #frame: Buffer | undefined
  #frameBytes = 0
  #received = 0

  constructor(options: FrameAssemblerOptions) {
    this.#options = options
  }

  /** Whether a frame has begun to arrive. */
  get isInFrame(): boolean {
    return this.#frame !== undefined || this.#sizeReceived > 0
  }

  /** Bytes that have arrived of the frame under way. */
  get receivedBytes(): number {
    return this.#received
  }

  /** @throws MillraceError MALFORMED_MESSAGE where a size is negative or too large */
  take(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      at = this.#frame === undefined ? this.#takeSize(bytes, at) : this.#takeBody(bytes, at)
    }
  }

  #takeSize(bytes: Uint8Array, at: number): number {
    const count = Math.min(sizeBytes - this.#sizeReceived, bytes.length - at)
    this.#size.set(bytes.subarray(at, at + count), this.#sizeReceived)
    this.#sizeReceived += count
    if (this.#sizeReceived === sizeBytes) this.#beginFrame(this.#size.readInt32BE(0), bytes.length - at - count)
    return at + count
  }

  #beginFrame(size: number, arrived: number): void {
    const most = this.#options.maxFrameBytes()
    if (size <= 0 || size > most) throw malformed(`its size is ${size}, allowed are 1 to ${most} bytes`)
    this.#sizeReceived = 0
    this.#frameBytes = size
    this.#received = 0
    this.#frame = this.#newBuffer(Math.min(size, Math.max(firstBufferBytes, arrived)))
    this.#options.onGrowth?.(Math.min(this.#frame.length, size))
  }

  #takeBody(bytes: Uint8Array, at: number): number {
    const count = Math.min(this.#frameBytes - this.#received, bytes.length - at)
    const frame = this.#grown(this.#received + count)
    frame.set(bytes.subarray(at, at + count), this.#received)
    const hadHead = this.#received >= headBytes
    this.#received += count
    if (!hadHead && this.#received >= headBytes) this.#options.onHead?.(frame, this.#frameBytes)
    if (this.#received === this.#frameBytes) {
      this.#frame = undefined
      this.#received = 0
      this.#options.onFrame(frame.length === this.#frameBytes ? frame : frame.subarray(0, this.#frameBytes))
    }
    return at + count
  }

  #grown(needed: number): Buffer {
    const frame = this.#frame as Buffer
    if (needed <= frame.length) return frame
    const larger = this.#newBuffer(Math.min(this.#frameBytes, Math.max(needed, frame.length * 2)))
    frame.copy(larger, 0, 0, this.#received)
    this.#options.onGrowth?.(Math.min(larger.length, this.#frameBytes) - frame.length)
    this.#options.buffers?.give(frame)
    this.#frame = larger
    return larger
  }

  #newBuffer(bytes: number): Buffer {
    return this.#options.buffers?.take(bytes) ?? Buffer.allocUnsafeSlow(bytes)
  }
}
