import { malformed } from '../protocol/malformed-message.ts'

const sizeBytes = 4
/** A frame's buffer begins at most this large, and grows with what arrives: an announced length costs next to nothing. */
const firstBufferBytes = 16 * 1024
/** The key and the version of the API, with which every request begins. */
const headBytes = 4

export interface FrameAssemblerOptions {
  readonly maxFrameBytes: () => number
  readonly onFrame: (frame: Buffer) => void
  /** Told of the first bytes of a frame of so many before the others are waited for; may throw. */
  readonly onHead?: (head: Buffer, frameBytes: number) => void
  /** Told by how many bytes the buffer of the frame under way has grown. */
  readonly onGrowth?: (bytes: number) => void
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
    if (this.#sizeReceived === sizeBytes) this.#beginFrame(this.#size.readInt32BE(0))
    return at + count
  }

  #beginFrame(size: number): void {
    const most = this.#options.maxFrameBytes()
    if (size <= 0 || size > most) throw malformed(`its size is ${size}, allowed are 1 to ${most} bytes`)
    this.#sizeReceived = 0
    this.#frameBytes = size
    this.#received = 0
    this.#frame = Buffer.allocUnsafeSlow(Math.min(size, firstBufferBytes))
    this.#options.onGrowth?.(this.#frame.length)
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
      this.#options.onFrame(frame)
    }
    return at + count
  }

  #grown(needed: number): Buffer {
    const frame = this.#frame as Buffer
    if (needed <= frame.length) return frame
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#frameBytes, Math.max(needed, frame.length * 2)))
    frame.copy(larger, 0, 0, this.#received)
    this.#options.onGrowth?.(larger.length - frame.length)
    this.#frame = larger
    return larger
  }
}
