import { MillraceError } from '../errors.ts'
import type { ListenerTls } from '../listener-options.ts'
import { type ListenerConfig, listOf } from './listener-setting.ts'

export const tlsSettingNames: readonly string[] = [
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.key.password',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.certificates',
  'ssl.client.auth',
  'ssl.enabled.protocols',
  'ssl.principal.mapping.rules',
]

/**
 * Certificates and keys by Kafka's settings, in their PEM form.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function tlsOf(config: ListenerConfig, readFile: (path: string) => string): ListenerTls {
  for (const store of ['keystore', 'truststore']) requirePem(config.get(`ssl.${store}.type`), `ssl.${store}.type`)
  const location = config.get('ssl.keystore.location')
  const keystore = location === undefined ? undefined : readFile(location)
  const wanted = 'Name a PEM file with the key and the certificates, or give both as PEM texts.'
  const certificate = keystore ?? config.require('ssl.keystore.certificate.chain', wanted)
  const key = keystore ?? config.require('ssl.keystore.key', wanted)
  const truststore = config.get('ssl.truststore.location')
  const ca = truststore === undefined ? config.get('ssl.truststore.certificates') : readFile(truststore)
  const passphrase = config.get('ssl.key.password')
  const rules = config.get('ssl.principal.mapping.rules')
  return {
    certificate: pemBlocks(certificate, 'CERTIFICATE'),
    key: pemBlocks(key, 'PRIVATE KEY'),
    clientCertificates: clientCertificatesOf(config.get('ssl.client.auth')),
    ...versionsOf(config.get('ssl.enabled.protocols')),
    ...(passphrase !== undefined && { passphrase }),
    ...(ca !== undefined && { ca: pemBlocks(ca, 'CERTIFICATE') }),
    ...(rules !== undefined && { principalMappingRules: rules }),
  }
}

/** The blocks of one kind, each on lines of its own: in a settings file a text may be on a single line. */
function pemBlocks(text: string, kind: string): string {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g)]
    .filter(([, label]) => label?.endsWith(kind))
    .map(([whole, label, body = '']) => {
      // The older form of encrypted keys has headers, whose lines must stay.
      if (body.includes(':')) return whole
      return `-----BEGIN ${label}-----\n${body.trim().split(/\s+/).join('\n')}\n-----END ${label}-----`
    })
  if (blocks.length > 0) return `${blocks.join('\n')}\n`
  throw new MillraceError('INVALID_ARGUMENT', `There is no ${kind.toLowerCase()} in the PEM text`, {
    remedy: `It has to have a block that begins with -----BEGIN ${kind}-----.`,
  })
}

function requirePem(type: string | undefined, name: string): void {
  if (type === undefined || type === 'PEM') return
  throw new MillraceError('INVALID_ARGUMENT', `${name} is ${type}, but only PEM can be read`, {
    remedy: 'Export it: openssl pkcs12 -in keystore.p12 -out keystore.pem',
  })
}

function clientCertificatesOf(text = 'none'): 'none' | 'requested' | 'required' {
  if (text === 'none' || text === 'requested' || text === 'required') return text
  throw new MillraceError('INVALID_ARGUMENT', `'${text}' is not a value of ssl.client.auth`, {
    remedy: 'Write none, requested or required.',
  })
}

function versionsOf(text: string | undefined): Pick<ListenerTls, 'minVersion' | 'maxVersion'> {
  if (text === undefined) return {}
  const versions = listOf(text)
  const has = (version: string) => versions.includes(version)
  if (versions.length === 0 || versions.some((version) => version !== 'TLSv1.2' && version !== 'TLSv1.3')) {
    throw new MillraceError('INVALID_ARGUMENT', `'${text}' is not a value of ssl.enabled.protocols`, {
      remedy: 'Write TLSv1.2, TLSv1.3 or both.',
    })
  }
  return { minVersion: has('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3', maxVersion: has('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2' }
}
