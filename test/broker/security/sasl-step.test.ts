import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PlainLogin } from '../../../src/broker/security/plain.ts'
import { type SaslContext, type SaslEvent, type SaslState, stepSasl } from '../../../src/broker/security/sasl-step.ts'
import { credentialOf, saltedPassword } from '../../../src/broker/security/scram.ts'
import { ScramClient } from './scram-client.ts'

const salt = Buffer.from('salt')
const alice = credentialOf('SCRAM-SHA-256', saltedPassword('SCRAM-SHA-256', 'flour', salt, 4_096), {
  salt,
  iterations: 4_096,
})

function context(more: Partial<SaslContext> = {}): SaslContext {
  return {
    mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'],
    isPlainUser: ({ user, password }: PlainLogin) => password === `${user}-secret`,
    credential: (_, user) => (user === 'alice' ? alice : undefined),
    serverNonce: 'server',
    secret: Buffer.from('secret'),
    maxReauthMs: 0,
    nowMs: 1_000,
    wallMs: 5_000_000,
    ...more,
  }
}

const handshake = (mechanism: string): SaslEvent => ({ type: 'handshake', mechanism, isRaw: false })
const token = (text: string | Buffer): SaslEvent => ({ type: 'token', bytes: Buffer.from(text) })
const plain = (user: string, password: string): SaslEvent => token(`\0${user}\0${password}`)
const bearer = token('n,,\x01auth=Bearer t\x01\x01')
const verdict = (user: string | undefined, expiresAtMs = 5_060_000): SaslEvent => {
  return { type: 'verdict', found: user === undefined ? undefined : { user, expiresAtMs } }
}

/** Takes the steps one after the other; the last state and effect. */
function stepped(
  events: readonly SaslEvent[],
  from: SaslState = { phase: 'unknown' },
  more: Partial<SaslContext> = {},
) {
  let step: ReturnType<typeof stepSasl> | undefined
  for (const event of events) step = stepSasl(step?.state ?? from, event, context(more))
  return step!
}

describe('a login', () => {
  it.each([
    ['PLAIN', plain('bob', 'bob-secret'), 'bob'],
    ['PLAIN', token('bob\0bob\0bob-secret'), 'bob'],
  ])('with %s is made with one token', (mechanism, event, user) => {
    const { state, effect } = stepped([handshake(mechanism), event])
    expect(state).toMatchObject({ phase: 'known', identity: { user, mechanism, untilMs: Number.POSITIVE_INFINITY } })
    expect(effect).toMatchObject({ type: 'answer', lifetimeMs: 0, bytes: Buffer.alloc(0) })
  })

  it('with SCRAM is made with two', () => {
    const client = new ScramClient('SCRAM-SHA-256', 'alice', 'flour')
    const first = stepped([handshake('SCRAM-SHA-256'), token(client.first())])
    expect(first.state.phase).toBe('tokens')
    const { effect } = first
    const answer = effect.type === 'answer' ? effect.bytes.toString() : ''
    const last = stepped([token(client.last(answer))], first.state)
    expect(last.state).toMatchObject({ phase: 'known', identity: { user: 'alice', mechanism: 'SCRAM-SHA-256' } })
    expect(last.effect.type === 'answer' && client.isServer(last.effect.bytes.toString())).toBe(true)
  })

  it('with OAUTHBEARER waits for what becomes of the token, and ends with it', () => {
    const asked = stepped([handshake('OAUTHBEARER'), bearer])
    expect(asked).toMatchObject({ state: { phase: 'tokens' }, effect: { type: 'verify', token: 't' } })
    const { state, effect } = stepped([verdict('carol')], asked.state)
    expect(state).toMatchObject({ phase: 'known', identity: { user: 'carol', untilMs: 1_000 + 60_000 } })
    expect(effect).toMatchObject({ type: 'answer', lifetimeMs: 60_000 })
  })

  it('with a token that is not good is told so, and has failed when the client acknowledges it, or sends another', () => {
    for (const next of [token('\x01'), bearer]) {
      const refused = stepped([handshake('OAUTHBEARER'), bearer, verdict(undefined)])
      expect(refused.effect).toMatchObject({ type: 'answer', bytes: Buffer.from('{"status":"invalid_token"}') })
      expect(stepped([next], refused.state)).toMatchObject({ state: { phase: 'failed' }, effect: { type: 'refuse' } })
    }
  })

  it.each<[string, SaslEvent[]]>([
    ['a user that there is not', [handshake('PLAIN'), plain('', 'x')]],
    ['no password', [handshake('PLAIN'), plain('bob', '')]],
    ['a wrong password', [handshake('PLAIN'), plain('bob', 'secret')]],
    ['another user to be', [handshake('PLAIN'), token('alice\0bob\0bob-secret')]],
    ['a part too many', [handshake('PLAIN'), token('\0bob\0bob-secret\0')]],
    ['a part too few', [handshake('PLAIN'), token('bob-secret')]],
    ['no message of SCRAM', [handshake('SCRAM-SHA-256'), token('hello')]],
    ['no token', [handshake('OAUTHBEARER'), token('n,,\x01\x01')]],
    [
      'the token of another',
      [handshake('OAUTHBEARER'), token('n,a=alice,\x01auth=Bearer t\x01\x01'), verdict('carol')],
    ],
  ])('fails with %s, always in the same words', (_, events) => {
    const { state, effect } = stepped(events)
    expect(state).toEqual({ phase: 'failed' })
    const mechanism = events[0]?.type === 'handshake' ? events[0].mechanism : ''
    const message = `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`
    expect(effect).toEqual({ type: 'refuse', error: 'SASL_AUTHENTICATION_FAILED', message })
  })

  it('tells a user that there is not and a wrong password apart for nobody', () => {
    const outcome = (user: string) => {
      const client = new ScramClient('SCRAM-SHA-256', user, 'water')
      const first = stepped([handshake('SCRAM-SHA-256'), token(client.first())])
      const answer = first.effect.type === 'answer' ? first.effect.bytes.toString() : ''
      return [answer.replace(/s=[^,]+/, 's='), stepped([token(client.last(answer))], first.state)]
    }
    expect(outcome('alice')).toEqual(outcome('nobody'))
    expect(stepped([handshake('PLAIN'), plain('bob', 'x')])).toEqual(stepped([handshake('PLAIN'), plain('', 'x')]))
  })

  it.each<[string, SaslEvent[], string]>([
    ['a mechanism that is not enabled', [handshake('SCRAM-SHA-512')], 'UNSUPPORTED_SASL_MECHANISM'],
    ['a mechanism that there is not', [handshake('plain')], 'UNSUPPORTED_SASL_MECHANISM'],
    ['a second handshake', [handshake('PLAIN'), handshake('PLAIN')], 'ILLEGAL_SASL_STATE'],
    ['a token before the handshake', [plain('bob', 'bob-secret')], 'ILLEGAL_SASL_STATE'],
    ['anything after it failed', [handshake('PLAIN'), plain('bob', 'x'), handshake('PLAIN')], 'ILLEGAL_SASL_STATE'],
  ])('fails with %s', (_, events, error) => {
    expect(stepped(events)).toMatchObject({ state: { phase: 'failed' }, effect: { type: 'refuse', error } })
  })
})

