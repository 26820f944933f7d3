import type { Address } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import type { ListenerOptions, ListenerSasl, ListenerTls, SecurityProtocol } from '../../listener-options.ts'
import { PrincipalMapping } from '../security/principal-mapping.ts'

/** A listener whose options were looked at. */
export interface ListenerSettings {
  readonly name: string
  readonly protocol: SecurityProtocol
  readonly address: Address
  readonly advertised: Address | undefined
  readonly tls: ListenerTls | undefined
  readonly sasl: ListenerSasl | undefined
  readonly principals: PrincipalMapping
}

/** @throws MillraceError INVALID_ARGUMENT where there is none, or a listener's options do not go together */
export function listenerSettingsOf(listeners: readonly ListenerOptions[]): ListenerSettings[] {
  if (listeners.length === 0) {
    throw new MillraceError('INVALID_ARGUMENT', 'There is no listener', { remedy: 'Give one at least.' })
  }
  const resolved = listeners.map(listenerSettings)
  const names = resolved.map(({ name }) => name.toUpperCase())
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice === undefined) return resolved
  throw new MillraceError('INVALID_ARGUMENT', `Two listeners are called ${twice}`, {
    remedy: 'Give each a name of its own (listener.security.protocol.map says what protocol a name has).',
  })
}

function listenerSettings(options: ListenerOptions): ListenerSettings {
  const { host, port, protocol = 'PLAINTEXT', name = protocol, advertised, tls, sasl } = options
  requirePort(port)
  if (advertised !== undefined) requirePort(advertised.port)
  if (protocol.endsWith('SSL') !== (tls !== undefined)) {
    const what = tls === undefined ? 'has no certificate' : 'has a certificate, but talks in clear text'
    throw new MillraceError('INVALID_ARGUMENT', `Listener ${name} (${protocol}) ${what}`, {
      remedy: 'Give `tls` (ssl.keystore.location) to listeners over TLS, and to no others.',
    })
  }
  if (protocol.startsWith('SASL') !== (sasl !== undefined)) {
    const what =
      sasl === undefined ? 'does not say how clients log in' : 'says how clients log in, but lets them in without'
    throw new MillraceError('INVALID_ARGUMENT', `Listener ${name} (${protocol}) ${what}`, {
      remedy: 'Give `sasl` (sasl.enabled.mechanisms) to listeners of SASL_PLAINTEXT and SASL_SSL, and to no others.',
    })
  }
  const principals = new PrincipalMapping(tls?.principalMappingRules)
  return { name, protocol, address: { host, port }, advertised, tls, sasl, principals }
}

function requirePort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return
  throw new MillraceError('INVALID_ARGUMENT', `${port} is not a port`, {
    remedy: 'Give a whole number from 0 to 65535; 0 takes a free one.',
  })
}
