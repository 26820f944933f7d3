import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify, UnsecuredJWT } from 'jose'
import { MillraceError, messageOf } from '../../errors.ts'
import type { BearerOptions } from '../../listener-options.ts'

/** What a token that was found good says. */
export interface BearerIdentity {
  readonly user: string
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/**
 * Signatures by the issuer's private key alone: no token without one, and none that is signed with a secret, for which an
 * issuer's public key could be taken.
 */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const defaultClockSkewSeconds = 30

interface Expectations {
  readonly issuer?: string
  readonly audience?: string[]
  readonly clockTolerance: number
  readonly currentDate: Date
  readonly requiredClaims: string[]
}

/** Tells good tokens of OAUTHBEARER from others (`BrokerJwtValidator`). Keys are those of the settings; no token names where to get one. */
export class BearerTokens {
  readonly #options: BearerOptions
  readonly #subjectClaim: string
  readonly #keys: JWTVerifyGetKey | undefined

  /** @throws MillraceError INVALID_ARGUMENT where the keys are none */
  constructor(options: BearerOptions) {
    this.#options = options
    this.#subjectClaim = options.subjectClaim ?? 'sub'
    this.#keys = options.allowUnsecured === true ? undefined : keysOf(options.jwks)
  }

  /** Who the token is of; rejects, saying why, where it is not good. */
  async verify(token: string, nowMs: number): Promise<BearerIdentity> {
    const expectations = this.#expectations(nowMs)
    const { payload } =
      this.#keys === undefined
        ? UnsecuredJWT.decode(token, expectations)
        : await jwtVerify(token, this.#keys, { ...expectations, algorithms })
    const user = payload[this.#subjectClaim]
    if (typeof user !== 'string' || user === '') throw new Error(`the token has no ${this.#subjectClaim}`)
    return { user, expiresAtMs: (payload.exp as number) * 1_000 }
  }

  #expectations(nowMs: number): Expectations {
    const { issuer, audience, clockSkewSeconds = defaultClockSkewSeconds } = this.#options
    return {
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience: [...audience] }),
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(nowMs),
      requiredClaims: ['exp', this.#subjectClaim],
    }
  }
}

function keysOf(jwks: string | undefined): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(JSON.parse(jwks ?? '') as JSONWebKeySet)
  } catch (cause) {
    throw new MillraceError('INVALID_ARGUMENT', `The keys of OAUTHBEARER are no JWKS: ${messageOf(cause)}`, {
      remedy:
        'Give the text of a JSON Web Key Set with the public keys of the issuer, or allow unsecured tokens by name.',
      cause,
    })
  }
}