describe('a login that ends', () => {
  const limit = { maxReauthMs: 30_000 }
  const login = [handshake('PLAIN'), plain('bob', 'bob-secret')]
  const known = stepped(login, { phase: 'unknown' }, limit)

  it('says when, and the earlier of two ends counts', () => {
    expect(known.effect).toMatchObject({ lifetimeMs: 30_000 })
    expect(known.state).toMatchObject({ identity: { untilMs: 31_000 } })
    const bearers = (expiresAtMs: number) =>
      stepped([handshake('OAUTHBEARER'), bearer, verdict('carol', expiresAtMs)], { phase: 'unknown' }, limit).effect
    expect(bearers(5_060_000)).toMatchObject({ lifetimeMs: 30_000 })
    expect(bearers(5_010_000)).toMatchObject({ lifetimeMs: 10_000 })
    expect(bearers(4_990_000)).toMatchObject({ lifetimeMs: 0 })
  })

  it('can be made again, by the same user with the same mechanism', () => {
    const later = { ...limit, nowMs: 20_000 }
    const again = stepped(login, known.state, later)
    expect(again.state).toMatchObject({ phase: 'known', identity: { user: 'bob', untilMs: 50_000 } })
    expect(stepped([handshake('PLAIN'), plain('eve', 'eve-secret')], known.state, later)).toMatchObject({
      state: { phase: 'failed' },
      effect: { error: 'SASL_AUTHENTICATION_FAILED' },
    })
    expect(stepped([handshake('OAUTHBEARER')], known.state, later)).toMatchObject({
      state: { phase: 'failed' },
      effect: { error: 'UNSUPPORTED_SASL_MECHANISM' },
    })
    const failed = stepped([handshake('PLAIN'), plain('bob', 'x')], known.state, later).effect
    expect(failed).toMatchObject({ message: expect.stringContaining('during re-authentication') })
  })

  it('is not made again within a second, nor where it does not end: who is known stays so', () => {
    const again = stepped(login, known.state, { ...limit, nowMs: 20_000 })
    for (const [state, nowMs] of [[again.state, 20_900] as const, [stepped(login).state, 90_000] as const]) {
      const refused = stepped([handshake('PLAIN')], state, { ...limit, nowMs })
      expect(refused).toMatchObject({ state, effect: { type: 'refuse', error: 'ILLEGAL_SASL_STATE' } })
    }
    expect(stepped(login, again.state, { ...limit, nowMs: 21_000 }).state.phase).toBe('known')
    const stray = stepped([plain('bob', 'bob-secret')], known.state, limit)
    expect(stray).toMatchObject({ state: known.state, effect: { type: 'refuse', error: 'ILLEGAL_SASL_STATE' } })
  })
})

describe('any order of events', () => {
  const event = fc.oneof(
    fc.constantFrom('PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER', 'GSSAPI').map(handshake),
    fc.constantFrom(plain('bob', 'bob-secret'), plain('bob', 'x'), bearer, token('\x01'), token('n,,n=alice,r=x')),
  )

  it('makes known only who has sent a handshake and then the right token, and never somebody else', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), fc.boolean(), (events, isTokenGood) => {
        let state: SaslState = { phase: 'unknown' }
        let nowMs = 0
        let before: SaslEvent | undefined
        for (const one of events) {
          nowMs += 2_000
          const step = stepSasl(state, one, context({ nowMs, maxReauthMs: 60_000 }))
          let { state: next } = step
          if (step.effect.type === 'verify') {
            next = stepSasl(next, verdict(isTokenGood ? 'carol' : undefined), context({ nowMs })).state
          }
          if (next.phase === 'known' && state.phase !== 'known') {
            expect(before?.type).toBe('handshake')
            const isCarol = before?.type === 'handshake' && before.mechanism === 'OAUTHBEARER'
            expect(next.identity.user).toBe(isCarol ? 'carol' : 'bob')
          }
          if (state.phase === 'failed') expect(next.phase).toBe('failed')
          state = next
          before = one
        }
      }),
    )
  })
})
