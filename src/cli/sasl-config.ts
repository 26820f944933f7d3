import { MillraceError } from '../errors.ts'
import type { BearerOptions, ListenerSasl, SaslMechanism } from '../listener-options.ts'
import { type ListenerConfig, listOf } from './listener-setting.ts'

const unsecuredValidator =
  'org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler'

export const saslSettingNames: readonly string[] = [
  'sasl.enabled.mechanisms',
  'plain.sasl.jaas.config',
  'connections.max.reauth.ms',
  'sasl.oauthbearer.jwks.endpoint.url',
  'sasl.oauthbearer.expected.issuer',
  'sasl.oauthbearer.expected.audience',
  'sasl.oauthbearer.sub.claim.name',
  'sasl.oauthbearer.clock.skew.seconds',
  'oauthbearer.sasl.server.callback.handler.class',
]

/**
 * How clients log in by Kafka's settings. Users of PLAIN are in `plain.sasl.jaas.config`, as
 * `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";`.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function saslOf(config: ListenerConfig, readFile: (path: string) => string): ListenerSasl {
  const stated = config.require('sasl.enabled.mechanisms', 'Write PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER.')
  const mechanisms = listOf(stated) as SaslMechanism[]
  const jaas = config.get('plain.sasl.jaas.config')
  const maxReauthMs = config.get('connections.max.reauth.ms')
  return {
    mechanisms,
    ...(mechanisms.includes('PLAIN') && jaas !== undefined && { plain: usersOf(jaas) }),
    ...(mechanisms.includes('OAUTHBEARER') && { bearer: bearerOf(config, readFile) }),
    ...(maxReauthMs !== undefined && { maxReauthMs: wholeNumber('connections.max.reauth.ms', maxReauthMs) }),
  }
}

/** The options `user_NAME="PASSWORD"` of a login module; a quote in a password is written `\"`. */
function usersOf(jaas: string): Record<string, string> {
  const module = /^\s*org\.apache\.kafka\.common\.security\.plain\.PlainLoginModule\s+required\s+(.*?)\s*;\s*$/s.exec(
    jaas,
  )
  let left = module?.[1]
  const users: [string, string][] = []
  while (left !== undefined && left !== '') {
    const option = /^([^\s=]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))\s*/s.exec(left)
    if (option === null) break
    const [whole, name = '', quoted, bare] = option
    left = left.slice(whole.length)
    // `username` and `password` are what a broker logs in with at other brokers.
    if (name.startsWith('user_'))
      users.push([name.slice('user_'.length), quoted?.replace(/\\(.)/gs, '$1') ?? bare ?? ''])
  }
  if (left === '') return Object.fromEntries(users)
  // What is wrong is not shown: there are passwords in it.
  throw new MillraceError('INVALID_ARGUMENT', 'plain.sasl.jaas.config cannot be read', {
    remedy: 'Write org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="password";',
  })
}

function bearerOf(config: ListenerConfig, readFile: (path: string) => string): BearerOptions {
  const issuer = config.get('sasl.oauthbearer.expected.issuer')
  const audience = config.get('sasl.oauthbearer.expected.audience')
  const subjectClaim = config.get('sasl.oauthbearer.sub.claim.name')
  const skew = config.get('sasl.oauthbearer.clock.skew.seconds')
  return {
    ...keysOf(config, readFile),
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience: listOf(audience) }),
    ...(subjectClaim !== undefined && { subjectClaim }),
    ...(skew !== undefined && { clockSkewSeconds: wholeNumber('sasl.oauthbearer.clock.skew.seconds', skew) }),
  }
}

function keysOf(config: ListenerConfig, readFile: (path: string) => string): BearerOptions {
  const validator = config.get('oauthbearer.sasl.server.callback.handler.class')
  if (validator === unsecuredValidator) return { allowUnsecured: true }
  if (validator !== undefined) {
    throw new MillraceError('INVALID_ARGUMENT', `There is no ${validator}`, {
      remedy: `Leave it out, or name ${unsecuredValidator} to take tokens that nobody has signed.`,
    })
  }
  const wanted = 'Name the file of a JSON Web Key Set with the public keys of the issuer, as file:/etc/keys.json.'
  const url = config.require('sasl.oauthbearer.jwks.endpoint.url', wanted)
  if (URL.parse(url)?.protocol !== 'file:') {
    throw new MillraceError('INVALID_ARGUMENT', `Keys of OAUTHBEARER cannot be read from '${url}'`, { remedy: wanted })
  }
  return { jwks: readFile(decodeURIComponent(new URL(url).pathname)) }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new MillraceError('INVALID_ARGUMENT', `'${text}' is not a value of ${name}`, {
    remedy: 'Write a whole number.',
  })
}
