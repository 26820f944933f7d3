import type { BufferLoan } from '../../bytes/buffer-loan.ts'
import type { Connection, Environment } from '../../env/environment.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Reply } from './request-dispatcher.ts'
import type { ServerLimits } from './server-limits.ts'

/** Replies that are ready wait for those that are about to be, up to so many bytes. */
const mostHeldBackBytes = 64 * 1024

export interface ReplyQueueOptions {
  readonly connection: Pick<Connection, 'writeAll' | 'drained'>
  readonly limits: Pick<ServerLimits, 'maxUnreadMs'>
  /** What answers of all connections take that were not read. */
  readonly budget: ByteBudget
  readonly timers: Environment['timers']
  /** Told of each reply that is on its way, before the next one. */
  readonly onReply: (request: Buffer, reply: Reply) => void
  /** Told when the client reads again. */
  readonly onRoom: () => void
  /** Told when the client has not read for too long. */
  readonly onStuck: () => void
}

/** A request that was started. */
export interface PendingReply {
  readonly request: Buffer
  /** What the reply is made in. */
  readonly buffers: BufferLoan
  reply: Reply | undefined
}

/**
 * The replies of a connection, in the order of their requests. Those that become ready in the same turn are sent together:
 * a producer that has sent several batches is answered, and woken, once.
 */
export class ReplyQueue {
  readonly #options: ReplyQueueOptions
  readonly #pending: PendingReply[] = []
  /** What is sent next. */
  #pieces: Uint8Array[] = []
  #pieceBytes = 0
  #loans: BufferLoan[] = []
  #isSendDue = false
  /** Bytes of this connection in the budget. */
  #unreadBytes = 0
  #isDraining = false
  #isOver = false

  constructor(options: ReplyQueueOptions) {
    this.#options = options
  }

  /** Requests that were started and have no reply on its way yet. */
  get pendingCount(): number {
    return this.#pending.length
  }

  /** Whether the client has yet to read what it was sent. */
  get isFull(): boolean {
    return this.#isDraining
  }

  add(pending: PendingReply): void {
    this.#pending.push(pending)
  }

  /** A request has its reply, which leaves when those before it have theirs. */
  settle(pending: PendingReply, reply: Reply): void {
    pending.reply = reply
    for (let first = this.#pending[0]; first?.reply !== undefined && !this.#isOver; first = this.#pending[0]) {
      this.#pending.shift()
      this.#hold(first, first.reply)
    }
    if (this.#pieceBytes >= mostHeldBackBytes) this.send()
    else if (this.#pieceBytes > 0 && !this.#isSendDue) {
      this.#isSendDue = true
      queueMicrotask(this.#sendWhenDue)
    }
  }

  /** Sends what is ready. */
  send(): void {
    this.#isSendDue = false
    if (this.#isOver || this.#pieceBytes === 0) return
    const pieces = this.#pieces
    const bytes = this.#pieceBytes
    const loans = this.#loans
    this.#pieces = []
    this.#pieceBytes = 0
    this.#loans = []
    const hasRoom = this.#options.connection.writeAll(pieces, () => {
      for (const buffers of loans) buffers.giveBack()
    })
    if (hasRoom) return
    this.#unreadBytes += bytes
    this.#options.budget.take(bytes)
    if (!this.#isDraining) void this.#drain()
  }

  /** Forgets everything: the connection is over. */
  clear(): void {
    this.#isOver = true
    this.#pending.length = 0
    this.#pieces = []
    this.#pieceBytes = 0
    this.#loans = []
    this.#giveBudget()
  }

  readonly #sendWhenDue = (): void => {
    if (this.#isSendDue) this.send()
  }

  #hold({ request, buffers }: PendingReply, reply: Reply): void {
    const { pieces } = reply
    if (pieces !== undefined) {
      for (const piece of pieces) {
        this.#pieces.push(piece)
        this.#pieceBytes += piece.length
      }
      this.#loans.push(buffers)
    }
    this.#options.onReply(request, reply)
  }

  /** Waits for a slow client, which is dropped when it does not read at all. */
  async #drain(): Promise<void> {
    const { connection, timers, limits, onStuck, onRoom } = this.#options
    this.#isDraining = true
    const giveUp = timers.after(limits.maxUnreadMs, onStuck)
    await connection.drained()
    giveUp()
    this.#isDraining = false
    this.#giveBudget()
    if (!this.#isOver) onRoom()
  }

  #giveBudget(): void {
    const bytes = this.#unreadBytes
    this.#unreadBytes = 0
    if (bytes > 0) this.#options.budget.give(bytes)
  }
}
