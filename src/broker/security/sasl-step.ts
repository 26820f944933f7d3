import type { SaslMechanism } from '../../listener-options.ts'
import type { KafkaError } from '../protocol/error-codes.ts'
import { invalidToken, readBearerLogin } from './bearer-login.ts'
import { type PlainLogin, readPlainLogin } from './plain.ts'
import { beginScram, endScram, type ScramExchange, type ScramParts } from './scram-exchange.ts'

/** Who has logged in over a connection, how, and until when. */
export interface SaslIdentity {
  readonly user: string
  readonly mechanism: SaslMechanism
  /** When it began to log in again for the last time, on the monotonic clock. */
  readonly repeatedAtMs?: number
  /** On the monotonic clock; infinite where the login does not end. */
  readonly untilMs: number
}

/**
 * How far a client is (`SaslServerAuthenticator.SaslState`). It says which mechanism it wants, then sends tokens until it is
 * known or refused; who is known may do both again, and is nobody else afterwards.
 */
export type SaslState =
  | { readonly phase: 'unknown' }
  | SaslTokens
  | { readonly phase: 'known'; readonly identity: SaslIdentity }
  | { readonly phase: 'failed' }

export interface SaslTokens {
  readonly phase: 'tokens'
  readonly mechanism: SaslMechanism
  /** Clients of the first version of SaslHandshake send tokens without the header of a request. */
  readonly isRaw: boolean
  readonly scram?: ScramExchange
  /** A token of OAUTHBEARER is being looked at, or has been refused. */
  readonly bearer?: { readonly authorizationId: string } | 'refused'
  /** Who logs in again. */
  readonly before?: SaslIdentity
}

export type SaslEvent =
  | { readonly type: 'handshake'; readonly mechanism: string; readonly isRaw: boolean }
  | { readonly type: 'token'; readonly bytes: Buffer }
  /** What became of a token of OAUTHBEARER: who it is of and until when, by the wall clock; undefined where it is not good. */
  | { readonly type: 'verdict'; readonly found: { readonly user: string; readonly expiresAtMs: number } | undefined }

/** What is to be done: an answer, or to ask for a verdict and step again with it. */
export type SaslEffect =
  | { readonly type: 'answer'; readonly bytes: Buffer; readonly lifetimeMs: number }
  | { readonly type: 'refuse'; readonly error: KafkaError; readonly message: string }
  | { readonly type: 'verify'; readonly token: string }

/** What a step knows beside its state. */
export interface SaslContext extends ScramParts {
  readonly mechanisms: readonly SaslMechanism[]
  readonly isPlainUser: (login: PlainLogin) => boolean
  /** A login ends after so long (`connections.max.reauth.ms`); 0: when its credential does, if ever. */
  readonly maxReauthMs: number
  readonly nowMs: number
  readonly wallMs: number
}

export interface SaslStep {
  readonly state: SaslState
  readonly effect: SaslEffect
}

/** Logins may be repeated at most so often, as in Kafka. */
const minReauthIntervalMs = 1_000

/** The login of a client as a function: where it stands after what happened, and what it is told. */
export function stepSasl(state: SaslState, event: SaslEvent, context: SaslContext): SaslStep {
  if (event.type === 'handshake') return begin(state, event, context)
  if (state.phase !== 'tokens') {
    const effect = refused('ILLEGAL_SASL_STATE', 'SaslHandshake comes before SaslAuthenticate.')
    return state.phase === 'known' ? { ...effect, state } : effect
  }
  if (event.type === 'verdict') return judged(state, event.found, context)
  switch (state.mechanism) {
    case 'PLAIN':
      return plain(state, event.bytes, context)
    case 'OAUTHBEARER':
      return bearer(state, event.bytes)
    default:
      return scram(state, state.mechanism, event.bytes, context)
  }
}

