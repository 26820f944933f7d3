import { BufferLoan } from '../../bytes/buffer-loan.ts'
import type { BufferPool } from '../../bytes/buffer-pool.ts'
import type { Cancel, Connection, ConnectionHandler, Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import type { ClientContext } from '../handlers/handler.ts'
import { malformed } from '../protocol/malformed-message.ts'
import { produce } from '../protocol/messages/produce.ts'
import { ClientSession } from '../security/client-session.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { OpenListener } from './open-listener.ts'
import { type PendingReply, ReplyQueue } from './reply-queue.ts'
import type { Reply, RequestDispatcher } from './request-dispatcher.ts'
import { isAppend, RequestQueue } from './request-queue.ts'
import type { ServerLimits } from './server-limits.ts'

export interface ClientConnectionOptions {
  readonly connection: Connection
  readonly listener: OpenListener
  readonly dispatcher: RequestDispatcher
  readonly limits: ServerLimits
  /** What requests of all connections take, and answers that were not read. */
  readonly requestBudget: ByteBudget
  readonly answerBudget: ByteBudget
  /** Where large requests and answers of all connections are put together. */
  readonly buffers: BufferPool
  readonly environment: Pick<Environment, 'clock' | 'timers'>
  /** Told once, when the connection is over: with what a client did wrong or the broker failed at, if anything. */
  readonly onEnd: (error: unknown) => void
}

type ConnectionContext = Omit<ClientContext, 'principal' | 'buffers'>

/**
 * One client: its requests are taken one after the other and answered in their order. Only appends overlap, because they
 * take effect in their order and only acknowledgements wait, so that a producer's batches share an fsync.
 */
export class ClientConnection implements ConnectionHandler {
  readonly #options: ClientConnectionOptions
  readonly #requests: RequestQueue
  readonly #session: ClientSession
  readonly #context: ConnectionContext
  readonly #ended = new AbortController()
  readonly #replies: ReplyQueue
  #areAllPendingAppends = true
  /** Takes back the wait for room for answers; undefined where there is none. */
  #stopWaiting: (() => void) | undefined
  /** Ends the time in which nothing of the client is begun; undefined outside of it. */
  #unmute: Cancel | undefined
  #isOver = false
  /** When it was last seen to be known who the client is; before that, when it came. */
  #knownMs: number
  #lastActivityMs: number

  constructor(options: ClientConnectionOptions) {
    this.#options = options
    const { connection, limits, buffers } = options
    this.#requests = new RequestQueue({
      ...{ connection, limits, buffers },
      budget: options.requestBudget,
      maxRequestBytes: () => (this.#session.isKnown ? limits.maxRequestBytes : limits.maxLoginBytes),
      onHead: (head, bytes) => this.#requireKnown(head, bytes),
    })
    this.#replies = new ReplyQueue({
      ...{ connection, limits, budget: options.answerBudget, timers: options.environment.timers },
      onReply: (request, { muteMs }) => {
        this.#requests.release(request)
        if (muteMs > 0) this.#mute(muteMs)
      },
      onRoom: () => this.#startNextOrEnd(),
      onStuck: () => this.end(new Error('the client does not read')),
    })
    this.#session = new ClientSession(options.listener.logins)
    this.#context = {
      session: this.#session,
      host: options.connection.peer.host,
      advertised: options.listener.advertised,
      signal: this.#ended.signal,
    }
    this.#knownMs = options.environment.clock.monotonicMs()
    this.#lastActivityMs = this.#knownMs
  }

  onSecured(): void {
    const { connection, listener } = this.#options
    const { peerName } = connection
    if (this.#isOver || peerName === undefined) return
    const name = listener.settings.principals.nameOf(peerName)
    if (name === undefined) this.end(nobody(peerName))
    else this.#session.nameByCertificate(name)
  }

  onData(bytes: Uint8Array): void {
    if (this.#isOver) return
    this.#lastActivityMs = this.#options.environment.clock.monotonicMs()
    try {
      this.#requests.receive(bytes, this.#lastActivityMs)
      this.#startNext()
    } catch (error) {
      this.end(error)
    }
  }

  onClose(error?: Error): void {
    this.end(error)
  }

  /** Drops the connection with everything that waits in it. */
  end(error?: unknown): void {
    if (this.#isOver) return
    this.#options.connection.destroy()
    this.#forget(error)
  }

  #forget(error: unknown): void {
    this.#isOver = true
    this.#stopWaiting?.()
    this.#unmute?.()
    this.#requests.clear()
    this.#replies.clear()
    this.#ended.abort()
    this.#options.onEnd(error)
  }

  /** The answer to a login that failed is sent, and nothing after it. */
  #endAfterAnswer(): void {
    if (this.#isOver) return
    const { connection, environment, limits } = this.#options
    this.#replies.send()
    connection.end()
    const destroy = () => connection.destroy()
    environment.timers.after(limits.maxUnreadMs, destroy, { isBackground: true })
    this.#forget(
      new MillraceError('AUTHENTICATION_FAILED', 'A client has failed to log in', {
        remedy: 'Look at its user, password or token, and at the mechanism that it names.',
      }),
    )
  }

  /** What is no request that there is, or too large for its kind, is refused before the rest of it arrives. */
  #requireKnown(head: Buffer, bytes: number): void {
    if (this.#session.takesRawTokens) return
    const apiKey = head.readInt16BE(0)
    this.#options.dispatcher.requireKnown(apiKey, head.readInt16BE(2))
    const { maxOrdinaryBytes } = this.#options.limits
    if (apiKey !== produce.key && bytes > maxOrdinaryBytes) {
      throw malformed(`its size is ${bytes}, allowed are ${maxOrdinaryBytes} bytes for API ${apiKey}`)
    }
  }

  /** Ends the connection where the client has taken too long for something. */
  endIfOverdue(nowMs: number): void {
    const { maxIdleMs, maxLoginMs } = this.#options.limits
    // Who logs in again has the time of a login from then on.
    if (this.#session.isKnown) this.#knownMs = nowMs
    if (nowMs - this.#knownMs >= maxLoginMs) this.end(tooSlow('to log in'))
    else if (this.#requests.isOverdue(nowMs)) this.end(tooSlow('with a request'))
    else if (nowMs - this.#lastActivityMs >= maxIdleMs && this.#replies.pendingCount === 0) this.end()
  }

  /** Starts what may be started. Never more than the limit is under way, and nothing while the client does not read. */
  #startNext(): void {
    while (!this.#isOver && !this.#replies.isFull && this.#stopWaiting === undefined && this.#unmute === undefined) {
      const frame = this.#requests.next
      if (frame === undefined || this.#mustWaitForRoom()) return
      const mayOverlap = isAppend(frame)
      const { pendingCount } = this.#replies
      if (pendingCount > 0 && !(mayOverlap && this.#areAllPendingAppends)) return
      if (pendingCount >= this.#options.limits.maxOverlappingAppends) return
      this.#requests.shift()
      this.#areAllPendingAppends = mayOverlap
      this.#start(frame)
    }
  }

  /** While clients leave too many answers unread, nothing is begun that gives more. */
  #mustWaitForRoom(): boolean {
    const { answerBudget } = this.#options
    if (!answerBudget.isOverdrawn) return false
    this.#stopWaiting = answerBudget.whenRoom(() => {
      this.#stopWaiting = undefined
      this.#startNextOrEnd()
    })
    return true
  }

  #start(frame: Buffer): void {
    const pending: PendingReply = { request: frame, buffers: new BufferLoan(this.#options.buffers), reply: undefined }
    this.#replies.add(pending)
    const reply = this.#session.takesRawTokens ? this.#rawTokenReply(frame) : this.#replyTo(pending)
    if (!(reply instanceof Promise)) {
      this.#settle(pending, reply)
      return
    }
    reply
      .then((later) => {
        this.#settle(pending, later)
        this.#startNext()
      })
      .catch((error) => this.end(error))
  }

  #settle(pending: PendingReply, reply: Reply): void {
    this.#replies.settle(pending, reply)
    if (this.#session.hasFailed) this.#endAfterAnswer()
  }

  #replyTo({ request, buffers }: PendingReply): Reply | Promise<Reply> {
    const { dispatcher, environment } = this.#options
    if (request.length >= 2) this.#session.requireMay(request.readInt16BE(0), environment.clock.monotonicMs())
    const reply = dispatcher.dispatch(request, { ...this.#context, principal: this.#session.principal, buffers })
    return reply instanceof Promise && !this.#session.isKnown ? this.#lateWhereFailed(reply) : reply
  }

  /** A token as it is, answered as it is: after the first version of SaslHandshake. Who is refused is not told why. */
  async #rawTokenReply(token: Buffer): Promise<Reply> {
    const answer = await this.#session.authenticate(token)
    if (answer.type === 'refuse') return this.#lateWhereFailed(Promise.resolve({ pieces: undefined, muteMs: 0 }))
    const size = Buffer.alloc(4)
    size.writeInt32BE(answer.bytes.length)
    return { pieces: [size, answer.bytes], muteMs: 0 }
  }

  /** Who fails to log in is answered after a while, so that guessing takes time (`connection.failed.authentication.delay.ms`). */
  async #lateWhereFailed(reply: Promise<Reply>): Promise<Reply> {
    const answer = await reply
    const { timers } = this.#options.environment
    const { failedLoginDelayMs } = this.#options.limits
    if (this.#session.hasFailed) await new Promise<void>((resolve) => timers.after(failedLoginDelayMs, resolve))
    return answer
  }

  /** The client has taken more than it may: it has its answer, and nothing more of it is begun for a while. */
  #mute(muteMs: number): void {
    this.#unmute?.()
    this.#unmute = this.#options.environment.timers.after(muteMs, () => {
      this.#unmute = undefined
      this.#startNextOrEnd()
    })
  }

  #startNextOrEnd(): void {
    try {
      this.#startNext()
    } catch (error) {
      this.end(error)
    }
  }
}

function tooSlow(what: string): MillraceError {
  return new MillraceError('NETWORK_FAILED', `A client was too slow ${what}`, {
    remedy: 'Look at its network, or whether it is a client of Kafka at all.',
  })
}

function nobody(peerName: string): MillraceError {
  const what = `No rule of ssl.principal.mapping.rules is about '${peerName}', whose certificate a client has shown`
  return new MillraceError('AUTHENTICATION_FAILED', what, { remedy: 'End the rules with DEFAULT to take any subject.' })
}
