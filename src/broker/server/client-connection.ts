import type { Connection, ConnectionHandler, Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import type { RequestContext } from '../handlers/handler.ts'
import { produce } from '../protocol/messages/produce.ts'
import { ClientSession } from '../security/client-session.ts'
import { FrameAssembler } from './frame-assembler.ts'
import type { OpenListener } from './open-listener.ts'
import type { Reply, RequestDispatcher } from './request-dispatcher.ts'
import type { ServerLimits } from './server-limits.ts'

export interface ClientConnectionOptions {
  readonly connection: Connection
  readonly listener: OpenListener
  readonly dispatcher: RequestDispatcher
  readonly limits: ServerLimits
  readonly environment: Pick<Environment, 'clock' | 'timers'>
  /** Told once, when the connection is over: with what a client did wrong or the broker failed at, if anything. */
  readonly onEnd: (error: unknown) => void
}

type ConnectionContext = Omit<RequestContext, 'apiVersion' | 'clientId' | 'principal'>

/** A request that was started; replies leave in the order of their requests. */
interface PendingReply {
  reply: Reply
  isReady: boolean
}

/**
 * One client: its requests are taken one after the other and answered in their order. Only appends overlap, because each
 * takes effect when it is started and only its acknowledgement waits, so that a producer's batches share an fsync.
 */
export class ClientConnection implements ConnectionHandler {
  readonly #options: ClientConnectionOptions
  readonly #assembler: FrameAssembler
  readonly #session: ClientSession
  readonly #context: ConnectionContext
  readonly #ended = new AbortController()
  readonly #waiting: Buffer[] = []
  readonly #pending: PendingReply[] = []
  #waitingBytes = 0
  #areAllPendingAppends = true
  #isPaused = false
  #isDraining = false
  #isOver = false
  #lastActivityMs: number
  #cancelIdleCheck: () => void = () => {}

  constructor(options: ClientConnectionOptions) {
    this.#options = options
    this.#assembler = new FrameAssembler(
      () => (this.#session.isKnown ? options.limits.maxRequestBytes : options.limits.maxLoginBytes),
      (frame) => this.#enqueue(frame),
    )
    this.#session = new ClientSession(options.listener.logins)
    this.#context = {
      session: this.#session,
      host: options.connection.peer.host,
      advertised: options.listener.advertised,
      signal: this.#ended.signal,
    }
    this.#lastActivityMs = options.environment.clock.monotonicMs()
    this.#watchIdleness(options.limits.maxIdleMs)
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
      this.#assembler.take(bytes)
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
    this.#cancelIdleCheck()
    this.#waiting.length = 0
    this.#pending.length = 0
    this.#ended.abort()
    this.#options.onEnd(error)
  }

  /** The answer to a login that failed is sent, and nothing after it. */
  #endAfterAnswer(): void {
    if (this.#isOver) return
    const { connection, environment, limits } = this.#options
    connection.end()
    const destroy = () => connection.destroy()
    environment.timers.after(limits.maxUnreadMs, destroy, { isBackground: true })
    this.#forget(
      new MillraceError('AUTHENTICATION_FAILED', 'A client has failed to log in', {
        remedy: 'Look at its user, password or token, and at the mechanism that it names.',
      }),
    )
  }

  #enqueue(frame: Buffer): void {
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
    if (this.#waitingBytes < this.#options.limits.maxWaitingBytes || this.#isPaused) return
    this.#isPaused = true
    this.#options.connection.pause()
  }

  /** Starts what may be started. Never more than the limit is under way, and nothing while the client does not read. */
  #startNext(): void {
    while (!this.#isOver && this.#waiting.length > 0 && !this.#isDraining) {
      const frame = this.#waiting[0] as Buffer
      const isAppend = frame.length >= 2 && frame.readInt16BE(0) === produce.key
      if (this.#pending.length > 0 && !(isAppend && this.#areAllPendingAppends)) return
      if (this.#pending.length >= this.#options.limits.maxOverlappingAppends) return
      this.#waiting.shift()
      this.#waitingBytes -= frame.length
      this.#areAllPendingAppends = isAppend
      this.#start(frame)
    }
    if (!this.#isPaused || this.#isOver || this.#waitingBytes >= this.#options.limits.maxWaitingBytes) return
    this.#isPaused = false
    this.#options.connection.resume()
  }

  #start(frame: Buffer): void {
    const pending: PendingReply = { reply: undefined, isReady: false }
    this.#pending.push(pending)
    const reply = this.#session.takesRawTokens ? this.#rawTokenReply(frame) : this.#replyTo(frame)
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

  #replyTo(frame: Buffer): Reply | Promise<Reply> {
    const { dispatcher, environment } = this.#options
    if (frame.length >= 2) this.#session.requireMay(frame.readInt16BE(0), environment.clock.monotonicMs())
    const reply = dispatcher.dispatch(frame, { ...this.#context, principal: this.#session.principal })
    return reply instanceof Promise && !this.#session.isKnown ? this.#lateWhereFailed(reply) : reply
  }

  /** A token as it is, answered as it is: after the first version of SaslHandshake. Who is refused is not told why. */
  async #rawTokenReply(token: Buffer): Promise<Reply> {
    const answer = await this.#session.authenticate(token)
    if (answer.type === 'refuse') return this.#lateWhereFailed(Promise.resolve(undefined))
    const size = Buffer.alloc(4)
    size.writeInt32BE(answer.bytes.length)
    return [size, answer.bytes]
  }

  /** Who fails to log in is answered after a while, so that guessing takes time (`connection.failed.authentication.delay.ms`). */
  async #lateWhereFailed(reply: Promise<Reply>): Promise<Reply> {
    const answer = await reply
    const { timers } = this.#options.environment
    const { failedLoginDelayMs } = this.#options.limits
    if (this.#session.hasFailed) await new Promise<void>((resolve) => timers.after(failedLoginDelayMs, resolve))
    return answer
  }

  #settle(pending: PendingReply, reply: Reply): void {
    pending.reply = reply
    pending.isReady = true
    let hasRoom = true
    while (!this.#isOver && this.#pending[0]?.isReady === true) {
      const next = this.#pending.shift() as PendingReply
      if (next.reply !== undefined) hasRoom = this.#options.connection.writeAll(next.reply)
    }
    if (this.#session.hasFailed) this.#endAfterAnswer()
    if (!hasRoom && !this.#isDraining) void this.#drain()
  }

  /** Waits for a slow client, which is dropped when it does not read at all. */
  async #drain(): Promise<void> {
    const { connection, environment, limits } = this.#options
    this.#isDraining = true
    const giveUp = environment.timers.after(limits.maxUnreadMs, () => this.end(new Error('the client does not read')))
    await connection.drained()
    giveUp()
    this.#isDraining = false
    try {
      this.#startNext()
    } catch (error) {
      this.end(error)
    }
  }

  /** One timer a connection, however many requests there are. */
  #watchIdleness(delayMs: number): void {
    const { environment, limits } = this.#options
    this.#cancelIdleCheck = environment.timers.after(delayMs, () => {
      const idleMs = environment.clock.monotonicMs() - this.#lastActivityMs
      if (idleMs >= limits.maxIdleMs && this.#pending.length === 0) this.end()
      else this.#watchIdleness(Math.max(1, limits.maxIdleMs - idleMs))
    })
  }
}

function nobody(peerName: string): MillraceError {
  const what = `No rule of ssl.principal.mapping.rules is about '${peerName}', whose certificate a client has shown`
  return new MillraceError('AUTHENTICATION_FAILED', what, { remedy: 'End the rules with DEFAULT to take any subject.' })
}
