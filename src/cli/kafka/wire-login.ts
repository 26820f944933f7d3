import { codeOf } from '../../broker/protocol/error-codes.ts'
import { saslAuthenticate } from '../../broker/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../broker/protocol/messages/sasl-handshake.ts'
import { credentialOf, hmac, maxIterations, type ScramMechanism, saltedPassword } from '../../broker/security/scram.ts'
import type { Random } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import type { WireConnection } from './wire-connection.ts'

export interface Login {
  /** In small letters, as kafkajs writes it. */
  readonly mechanism: string
  readonly username: string
  readonly password: string
}

/** More are a load for us that a cluster has no reason for. */
const mostIterations = 100 * maxIterations
const serverFirstShape = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d+)$/

/** Says who we are, by PLAIN or SCRAM. @throws MillraceError AUTHENTICATION_FAILED */
export async function logIn(wire: WireConnection, login: Login, random: Random): Promise<void> {
  const mechanism = login.mechanism.toUpperCase()
  const { errorCode, mechanisms } = await wire.ask(saslHandshake, 1, { mechanism })
  if (errorCode !== codeOf('NONE')) throw failed(`The cluster has no ${mechanism}, but ${mechanisms.join(', ')}`)
  if (mechanism === 'PLAIN') await step(wire, `\0${login.username}\0${login.password}`)
  else await logInByScram(wire, mechanism as ScramMechanism, login, random)
}

/** RFC 5802, section 3; the server proves as well that it knows the password. */
async function logInByScram(
  wire: WireConnection,
  mechanism: ScramMechanism,
  { username, password }: Login,
  random: Random,
): Promise<void> {
  const ownNonce = Array.from({ length: 4 }, () => random.uint32().toString(36)).join('')
  const first = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${ownNonce}`
  const serverFirst = await step(wire, `n,,${first}`)
  const [, nonce = '', salt = '', count = ''] = serverFirstShape.exec(serverFirst) ?? []
  const iterations = Number(count)
  if (!nonce.startsWith(ownNonce) || nonce === ownNonce || iterations < 1 || iterations > mostIterations)
    throw failed('The cluster does not answer as SCRAM has it')
  const keys = { salt: Buffer.from(salt, 'base64'), iterations }
  const salted = saltedPassword(mechanism, password, keys.salt, iterations)
  const { storedKey, serverKey } = credentialOf(mechanism, salted, keys)
  const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`
  const authMessage = `${first},${serverFirst},${withoutProof}`
  const signature = hmac(mechanism, storedKey, authMessage)
  const proof = hmac(mechanism, salted, 'Client Key').map((byte, i) => byte ^ (signature[i] as number))
  const answer = await step(wire, `${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  if (answer !== `v=${hmac(mechanism, serverKey, authMessage).toString('base64')}`)
    throw failed('The cluster does not know the password either')
}

async function step(wire: WireConnection, text: string): Promise<string> {
  const { errorCode, errorMessage, authBytes } = await wire.ask(saslAuthenticate, 1, { authBytes: Buffer.from(text) })
  if (errorCode !== codeOf('NONE')) throw failed(errorMessage ?? 'The cluster does not let us in')
  return Buffer.from(authBytes).toString()
}

function failed(what: string): MillraceError {
  return new MillraceError('AUTHENTICATION_FAILED', what, { remedy: 'Look at --command-config.' })
}
