import { assert } from '../errors.ts'
import type { Address, Connection, ConnectionHandler, Random, Timers } from './environment.ts'
import { SystemError } from './system-error.ts'

export interface PipeOptions {
  readonly timers: Pick<Timers, 'nextTurn'>
  readonly random: Random | undefined
  readonly bufferBytes: number
}

const largestPieceBytes = 64 * 1024
const nothing = Promise.resolve()

/**
 * One end of a connection inside the process. It keeps what was written and hands it to the other end piece by piece, one a
 * turn, then the end of the stream. It closes when the stream has ended both ways, or at once when either end is destroyed.
 */
export class MemoryConnection implements Connection {
  readonly peer: Address
  readonly peerName = undefined
  readonly #options: PipeOptions
  #peer: MemoryConnection | undefined
  #handler: ConnectionHandler | undefined

  readonly #queue: Uint8Array[] = []
  #queuedBytes = 0
  #isEnding = false
  #isEndSent = false
  #isEndReceived = false
  #isPaused = false
  #isClosed = false
  #isPumping = false
  #drained: { promise: Promise<void>; resolve: () => void } | undefined

  private constructor(options: PipeOptions, peer: Address) {
    this.#options = options
    this.peer = peer
  }

  /** Both ends of a connection from the one address to the other. */
  static pair(options: PipeOptions, from: Address, to: Address): [MemoryConnection, MemoryConnection] {
    const near = new MemoryConnection(options, to)
    const far = new MemoryConnection(options, from)
    near.#join(far)
    far.#join(near)
    return [near, far]
  }

  attach(handler: ConnectionHandler): void {
    this.#handler = handler
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnding || this.#isClosed || bytes.length === 0) return true
    this.#queue.push(new Uint8Array(bytes))
    this.#queuedBytes += bytes.length
    this.#startPumping()
    return this.#queuedBytes < this.#options.bufferBytes
  }

  writeAll(pieces: readonly Uint8Array[], onSent?: () => void): boolean {
    if (this.#isEnding || this.#isClosed) return true
    let hasRoom = true
    for (const piece of pieces) hasRoom = this.write(piece)
    // Never from within the call, as with a socket.
    if (onSent !== undefined) void nothing.then(onSent)
    return hasRoom
  }

  drained(): Promise<void> {
    if (this.#queuedBytes === 0) return nothing
    if (this.#drained === undefined) this.#drained = Promise.withResolvers<void>()
    return this.#drained.promise
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    if (this.#peer !== undefined) this.#peer.#startPumping()
  }

  end(): void {
    this.#isEnding = true
    this.#startPumping()
  }

  destroy(): void {
    this.#close()
    if (this.#peer !== undefined) this.#peer.#close(new SystemError('ECONNRESET', 'read', 'memory network'))
  }

  #join(peer: MemoryConnection): void {
    this.#peer = peer
  }

  #startPumping(): void {
    if (!this.#isPumping && !this.#isClosed) void this.#pump()
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    do await this.#options.timers.nextTurn()
    while (this.#sendNext())
    this.#isPumping = false
  }

  /** Hands over a piece, or the end of the stream; returns whether there may be more to hand over. */
  #sendNext(): boolean {
    const peer = this.#peer
    if (this.#isClosed || peer === undefined || peer.#isPaused) return false
    if (this.#queue.length > 0) {
      peer.#receive(this.#takePiece())
      return true
    }
    if (this.#isEnding && !this.#isEndSent) this.#sendEnd(peer)
    return false
  }

  #sendEnd(peer: MemoryConnection): void {
    this.#isEndSent = true
    peer.#receiveEnd()
    if (!this.#isEndReceived) return
    peer.#close()
    this.#close()
  }

  #receiveEnd(): void {
    this.#isEndReceived = true
    this.end()
  }

  #receive(piece: Uint8Array): void {
    assert(this.#handler !== undefined, 'a connection has a handler before bytes arrive')
    this.#handler.onData(piece)
    // The bytes were only valid during the call: whoever kept them is to notice.
    piece.fill(0xdb)
  }

  #takePiece(): Uint8Array {
    const first = this.#queue[0]!
    const most = Math.min(first.length, largestPieceBytes)
    const { random } = this.#options
    const length = random === undefined || random.uint32() % 4 > 0 ? most : 1 + (random.uint32() % most)
    if (length === first.length) this.#queue.shift()
    else this.#queue[0] = first.subarray(length)
    this.#queuedBytes -= length
    if (this.#queuedBytes === 0) this.#releaseDrained()
    return first.subarray(0, length)
  }

  #releaseDrained(): void {
    this.#drained?.resolve()
    this.#drained = undefined
  }

  #close(error?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#queue.length = 0
    this.#queuedBytes = 0
    this.#releaseDrained()
    // Never from within the caller's own call of `destroy`, as with a socket.
    void this.#options.timers.nextTurn().then(() => this.#handler?.onClose(error))
  }
}
