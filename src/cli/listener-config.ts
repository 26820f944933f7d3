import type { Address } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import type { ListenerOptions, SecurityProtocol } from '../listener-options.ts'
import { type Config, ListenerConfig, listOf } from './listener-setting.ts'
import { saslOf, saslSettingNames } from './sasl-config.ts'
import { tlsOf, tlsSettingNames } from './tls-config.ts'

export interface ListenerWords {
  /** `NAME://HOST:PORT`, or HOST:PORT for clear text. None: what `listeners` says, or this machine's port 9092. */
  readonly listen: readonly string[]
  readonly advertise: readonly string[]
  readonly config: Config
  readonly readFile: (path: string) => string
}

const ownNames = ['listeners', 'advertised.listeners', 'listener.security.protocol.map']
/** What is said for all listeners, and for one of them behind `listener.name.NAME.` */
const perListener: ReadonlySet<string> = new Set([...tlsSettingNames, ...saslSettingNames])

/** The settings that say how clients are let in. */
export const listenerSettingNames: readonly string[] = [...ownNames, ...perListener]

export function isListenerSetting(name: string): boolean {
  return ownNames.includes(name) || perListener.has(name.replace(/^listener\.name\.[^.]+\./, ''))
}

const protocols: readonly SecurityProtocol[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/**
 * The listeners that the words of a command and Kafka's settings (`listeners`, `advertised.listeners`,
 * `listener.security.protocol.map`, `ssl.*`, `sasl.*`) ask for.
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
    const own = new ListenerConfig(config, name)
    const tls = protocol.endsWith('SSL') ? tlsOf(own, readFile) : undefined
    const sasl = protocol.startsWith('SASL') ? saslOf(own, readFile) : undefined
    const at = advertised.get(name)
    return { ...address, name, protocol, ...(at && { advertised: at }), ...(tls && { tls }), ...(sasl && { sasl }) }
  })
}

function protocolsOf(map: string | undefined): (listener: string) => SecurityProtocol {
  const byName = new Map<string, string>(listOf(map).map((pair) => pair.split(':', 2) as [string, string]))
  return (listener) => {
    const stated = byName.get(listener) ?? (map === undefined ? listener : '')
    const protocol = protocols.find((one) => one === stated)
    if (protocol !== undefined) return protocol
    throw new MillraceError('INVALID_ARGUMENT', `The protocol of listener ${listener} is not known`, {
      remedy: `Protocols are ${protocols.join(', ')}; listener.security.protocol.map=${listener}:SSL gives a name one of them.`,
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

function saidTwice(option: string, name: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `${option} and ${name} are both given`, { remedy: 'Give one of them.' })
}
