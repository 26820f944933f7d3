import type { Address, ServerTlsOptions } from './env/environment.ts'

/** How clients of a listener talk (`org.apache.kafka.common.security.auth.SecurityProtocol`). */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'

/** Certificate and key of a listener, and what it asks of clients. */
export interface ListenerTls extends ServerTlsOptions {
  /** What subjects of clients' certificates are called by (`ssl.principal.mapping.rules`). Default: `DEFAULT`, the whole subject. */
  readonly principalMappingRules?: string
}

/** How clients of a listener log in. */
export interface ListenerSasl {
  /** What clients may choose from (`sasl.enabled.mechanisms`). Credentials of SCRAM are kept in the cluster, and made by Kafka's clients. */
  readonly mechanisms: readonly SaslMechanism[]
  /** Users of PLAIN and their passwords. */
  readonly plain?: Readonly<Record<string, string>>
  /** For OAUTHBEARER. */
  readonly bearer?: BearerOptions
  /** Who has logged in logs in again within so many milliseconds (`connections.max.reauth.ms`). Default: 0, when a token is over, if ever. */
  readonly maxReauthMs?: number
}

/** Which tokens (JWT) are good. */
export interface BearerOptions {
  /** The issuer's public keys, as the text of a JSON Web Key Set. */
  readonly jwks?: string
  /** Who the tokens have to be of (`sasl.oauthbearer.expected.issuer`). Default: whoever has the key. */
  readonly issuer?: string
  /** For whom they have to be: one of these at least (`sasl.oauthbearer.expected.audience`). Default: for anybody. */
  readonly audience?: readonly string[]
  /** What of a token the user is called by (`sasl.oauthbearer.sub.claim.name`). Default: `sub`. */
  readonly subjectClaim?: string
  /** By how much the issuer's clock may differ (`sasl.oauthbearer.clock.skew.seconds`). Default: 30. */
  readonly clockSkewSeconds?: number
  /** Takes tokens that nobody has signed, whoever they say that they are of: for tests alone. Default: false. */
  readonly allowUnsecured?: boolean
}

/** A port on which clients of Kafka's protocol are served, and how. Host and port alone are clear text, to everybody. */
export interface ListenerOptions extends Address {
  /** What it is called in Kafka's settings (`listeners`). Default: as the protocol. */
  readonly name?: string
  /** Default: PLAINTEXT. */
  readonly protocol?: SecurityProtocol
  /** What clients are told to connect to (`advertised.listeners`). Default: where it listens, `localhost` for all addresses. */
  readonly advertised?: Address
  /** For SSL and SASL_SSL, and for no others. */
  readonly tls?: ListenerTls
  /** For SASL_PLAINTEXT and SASL_SSL, and for no others. */
  readonly sasl?: ListenerSasl
}

/** Who may do what with the broker (ACLs): by rules that are kept in the cluster, and made by Kafka's clients. */
export interface AuthorizerOptions {
  /** Who may do everything, each as `User:NAME` (`super.users`). Default: nobody. */
  readonly superUsers?: readonly string[]
  /** Whether what no rule is about is allowed to everybody (`allow.everyone.if.no.acl.found`). Default: false. */
  readonly allowEveryoneIfNoRuleFound?: boolean
}

/** A port that only this machine reaches, a listener, or several. */
export type ListenOptions = number | ListenerOptions | readonly ListenerOptions[]