function begin(state: SaslState, event: SaslEvent & { type: 'handshake' }, context: SaslContext): SaslStep {
  const before = state.phase === 'known' ? state.identity : undefined
  if (before !== undefined && !mayRepeat(before, context.nowMs)) {
    const message = 'Who has logged in for good, or a moment ago, does not log in again.'
    return { state, effect: { type: 'refuse', error: 'ILLEGAL_SASL_STATE', message } }
  }
  if (before === undefined && state.phase !== 'unknown') return refused('ILLEGAL_SASL_STATE', 'A login is under way.')
  const mechanism = context.mechanisms.find((one) => one === event.mechanism)
  if (mechanism === undefined) {
    return refused('UNSUPPORTED_SASL_MECHANISM', `There are: ${context.mechanisms.join(', ')}.`)
  }
  if (before !== undefined && before.mechanism !== mechanism) {
    return refused('UNSUPPORTED_SASL_MECHANISM', `Who has logged in with ${before.mechanism} logs in again with it.`)
  }
  return {
    state: {
      ...{ phase: 'tokens', mechanism, isRaw: event.isRaw },
      ...(before && { before: { ...before, repeatedAtMs: context.nowMs } }),
    },
    effect: { type: 'answer', bytes: nothing, lifetimeMs: 0 },
  }
}

function mayRepeat({ untilMs, repeatedAtMs }: SaslIdentity, nowMs: number): boolean {
  return Number.isFinite(untilMs) && (repeatedAtMs === undefined || nowMs - repeatedAtMs >= minReauthIntervalMs)
}

function plain(state: SaslTokens, bytes: Buffer, context: SaslContext): SaslStep {
  const login = readPlainLogin(bytes)
  if (login === undefined || !context.isPlainUser(login)) return notKnown(state)
  return known(state, login.user, nothing, context)
}

function scram(
  state: SaslTokens,
  mechanism: ScramExchange['mechanism'],
  bytes: Buffer,
  context: SaslContext,
): SaslStep {
  if (state.scram === undefined) {
    const exchange = beginScram(mechanism, bytes, context)
    if (exchange === undefined) return notKnown(state)
    const answer = Buffer.from(exchange.serverFirst)
    return { state: { ...state, scram: exchange }, effect: { type: 'answer', bytes: answer, lifetimeMs: 0 } }
  }
  const answer = endScram(state.scram, bytes)
  if (answer === undefined) return notKnown(state)
  return known(state, state.scram.user, Buffer.from(answer), context)
}

function bearer(state: SaslTokens, bytes: Buffer): SaslStep {
  // Who was told that the token is not good acknowledges it with a byte, and has failed.
  const login = state.bearer === undefined ? readBearerLogin(bytes) : undefined
  if (login === undefined) return notKnown(state)
  const { authorizationId, token } = login
  return { state: { ...state, bearer: { authorizationId } }, effect: { type: 'verify', token } }
}

function judged(state: SaslTokens, found: (SaslEvent & { type: 'verdict' })['found'], context: SaslContext): SaslStep {
  if (found === undefined) {
    const effect = { type: 'answer', bytes: invalidToken, lifetimeMs: 0 } as const
    return { state: { ...state, bearer: 'refused' }, effect }
  }
  const wanted = typeof state.bearer === 'object' ? state.bearer.authorizationId : ''
  if (wanted !== '' && wanted !== found.user) return notKnown(state)
  return known(state, found.user, nothing, context, found.expiresAtMs - context.wallMs)
}

function known(
  { mechanism, before }: SaslTokens,
  user: string,
  bytes: Buffer,
  { nowMs, maxReauthMs }: SaslContext,
  credentialMs = Number.POSITIVE_INFINITY,
): SaslStep {
  if (before !== undefined && before.user !== user) {
    return refused('SASL_AUTHENTICATION_FAILED', 'Cannot change principals during re-authentication.')
  }
  const lifetimeMs = Math.max(0, Math.min(credentialMs, maxReauthMs > 0 ? maxReauthMs : Number.POSITIVE_INFINITY))
  const repeated = before?.repeatedAtMs !== undefined && { repeatedAtMs: before.repeatedAtMs }
  const identity = { user, mechanism, untilMs: nowMs + lifetimeMs, ...repeated }
  const told = Number.isFinite(lifetimeMs) ? Math.floor(lifetimeMs) : 0
  return { state: { phase: 'known', identity }, effect: { type: 'answer', bytes, lifetimeMs: told } }
}

/** The same whatever was wrong, so that nobody learns which users there are. */
function notKnown({ mechanism, before }: SaslTokens): SaslStep {
  const when = before === undefined ? 'authentication' : 're-authentication'
  const message = `Authentication failed during ${when} due to invalid credentials with SASL mechanism ${mechanism}`
  return refused('SASL_AUTHENTICATION_FAILED', message)
}

function refused(error: KafkaError, message: string): SaslStep {
  return { state: { phase: 'failed' }, effect: { type: 'refuse', error, message } }
}

const nothing = Buffer.alloc(0)
