import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  credentialOf,
  type ScramCredential,
  type ScramMechanism,
  saltedPassword,
} from '../../../src/broker/security/scram.ts'
import { beginScram, endScram, type ScramParts } from '../../../src/broker/security/scram-exchange.ts'
import { ScramClient } from './scram-client.ts'

/** The exchange of RFC 7677, section 3, and what Apache Kafka's ScramFormatter makes of one with the longer hash. */
const known = [
  {
    mechanism: 'SCRAM-SHA-256',
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    last: 'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    verifier: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
  {
    mechanism: 'SCRAM-SHA-512',
    nonce: '02431b08-2f0c-4bad-a4e6-80c0564f8b65',
    salt: 'Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=',
    last: 'p=jIg13eSVw+mBiCuAm3rA6p9CjtSli0vWgq0LWWkqD2X2IYNEaT2y3pd7pmXnKimvaI+1VMEy/6bX9h+8jdccpg==',
    verifier: 'v=2f43nuj45kTUZHoq7EvA0/vXVt2ienalnn2u7Sjyb+lJtCzLO6lLpprcifAogMMi9VqQJCdOaJK216liJhIaSA==',
  },
] as const
const clientNonce = 'rOprNGfwEbeRWgbNEkqO'

function credential(mechanism: ScramMechanism, password: string, salt: Buffer, iterations = 4_096): ScramCredential {
  return credentialOf(mechanism, saltedPassword(mechanism, password, salt, iterations), { salt, iterations })
}

function parts(users: Readonly<Record<string, ScramCredential>>, serverNonce = 'server'): ScramParts {
  return { credential: (_, user) => users[user], serverNonce, secret: Buffer.from('secret') }
}

const pencil = credential('SCRAM-SHA-256', 'pencil', Buffer.from('salt'))

describe('a login with SCRAM', () => {
  it.each(known)('is as others make it: $mechanism', ({ mechanism, nonce, salt, last, verifier }) => {
    const users = { user: credential(mechanism, 'pencil', Buffer.from(salt, 'base64')) }
    const exchange = beginScram(mechanism, Buffer.from(`n,,n=user,r=${clientNonce}`), parts(users, nonce))
    expect(exchange?.serverFirst).toBe(`r=${clientNonce}${nonce},s=${salt},i=4096`)
    expect(endScram(exchange!, Buffer.from(`c=biws,r=${clientNonce}${nonce},${last}`))).toBe(verifier)
  })

  it.each([
    ['user', 'pencil'],
    ['a,b=c', 'p,=w'],
    ['Jürgen', 'Pässwört'],
    ['=2C', '=2C'],
  ])('is good for %s with the right password, and for nobody with another', (user, password) => {
    const users = { [user]: credential('SCRAM-SHA-512', password, Buffer.from('other salt'), 8_192) }
    const login = (wanted: string): string | undefined => {
      const client = new ScramClient('SCRAM-SHA-512', user, wanted)
      const exchange = beginScram('SCRAM-SHA-512', client.first(), parts(users))
      expect(exchange?.user).toBe(user)
      const answer = endScram(exchange!, client.last(exchange!.serverFirst))
      if (answer !== undefined) expect(client.isServer(answer)).toBe(true)
      return answer
    }
    expect(login(password)).toBeDefined()
    expect(login(`${password}x`)).toBeUndefined()
  })

  it('takes an authorization id that is the user, and channel binding that the client could do without', () => {
    for (const header of ['n,a=user,', 'y,,']) {
      const client = new ScramClient('SCRAM-SHA-256', 'user', 'pencil', header)
      const exchange = beginScram('SCRAM-SHA-256', client.first(), parts({ user: pencil }))
      expect(endScram(exchange!, client.last(exchange!.serverFirst))).toBeDefined()
    }
  })

  it.each([
    'n,,n=user',
    'n,,r=abc',
    'n=user,r=abc',
    'p=tls-unique,,n=user,r=abc',
    'n,a=other,n=user,r=abc',
    'n,,m=extension,n=user,r=abc',
    'n,,n=,r=abc',
    'n,,n=us=er,r=abc',
    'n,,n=user,r=',
    'n,,n=user,r=a b',
    'n,,n=us\0er,r=abc',
    'n,,n=user,r=abc,tokenauth=true',
    'n,,n=user,r=abc,t=1,tokenauth=true',
    `n,,n=${'u'.repeat(2_000)},r=abc`,
    '',
  ])('does not begin with %j', (message) => {
    expect(beginScram('SCRAM-SHA-256', Buffer.from(message), parts({ user: pencil }))).toBeUndefined()
  })

  it('does not tell a user that there is not from one that there is, until its password is wrong', () => {
    const first = (user: string) =>
      beginScram('SCRAM-SHA-256', new ScramClient('SCRAM-SHA-256', user, 'x').first(), parts({ user: pencil }))
    const [none, again, other] = [first('nobody'), first('nobody'), first('none')]
    expect(none?.serverFirst).toMatch(/^r=[^,]+,s=[A-Za-z0-9+/=]+,i=4096$/)
    expect(again?.credential.salt).toEqual(none?.credential.salt)
    expect(other?.credential.salt).not.toEqual(none?.credential.salt)
    const client = new ScramClient('SCRAM-SHA-256', 'nobody', 'x')
    const exchange = beginScram('SCRAM-SHA-256', client.first(), parts({}))
    expect(endScram(exchange!, client.last(exchange!.serverFirst))).toBeUndefined()
  })

  it('ends with nothing but the message that was made for it: another nonce, header or proof is refused', () => {
    const client = new ScramClient('SCRAM-SHA-256', 'user', 'pencil')
    const exchange = beginScram('SCRAM-SHA-256', client.first(), parts({ user: pencil }))!
    const last = client.last(exchange.serverFirst).toString()
    expect(endScram(exchange, Buffer.from(last))).toBeDefined()
    const others = [
      last.replace('c=biws', 'c=eSws'),
      last.replace(exchange.nonce, exchange.nonce.slice(0, -1)),
      last.replace(exchange.nonce, 'server'),
      last.replace(/,p=.*/, ''),
      last.replace(/p=.*/, 'p=AAAA'),
      `${last},x=1`,
    ]
    for (const other of others) expect(endScram(exchange, Buffer.from(other)), other).toBeUndefined()
    // A login of before, sent again, meets another nonce.
    const next = beginScram('SCRAM-SHA-256', client.first(), parts({ user: pencil }, 'another'))!
    expect(endScram(next, Buffer.from(last))).toBeUndefined()
  })

  it('is refused with any bit of the last message changed', () => {
    const client = new ScramClient('SCRAM-SHA-256', 'user', 'pencil')
    const exchange = beginScram('SCRAM-SHA-256', client.first(), parts({ user: pencil }))!
    const last = client.last(exchange.serverFirst)
    fc.assert(
      fc.property(fc.nat(last.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(last)
        changed[at] = (changed[at] as number) ^ (1 << bit)
        const answer = endScram(exchange, changed)
        // The last characters of base64 have bits that mean nothing.
        const isSame = Buffer.from(proofOf(changed), 'base64').equals(Buffer.from(proofOf(last), 'base64'))
        expect(answer === undefined || isSame).toBe(true)
      }),
    )
  })
})

function proofOf(message: Buffer): string {
  return message.toString('latin1').split(',p=')[1] ?? ''
}
