import { hmac, isProofOf, keyBytes, minIterations, type ScramCredential, type ScramMechanism } from './scram.ts'

/** What a login needs beside what the client says. */
export interface ScramParts {
  /** The stored credential of a user; undefined where there is none. */
  readonly credential: (mechanism: ScramMechanism, user: string) => ScramCredential | undefined
  /** Printable characters that were never used before. */
  readonly serverNonce: string
  /** Makes up the salts of users that there are not, so that they look as those that there are. */
  readonly secret: Buffer
}

/** A login between the client's first message and its last. */
export interface ScramExchange {
  readonly mechanism: ScramMechanism
  readonly user: string
  readonly credential: ScramCredential
  /** Whether there is such a user; only the last message tells. */
  readonly isKnown: boolean
  /** What the last message has to say of the first. */
  readonly channelBinding: string
  readonly nonce: string
  readonly clientFirstBare: string
  readonly serverFirst: string
}

const saslName = String.raw`(?:[^=,\0]|=2C|=3D)+`
const printable = String.raw`[\x21-\x2b\x2d-\x7e]+`
/** `m=` would be an extension that must be understood, `p=` a channel binding that there is not. */
const firstShape = new RegExp(
  `^((?:n|y),(?:a=(${saslName}))?,)(n=(${saslName}),r=(${printable})((?:,[A-Za-z]=[^,\\0]+)*))$`,
)
const lastShape = new RegExp(`^(c=([A-Za-z0-9+/=]+),r=(${printable})(?:,[A-Za-z]=[^,\\0]+)*),p=([A-Za-z0-9+/=]+)$`)
const longestName = 1_024

/**
 * The client's first message (RFC 5802, section 5): undefined where it is not one. Users that there are not are asked for
 * their proof as well.
 */
export function beginScram(mechanism: ScramMechanism, message: Buffer, parts: ScramParts): ScramExchange | undefined {
  const found = firstShape.exec(message.toString())
  if (found === null) return undefined
  const [, header = '', authorizationId, clientFirstBare = '', name = '', clientNonce = '', extensions = ''] = found
  const user = decoded(name)
  // Delegation tokens log in by an extension that says so; there are none.
  if (user.length > longestName || /,tokenauth=true/i.test(extensions)) return undefined
  if (authorizationId !== undefined && decoded(authorizationId) !== user) return undefined
  const stored = parts.credential(mechanism, user)
  const credential = stored ?? madeUp(mechanism, user, parts.secret)
  const nonce = clientNonce + parts.serverNonce
  const serverFirst = `r=${nonce},s=${credential.salt.toString('base64')},i=${credential.iterations}`
  const channelBinding = Buffer.from(header).toString('base64')
  return {
    ...{ mechanism, user, credential, isKnown: stored !== undefined },
    ...{ channelBinding, nonce, clientFirstBare, serverFirst },
  }
}

/** The client's last message: what the server answers where it proves that the client knows the password, otherwise undefined. */
export function endScram(exchange: ScramExchange, message: Buffer): string | undefined {
  const found = lastShape.exec(message.toString())
  if (found === null) return undefined
  const [, withoutProof = '', channelBinding, nonce, proof = ''] = found
  if (channelBinding !== exchange.channelBinding || nonce !== exchange.nonce) return undefined
  const { mechanism, credential, isKnown, clientFirstBare, serverFirst } = exchange
  const authMessage = `${clientFirstBare},${serverFirst},${withoutProof}`
  const isProved = isProofOf(mechanism, credential.storedKey, authMessage, Buffer.from(proof, 'base64'))
  if (!isProved || !isKnown) return undefined
  return `v=${hmac(mechanism, credential.serverKey, authMessage).toString('base64')}`
}

function madeUp(mechanism: ScramMechanism, user: string, secret: Buffer): ScramCredential {
  const salt = hmac(mechanism, secret, `salt of ${user}`)
  const key = hmac(mechanism, secret, `key of ${user}`).subarray(0, keyBytes(mechanism))
  return { salt, storedKey: key, serverKey: key, iterations: minIterations }
}

function decoded(name: string): string {
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
