import type { Address } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import type { ListenerOptions, ListenerTls, SecurityProtocol } from '../listener-options.ts'

/** Settings by Kafka's names. */
export type Config = ReadonlyMap<string, string>

export interface ListenerWords {
  /** `NAME://HOST:PORT`, or HOST:PORT for clear text. None: what `listeners` says, or this machine's port 9092. */
  readonly listen: readonly string[]
  readonly advertise: readonly string[]
  readonly config: Config
  readonly readFile: (path: string) => string
}

const ownNames = ['listeners', 'advertised.listeners', 'listener.security.protocol.map']
const tlsNames = [
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
/** What is said for all listeners, and for one of them behind `listener.name.NAME.` */
const perListener: ReadonlySet<string> = new Set(tlsNames)

/** The settings that say how clients are let in. */
export const listenerSettingNames: readonly string[] = [...ownNames, ...tlsNames]

export function isListenerSetting(name: string): boolean {
  return ownNames.includes(name) || perListener.has(name.replace(/^listener\.name\.[^.]+\./, ''))
}

const protocols: Readonly<Record<string, SecurityProtocol>> = { PLAINTEXT: 'PLAINTEXT', SSL: 'SSL' }

/**
 * The listeners that the words of a command and Kafka's settings (`listeners`, `advertised.listeners`,
 * `listener.security.protocol.map`, `ssl.*` in their PEM form) ask for.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function listenersOf({ listen, advertise, config, readFile }: ListenerWords): ListenerOptions[] {
  if (listen.length > 0 && config.has('listeners')) throw saidTwice('--listen', 'listeners')
  if (advertise.length > 0 && config.has('advertised.listeners')) throw saidTwice('--advertise', 'advertised.listeners')
  const stated = listen.length > 0 ? listen : listOf(config.get('listeners') ?? '127.0.0.1:9092')
  const protocolOf = protocolsOf(config.get('listener.security.protocol.map'))
  const named = stated.map((text) => namedAddress(text))
  const names = named.map(({ name }) => name)
  const advertised = advertisedOf(advertise.length > 0 ? advertise : listOf(config.get('advertised.listeners')), names)
  requireKnownListeners(config, names)
  return named.map(({ name, address }) => {
    const protocol = protocolOf(name)
    const tls = protocol === 'SSL' ? tlsOf(new ListenerConfig(config, name), readFile) : undefined
    const at = advertised.get(name)
    return { ...address, name, protocol, ...(at && { advertised: at }), ...(tls && { tls }) }
  })
}

/** The settings as they are for one listener. */
class ListenerConfig {
  readonly #config: Config
  readonly #prefix: string

  constructor(config: Config, listener: string) {
    this.#config = config
    this.#prefix = `listener.name.${listener.toLowerCase()}.`
  }

  get(name: string): string | undefined {
    return this.#config.get(this.#prefix + name) ?? this.#config.get(name)
  }

  require(name: string, wanted: string): string {
    const value = this.get(name)
    if (value !== undefined) return value
    throw new MillraceError('INVALID_ARGUMENT', `${name} is missing`, { remedy: wanted })
  }
}

function tlsOf(config: ListenerConfig, readFile: (path: string) => string): ListenerTls {
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

function protocolsOf(map: string | undefined): (listener: string) => SecurityProtocol {
  const byName = new Map<string, string>(listOf(map).map((pair) => pair.split(':', 2) as [string, string]))
  return (listener) => {
    const protocol = protocols[byName.get(listener) ?? (map === undefined ? listener : '')]
    if (protocol !== undefined) return protocol
    throw new MillraceError('INVALID_ARGUMENT', `The protocol of listener ${listener} is not known`, {
      remedy: `Protocols are ${Object.keys(protocols).join(', ')}; listener.security.protocol.map=${listener}:SSL gives a name one of them.`,
    })
  }
}

function advertisedOf(texts: readonly string[], names: readonly string[]): ReadonlyMap<string, Address> {
  const advertised = new Map<string, Address>()
  for (const text of texts) {
    const { name, address } = namedAddress(text, names[0])
    if (!names.includes(name)) {
      throw new MillraceError('INVALID_ARGUMENT', `'${text}' advertises a listener that there is not`, {
        remedy: `There are: ${names.join(', ')}.`,
      })
    }
    advertised.set(name, address)
  }
  return advertised
}

function requireKnownListeners(config: Config, names: readonly string[]): void {
  for (const name of config.keys()) {
    const listener = /^listener\.name\.([^.]+)\./.exec(name)?.[1]
    if (listener === undefined || names.some((one) => one.toLowerCase() === listener)) continue
    throw new MillraceError('INVALID_ARGUMENT', `${name} is about a listener that there is not`, {
      remedy: `There are: ${names.map((one) => one.toLowerCase()).join(', ')}.`,
    })
  }
}

function namedAddress(text: string, byDefault = 'PLAINTEXT'): { name: string; address: Address } {
  const [, name = byDefault, place = ''] = /^(?:([A-Za-z0-9_-]+):\/\/)?(.*)$/.exec(text) ?? []
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(place) ?? []
  const isNamed = text.includes('://')
  if (port === '' || Number(port) > 65_535 || (host === '' && !isNamed)) {
    throw new MillraceError('INVALID_ARGUMENT', `'${text}' is not HOST:PORT or NAME://HOST:PORT`, {
      remedy: 'Write it as 127.0.0.1:9092, or SSL://0.0.0.0:9093.',
    })
  }
  // As Kafka has it, a listener without a host listens on all addresses.
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  return { name: name.toUpperCase(), address: { host: bare === '' ? '0.0.0.0' : bare, port: Number(port) } }
}

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function saidTwice(option: string, name: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `${option} and ${name} are both given`, { remedy: 'Give one of them.' })
}
