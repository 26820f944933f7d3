import type { Environment, Random } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import type { ListenerSasl, SaslMechanism } from '../../listener-options.ts'
import { type BearerIdentity, BearerTokens } from './bearer-tokens.ts'
import { PlainUsers } from './plain.ts'
import type { SaslContext } from './sasl-step.ts'
import { isScram, type ScramCredential, type ScramMechanism } from './scram.ts'

const secretBytes = 32
const nonceBytes = 24

export type CredentialLookup = (mechanism: ScramMechanism, user: string) => ScramCredential | undefined

/** What the clients of a listener may log in with, and what is needed to tell whether they may. */
export class LoginMethods {
  readonly mechanisms: readonly SaslMechanism[]
  readonly #environment: Pick<Environment, 'clock' | 'random'>
  readonly #plainUsers: PlainUsers
  readonly #bearerTokens: BearerTokens | undefined
  readonly #credentials: CredentialLookup
  readonly #maxReauthMs: number
  readonly #secret: Buffer

  /** @throws MillraceError INVALID_ARGUMENT where the options do not go together */
  constructor(
    options: ListenerSasl,
    environment: Pick<Environment, 'clock' | 'random'>,
    credentials: CredentialLookup = () => undefined,
  ) {
    const { mechanisms, plain = {}, bearer, maxReauthMs = 0 } = options
    requireMechanisms(options)
    this.mechanisms = mechanisms
    this.#environment = environment
    this.#secret = drawBytes(environment.random, secretBytes)
    this.#plainUsers = new PlainUsers(plain, this.#secret)
    this.#bearerTokens = bearer === undefined ? undefined : new BearerTokens(bearer)
    this.#credentials = credentials
    this.#maxReauthMs = maxReauthMs
  }

  /** What a step of a login knows. */
  context(): SaslContext {
    const { clock, random } = this.#environment
    return {
      mechanisms: this.mechanisms,
      isPlainUser: (login) => this.#plainUsers.isRight(login),
      credential: this.#credentials,
      maxReauthMs: this.#maxReauthMs,
      serverNonce: drawBytes(random, nonceBytes).toString('base64'),
      secret: this.#secret,
      nowMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
    }
  }

  /** Who a token of OAUTHBEARER is of; undefined where it is not good, for whatever reason. */
  async verify(token: string): Promise<BearerIdentity | undefined> {
    try {
      return await this.#bearerTokens?.verify(token, this.#environment.clock.wallMs())
    } catch {
      // The client is not told why, which would help who guesses; that a login has failed is reported by the connection.
      return undefined
    }
  }
}

/** Bytes that nobody can guess on a real machine, and that a seed gives again in a virtual one. */
export function drawBytes(random: Random, count: number): Buffer {
  const bytes = Buffer.alloc(count)
  for (let i = 0; i < count; i += 4) bytes.writeUInt32LE(random.uint32(), i)
  return bytes
}

function requireMechanisms({ mechanisms, plain, bearer, maxReauthMs = 0 }: ListenerSasl): void {
  const known = (mechanism: string) => mechanism === 'PLAIN' || mechanism === 'OAUTHBEARER' || isScram(mechanism)
  const unknown = mechanisms.find((mechanism) => !known(mechanism))
  if (unknown !== undefined || mechanisms.length === 0) {
    throw new MillraceError('INVALID_ARGUMENT', `'${unknown ?? ''}' is not a mechanism of SASL`, {
      remedy: 'Give one or more of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER (sasl.enabled.mechanisms).',
    })
  }
  if (mechanisms.includes('OAUTHBEARER') !== (bearer !== undefined)) {
    throw new MillraceError('INVALID_ARGUMENT', 'OAUTHBEARER needs to know which tokens are good', {
      remedy: 'Give `bearer` (sasl.oauthbearer.jwks.endpoint.url) with OAUTHBEARER, and only with it.',
    })
  }
  if (mechanisms.includes('PLAIN') !== (plain !== undefined)) {
    throw new MillraceError('INVALID_ARGUMENT', 'PLAIN needs users with passwords', {
      remedy: 'Give `plain` (plain.sasl.jaas.config) with PLAIN, and only with it.',
    })
  }
  if (Number.isSafeInteger(maxReauthMs) && maxReauthMs >= 0) return
  throw new MillraceError('INVALID_ARGUMENT', `${maxReauthMs} is not a time after which clients log in again`, {
    remedy: 'Give whole milliseconds (connections.max.reauth.ms), or 0 for none.',
  })
}
