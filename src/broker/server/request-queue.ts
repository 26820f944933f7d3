import type { BufferPool } from '../../bytes/buffer-pool.ts'
import type { Connection } from '../../env/environment.ts'
import { produce } from '../protocol/messages/produce.ts'
import type { ByteBudget } from './byte-budget.ts'
import { FrameAssembler } from './frame-assembler.ts'
import type { ServerLimits } from './server-limits.ts'

/** Who holds no more than this never waits for others: small requests go on whatever large ones do. */
const freeBytes = 16_384

export interface RequestQueueOptions {
  readonly connection: Pick<Connection, 'pause' | 'resume'>
  readonly limits: ServerLimits
  /** What requests of all connections take. */
  readonly budget: ByteBudget
  /** Where requests are put together. */
  readonly buffers: BufferPool
  readonly maxRequestBytes: () => number
  /** Told of the first bytes of a request before the others are waited for; may throw. */
  readonly onHead: (head: Buffer, requestBytes: number) => void
}

/**
 * The requests of a connection, from their first byte until they are answered. What they take is bounded: who sends more
 * than the broker keeps up with is not read from for a while.
 */
export class RequestQueue {
  readonly #options: RequestQueueOptions
  readonly #assembler: FrameAssembler
  readonly #waiting: Buffer[] = []
  #waitingBytes = 0
  /** Bytes of this connection in the budget: those that wait, are under way, or arrive. */
  #takenBytes = 0
  /** When the request that arrives has begun to. */
  #arrivingSinceMs: number | undefined
  #stopWaiting: (() => void) | undefined
  #isPaused = false

  constructor(options: RequestQueueOptions) {
    this.#options = options
    this.#assembler = new FrameAssembler({
      maxFrameBytes: options.maxRequestBytes,
      onHead: options.onHead,
      onFrame: (frame) => this.#enqueue(frame),
      onGrowth: (bytes) => this.#take(bytes),
      buffers: options.buffers,
    })
  }

  /** The next request that may be started; undefined where there is none. */
  get next(): Buffer | undefined {
    return this.#waiting[0]
  }

  /** @throws MillraceError MALFORMED_MESSAGE, and what `onHead` throws */
  receive(bytes: Uint8Array, nowMs: number): void {
    const before = this.#waiting.length
    this.#assembler.take(bytes)
    if (!this.#assembler.isInFrame) this.#arrivingSinceMs = undefined
    else if (this.#arrivingSinceMs === undefined || this.#waiting.length > before) this.#arrivingSinceMs = nowMs
    this.#readOrWait()
  }

  /** Takes the next request out to be answered. */
  shift(): void {
    this.#waitingBytes -= this.#waiting.shift()?.length ?? 0
    this.#readOrWait()
  }

  /** A request was answered. Only of an append it is sure that nobody has kept any of its bytes. */
  release(request: Buffer): void {
    if (isAppend(request)) this.#options.buffers.give(request)
    this.#give(request.length)
  }

  /** Whether a request takes longer to arrive, or to have its turn, than is waited for. */
  isOverdue(nowMs: number): boolean {
    const { maxArrivalMs, minRequestRate } = this.#options.limits
    if (this.#arrivingSinceMs === undefined) return false
    // While nothing is read because requests of its own wait, the client is not the one that is slow.
    if (this.#isPaused && this.#stopWaiting === undefined) this.#arrivingSinceMs = nowMs
    const allowedMs = maxArrivalMs + (this.#assembler.receivedBytes / minRequestRate) * 1_000
    return nowMs - this.#arrivingSinceMs > allowedMs
  }

  /** Gives back what all requests take. */
  clear(): void {
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#give(this.#takenBytes)
  }

  #enqueue(frame: Buffer): void {
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
  }

  #take(bytes: number): void {
    this.#takenBytes += bytes
    this.#options.budget.take(bytes)
  }

  #give(bytes: number): void {
    const given = Math.min(bytes, this.#takenBytes)
    this.#takenBytes -= given
    if (given > 0) this.#options.budget.give(given)
    this.#readOrWait()
  }

  /** Reads on, or does not: while enough waits already, or all connections together hold too much and this one some of it. */
  #readOrWait(): void {
    const { budget, connection, limits } = this.#options
    const mustWait = budget.isOverdrawn && this.#takenBytes > freeBytes
    if (mustWait && this.#stopWaiting === undefined) {
      this.#stopWaiting = budget.whenRoom(() => {
        this.#stopWaiting = undefined
        this.#readOrWait()
      })
    } else if (!mustWait) {
      this.#stopWaiting?.()
      this.#stopWaiting = undefined
    }
    const shouldPause = this.#waitingBytes >= limits.maxWaitingBytes || this.#stopWaiting !== undefined
    if (shouldPause === this.#isPaused) return
    this.#isPaused = shouldPause
    if (shouldPause) connection.pause()
    else connection.resume()
  }
}

/** Whether a request is one of Produce. */
export function isAppend(request: Buffer): boolean {
  return request.length >= 2 && request.readInt16BE(0) === produce.key
}
