import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { readBearerLogin } from '../../../src/broker/security/bearer-login.ts'
import { BearerTokens } from '../../../src/broker/security/bearer-tokens.ts'
import type { BearerOptions } from '../../../src/listener-options.ts'

const nowMs = Date.UTC(2026, 0)
const now = nowMs / 1_000

let jwks = ''
let privateKey: CryptoKey
let publicPem = ''
let stranger: CryptoKey

beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true })
  privateKey = pair.privateKey
  publicPem = await exportSPKI(pair.publicKey)
  stranger = (await generateKeyPair('RS256')).privateKey
  const secret = { kty: 'oct', k: Buffer.from(publicPem).toString('base64url'), alg: 'HS256', kid: 'secret' }
  jwks = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'RS256', kid: 'main' }, secret] })
})

const good: JWTPayload = { sub: 'alice', iss: 'https://issuer', aud: 'mill', exp: now + 600, iat: now }

interface Signing {
  readonly alg?: string
  readonly kid?: string
  readonly key?: () => CryptoKey | Uint8Array
  readonly header?: object
}

function sign(claims: JWTPayload, { alg = 'RS256', kid = 'main', key = () => privateKey, header }: Signing = {}) {
  return new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(key())
}

function tokens(options: Partial<BearerOptions> = {}): BearerTokens {
  return new BearerTokens({ jwks, issuer: 'https://issuer', audience: ['mill', 'other'], ...options })
}

describe('tokens of OAUTHBEARER', () => {
  it('say who it is, and until when', async () => {
    expect(await tokens().verify(await sign(good), nowMs)).toEqual({ user: 'alice', expiresAtMs: nowMs + 600_000 })
    const named = tokens({ subjectClaim: 'email' })
    expect((await named.verify(await sign({ ...good, email: 'a@b' }), nowMs)).user).toBe('a@b')
    const lenient = new BearerTokens({ jwks })
    expect((await lenient.verify(await sign({ ...good, iss: 'x', aud: 'y' }), nowMs)).user).toBe('alice')
  })

  it.each<[string, () => Promise<string> | string]>([
    ['with nobody as its subject', () => sign({ ...good, sub: undefined! })],
    ['with an empty subject', () => sign({ ...good, sub: '' })],
    ['with a subject that is a number', () => sign({ ...good, sub: 7 as never })],
    ['of another issuer', () => sign({ ...good, iss: 'https://elsewhere' })],
    ['of no issuer', () => sign({ ...good, iss: undefined! })],
    ['for somebody else', () => sign({ ...good, aud: 'bakery' })],
    ['for nobody', () => sign({ ...good, aud: undefined! })],
    ['that is over', () => sign({ ...good, exp: now - 60 })],
    ['that never ends', () => sign({ ...good, exp: undefined! })],
    ['that does not count yet', () => sign({ ...good, nbf: now + 60 })],
    ['signed by another key', () => sign(good, { key: () => stranger })],
    ['signed with a key that is not known', () => sign(good, { kid: 'other', key: () => stranger })],
    ['that nobody has signed', () => new UnsecuredJWT(good).encode()],
    ['whose header says that nobody has signed', () => `${base64({ alg: 'none' })}.${base64(good)}.`],
    [
      'signed with the public key as a secret',
      () => sign(good, { alg: 'HS256', key: () => new TextEncoder().encode(publicPem) }),
    ],
    [
      'signed with a secret among the keys',
      () => sign(good, { alg: 'HS256', kid: 'secret', key: () => new TextEncoder().encode(publicPem) }),
    ],
    [
      'that says itself where its key is',
      () =>
        sign(good, { kid: 'x', key: () => stranger, header: { jku: 'https://evil/keys', x5u: 'file:///etc/passwd' } }),
    ],
    ['whose key id is a path', () => sign(good, { kid: '../../../etc/passwd', key: () => stranger })],
    ['that is none', () => 'not.a.token'],
    ['that is enormous', () => `${'a'.repeat(60_000)}.b.c`],
    ['that is empty', () => ''],
  ])('are refused: one %s', async (_, make) => {
    await expect(tokens().verify(await make(), nowMs)).rejects.toThrow()
  })

  it('may be over by as much as clocks may differ', async () => {
    const token = await sign({ ...good, exp: now - 20 })
    expect((await tokens().verify(token, nowMs)).user).toBe('alice')
    await expect(tokens({ clockSkewSeconds: 10 }).verify(token, nowMs)).rejects.toThrow()
  })

  it('are taken without a signature only where that is said by name', async () => {
    const unsecured = new BearerTokens({ allowUnsecured: true })
    expect((await unsecured.verify(new UnsecuredJWT(good).encode(), nowMs)).user).toBe('alice')
    await expect(unsecured.verify(new UnsecuredJWT({ ...good, exp: now - 60 }).encode(), nowMs)).rejects.toThrow()
    await expect(unsecured.verify(await sign(good), nowMs)).rejects.toThrow()
    for (const options of [{}, { jwks: '' }, { jwks: '[]' }, { jwks: '{"keys":7}' }]) {
      expect(() => new BearerTokens(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })
})

describe('a login of OAUTHBEARER', () => {
  const read = (text: string) => readBearerLogin(Buffer.from(text.replaceAll('^', '\x01')))

  it.each([
    ['n,,^auth=Bearer abc.def==^^', { token: 'abc.def==', authorizationId: '' }],
    ['n,a=user=2Cx,^auth=bearer  t^^', { token: 't', authorizationId: 'user,x' }],
    ['n,,^host=h^auth=Bearer t^port=1^^', { token: 't', authorizationId: '' }],
  ])('is read: %s', (text, login) => {
    expect(read(text)).toEqual(login)
  })

  it.each([
    '',
    'n,,^^',
    'n,,^auth=Bearer t^',
    'n,,^auth=Bearer t',
    'y,,^auth=Bearer t^^',
    'n,,^auth=Basic t^^',
    'n,,^auth=Bearer t^auth=Bearer u^^',
    'n,,^auth=Bearer a b^^',
    'n,,^1=2^auth=Bearer t^^',
    'n,a=,^auth=Bearer t^^',
  ])('is none: %s', (text) => {
    expect(read(text)).toBeUndefined()
  })
})

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
