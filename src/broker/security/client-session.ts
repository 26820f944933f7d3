import { assert, MillraceError } from '../../errors.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { saslAuthenticate } from '../protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../protocol/messages/sasl-handshake.ts'
import type { LoginMethods } from './login-methods.ts'
import { anonymous, type Principal, userNamed } from './principal.ts'
import { type SaslEffect, type SaslEvent, type SaslState, stepSasl } from './sasl-step.ts'

/** What a client is told of its login. */
export type LoginAnswer = Exclude<SaslEffect, { type: 'verify' }>

const illegal: LoginAnswer = {
  type: 'refuse',
  error: 'ILLEGAL_SASL_STATE',
  message: 'Nobody logs in on this listener, or not by this request.',
}

/** Who a client is, as far as it has proved it: by its certificate where the listener has no logins, otherwise by logging in. */
export class ClientSession {
  readonly #logins: LoginMethods | undefined
  #state: SaslState = { phase: 'unknown' }
  #principal: Principal = anonymous

  constructor(logins: LoginMethods | undefined) {
    this.#logins = logins
  }

  get principal(): Principal {
    return this.#principal
  }

  /** Whether the client may ask for more than to log in. */
  get isKnown(): boolean {
    return this.#logins === undefined || this.#state.phase === 'known'
  }

  /** Whether a login was refused: the connection ends with the answer. */
  get hasFailed(): boolean {
    return this.#state.phase === 'failed'
  }

  /** Whether what arrives next is a token without a request around it. */
  get takesRawTokens(): boolean {
    return this.#state.phase === 'tokens' && this.#state.isRaw
  }

  get mechanisms(): readonly string[] {
    return this.#logins?.mechanisms ?? []
  }

  /** The client has shown a certificate with a name: who it is where nobody logs in. */
  nameByCertificate(name: string): void {
    if (this.#logins === undefined) this.#principal = userNamed(name)
  }

  /**
   * Refuses what may not be asked for now: before a login all but the versions and the login itself, during one all but its
   * tokens, after its time all but another one.
   * @throws MillraceError AUTHENTICATION_FAILED
   */
  requireMay(apiKey: number, nowMs: number): void {
    if (this.#logins === undefined) return
    const { phase } = this.#state
    if (phase === 'known') {
      if (nowMs < this.#state.identity.untilMs || apiKey === saslHandshake.key) return
      throw new MillraceError('AUTHENTICATION_FAILED', `The time of ${this.#principal.name}'s login is over`, {
        remedy: 'Clients have to log in again before that (connections.max.reauth.ms).',
      })
    }
    const isAllowed =
      phase === 'tokens'
        ? apiKey === saslAuthenticate.key
        : phase === 'unknown' && (apiKey === apiVersions.key || apiKey === saslHandshake.key)
    if (isAllowed) return
    throw new MillraceError('AUTHENTICATION_FAILED', `A client asks for API ${apiKey} before it has logged in`, {
      remedy: 'Set its security.protocol to that of the listener.',
    })
  }

  /** The client says which mechanism it wants. */
  handshake(mechanism: string, version: number): LoginAnswer {
    if (this.#logins === undefined) return illegal
    const effect = this.#step({ type: 'handshake', mechanism, isRaw: version === 0 })
    assert(effect.type !== 'verify', 'a handshake has no token')
    return effect
  }

  /** The client sends a token of its mechanism. */
  async authenticate(bytes: Buffer): Promise<LoginAnswer> {
    const logins = this.#logins
    if (logins === undefined) return illegal
    const effect = this.#step({ type: 'token', bytes })
    if (effect.type !== 'verify') return effect
    const verdict = this.#step({ type: 'verdict', found: await logins.verify(effect.token) })
    assert(verdict.type !== 'verify', 'a verdict asks for no other')
    return verdict
  }

  #step(event: SaslEvent): SaslEffect {
    assert(this.#logins !== undefined, 'there are logins')
    const { state, effect } = stepSasl(this.#state, event, this.#logins.context())
    this.#state = state
    if (state.phase === 'known') this.#principal = userNamed(state.identity.user)
    return effect
  }
}
