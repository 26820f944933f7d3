import { describe, expect, it } from 'vitest'
import { ListenerConfig } from '../../src/cli/listener-setting.ts'
import { saslOf } from '../../src/cli/sasl-config.ts'
import { scramUser, scramUserRecord } from '../../src/cli/scram-user.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import type { ListenerSasl } from '../../src/listener-options.ts'

const files: Readonly<Record<string, string>> = { '/etc/my keys.json': '{"keys":[]}' }
const read = (config: Readonly<Record<string, string>>): ListenerSasl =>
  saslOf(new ListenerConfig(new Map(Object.entries(config)), 'SASL_SSL'), (path) => files[path] ?? '')

const jaas = (options: string): Record<string, string> => ({
  'sasl.enabled.mechanisms': 'PLAIN',
  'plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${options}`,
})

describe('how clients log in, by settings', () => {
  it.each<[string, Record<string, string>]>([
    ['user_alice="flour" user_bob=bran;', { alice: 'flour', bob: 'bran' }],
    ['\n  user_alice = "a \\"quoted\\" one\\\\" ;\n', { alice: 'a "quoted" one\\' }],
    ['username="broker" password="x" user_broker="x; y=z";', { broker: 'x; y=z' }],
    [';', {}],
  ])('PLAIN has the users of the login module: %s', (options, plain) => {
    expect(read(jaas(options))).toEqual({ mechanisms: ['PLAIN'], plain })
  })

  it.each(['user_alice="flour"', 'user_alice="flour" oops;', 'user_alice=;', 'user_alice="flour;'])(
    'a login module is refused without showing what is in it: %s',
    (options) => {
      expect(() => read(jaas(options))).toThrow('plain.sasl.jaas.config cannot be read')
      expect(() => read(jaas(options))).not.toThrow('flour')
    },
  )

  it('a listener has its own settings before those of all', () => {
    const config = {
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    }
    expect(read(config)).toEqual({ mechanisms: ['SCRAM-SHA-512'] })
    expect(read({ ...config, 'connections.max.reauth.ms': '3600000' })).toMatchObject({ maxReauthMs: 3_600_000 })
  })

  it('OAUTHBEARER has its keys from a file', () => {
    const config = {
      'sasl.enabled.mechanisms': 'OAUTHBEARER, SCRAM-SHA-256',
      'sasl.oauthbearer.jwks.endpoint.url': 'file:/etc/my%20keys.json',
      'sasl.oauthbearer.expected.issuer': 'https://issuer',
      'sasl.oauthbearer.expected.audience': 'a, b',
      'sasl.oauthbearer.sub.claim.name': 'email',
      'sasl.oauthbearer.clock.skew.seconds': '5',
    }
    const bearer = {
      ...{ jwks: '{"keys":[]}', issuer: 'https://issuer', audience: ['a', 'b'] },
      ...{ subjectClaim: 'email', clockSkewSeconds: 5 },
    }
    expect(read(config)).toEqual({ mechanisms: ['OAUTHBEARER', 'SCRAM-SHA-256'], bearer })
    const handler =
      'org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler'
    const unsecured = {
      'sasl.enabled.mechanisms': 'OAUTHBEARER',
      'oauthbearer.sasl.server.callback.handler.class': handler,
    }
    expect(read(unsecured).bearer).toEqual({ allowUnsecured: true })
  })

  it.each<[Record<string, string>, string]>([
    [{}, 'sasl.enabled.mechanisms is missing'],
    [{ 'sasl.enabled.mechanisms': 'OAUTHBEARER' }, 'sasl.oauthbearer.jwks.endpoint.url is missing'],
    [
      { 'sasl.enabled.mechanisms': 'OAUTHBEARER', 'sasl.oauthbearer.jwks.endpoint.url': 'https://issuer/keys' },
      "cannot be read from 'https://issuer/keys'",
    ],
    [
      { 'sasl.enabled.mechanisms': 'OAUTHBEARER', 'oauthbearer.sasl.server.callback.handler.class': 'com.Mine' },
      'There is no com.Mine',
    ],
    [{ ...jaas(';'), 'connections.max.reauth.ms': '-1' }, "'-1' is not a value of connections.max.reauth.ms"],
  ])('are refused: %j', (config, why) => {
    expect(() => read(config)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(why) }),
    )
  })
})

describe('--add-scram', () => {
  const random = new SeededRandom(1)

  it('makes a credential of a password, with a salt of its own', () => {
    const [one, other] = [0, 1].map(() => scramUser('SCRAM-SHA-256=[name=alice,password=flour]', random))
    expect(one).toMatchObject({ name: 'alice', mechanism: 'SCRAM-SHA-256', credential: { iterations: 4_096 } })
    expect(one?.credential.salt).not.toEqual(other?.credential.salt)
    const quoted = scramUser('SCRAM-SHA-512=[name="a,b",password="x=[y],z",iterations=8192]', random)
    expect(scramUserRecord(quoted)).toMatchObject({ name: 'a,b', mechanism: 2, iterations: 8_192 })
  })

  it.each([
    'alice:flour',
    'PLAIN=[name=alice,password=flour]',
    'SCRAM-SHA-256=[name=alice]',
    'SCRAM-SHA-256=[name=,password=flour]',
    'SCRAM-SHA-256=[name=alice,password=]',
    'SCRAM-SHA-256=[name=alice,password=flour,iterations=100]',
    'SCRAM-SHA-256=[name=alice,password=flour,iterations=20000]',
  ])('is refused without showing what is in it: %s', (text) => {
    expect(() => scramUser(text, random)).toThrow('cannot be read')
    expect(() => scramUser(text, random)).not.toThrow('flour')
  })
})
