import type { Address, ServerTlsOptions } from './env/environment.ts'

/** How clients of a listener talk (`org.apache.kafka.common.security.auth.SecurityProtocol`). */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL'

/** Certificate and key of a listener, and what it asks of clients. */
export interface ListenerTls extends ServerTlsOptions {
  /** What subjects of clients' certificates are called by (`ssl.principal.mapping.rules`). Default: `DEFAULT`, the whole subject. */
  readonly principalMappingRules?: string
}

/** A port on which clients of Kafka's protocol are served, and how. Host and port alone are clear text, to everybody. */
export interface ListenerOptions extends Address {
  /** What it is called in Kafka's settings (`listeners`). Default: as the protocol. */
  readonly name?: string
  /** Default: PLAINTEXT. */
  readonly protocol?: SecurityProtocol
  /** What clients are told to connect to (`advertised.listeners`). Default: where it listens, `localhost` for all addresses. */
  readonly advertised?: Address
  /** For listeners over TLS, and for no others. */
  readonly tls?: ListenerTls
}

/** A port that only this machine reaches, a listener, or several. */
export type ListenOptions = number | ListenerOptions | readonly ListenerOptions[]
