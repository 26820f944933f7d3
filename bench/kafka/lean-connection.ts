import { FrameAssembler } from '../../src/broker/server/frame-assembler.ts'
import { BufferPool } from '../../src/bytes/buffer-pool.ts'
import type { Address, Connection, ConnectionHandler } from '../../src/env/environment.ts'
import { nodeEnvironment } from '../../src/env/node.ts'

/** What answers are put together in. */
const mostFreeBytes = 8 * 1024 * 1024

/** A connection of a client that does next to nothing: it sends bytes that were made before, and makes nothing for an answer. */
export class LeanConnection implements ConnectionHandler {
  #connection: Connection | undefined
  readonly #buffers = new BufferPool(mostFreeBytes)
  readonly #frames = new FrameAssembler({
    maxFrameBytes: () => 1 << 30,
    onFrame: (frame) => this.#answer(frame),
    buffers: this.#buffers,
  })
  readonly #ended = Promise.withResolvers<void>()
  #onAnswer: (answer: Buffer) => void = () => {}
  #fail: (error: unknown) => void = () => {}

  static async connect(address: Address): Promise<LeanConnection> {
    const lean = new LeanConnection()
    await lean.#open(address)
    return lean
  }

  /**
   * Sends as many requests as `next` gives, so many of them at a time. Answers come in the order of their requests; what they
   * are in is only valid during the call of `onAnswer`.
   */
  exchange(next: () => Buffer | undefined, inFlight: number, onAnswer: (answer: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let open = 0
      const sendNext = (): boolean => {
        const request = next()
        if (request === undefined) return false
        open++
        this.#connection?.writeAll([request])
        return true
      }
      this.#fail = reject
      this.#onAnswer = (answer) => {
        open--
        onAnswer(answer)
        if (!sendNext() && open === 0) resolve()
      }
      while (open < inFlight && sendNext());
      if (open === 0) resolve()
    })
  }

  onData(bytes: Uint8Array): void {
    try {
      this.#frames.take(bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  onClose(): void {
    this.#fail(new Error('the broker closed the connection'))
    this.#ended.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.end()
    await this.#ended.promise
  }

  async #open(address: Address): Promise<void> {
    this.#connection = await nodeEnvironment().network.connect(address, this)
  }

  #answer(frame: Buffer): void {
    this.#onAnswer(frame)
    this.#buffers.give(frame)
  }
}
