import { describe, expect, it } from 'vitest'
import { listenersOf } from '../../src/cli/listener-config.ts'
import type { ListenerOptions } from '../../src/listener-options.ts'
import { pem } from '../env/tls-vectors.ts'

const files: Readonly<Record<string, string>> = {
  'server.both': pem('server.key') + pem('server.pem'),
  'ca.pem': pem('authority.pem'),
}

interface Words {
  readonly listen?: readonly string[]
  readonly advertise?: readonly string[]
  readonly config?: Readonly<Record<string, string>>
}

function listeners({ listen = [], advertise = [], config = {} }: Words): ListenerOptions[] {
  const readFile = (path: string) => files[path] ?? ''
  return listenersOf({ listen, advertise, config: new Map(Object.entries(config)), readFile })
}

const keystore = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': 'server.both' }

describe('listeners by the words of a command', () => {
  it.each<[Words, object[]]>([
    [{}, [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }]],
    [{ listen: ['localhost:1'] }, [{ name: 'PLAINTEXT', host: 'localhost', port: 1 }]],
    [{ listen: ['[::1]:1'] }, [{ host: '::1', port: 1 }]],
    [{ listen: ['PLAINTEXT://:1'] }, [{ host: '0.0.0.0', port: 1 }]],
    [
      { listen: ['localhost:1', 'ssl://localhost:2'], config: keystore },
      [{ protocol: 'PLAINTEXT' }, { name: 'SSL', protocol: 'SSL', port: 2 }],
    ],
    [
      { config: { listeners: 'PLAINTEXT://a:1, SSL://b:2', ...keystore } },
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    [{ listen: ['a:1'], advertise: ['b:2'] }, [{ advertised: { host: 'b', port: 2 } }]],
    [
      { listen: ['a:1', 'SSL://a:2'], advertise: ['SSL://b:3'], config: keystore },
      [{ port: 1 }, { advertised: { host: 'b', port: 3 } }],
    ],
    [
      {
        config: {
          listeners: 'INSIDE://a:1,OUTSIDE://a:2',
          'advertised.listeners': 'OUTSIDE://b:3',
          'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:SSL',
          'listener.name.outside.ssl.keystore.location': 'server.both',
        },
      },
      [
        { name: 'INSIDE', protocol: 'PLAINTEXT' },
        { name: 'OUTSIDE', protocol: 'SSL', advertised: { host: 'b', port: 3 } },
      ],
    ],
  ])('%j', (words, expected) => {
    expect(listeners(words)).toMatchObject(expected)
  })

  it('have their certificates from files, or from texts that may be on one line', () => {
    const [fromFile] = listeners({
      listen: ['SSL://a:1'],
      config: {
        ...keystore,
        'ssl.truststore.location': 'ca.pem',
        'ssl.client.auth': 'required',
        'ssl.enabled.protocols': 'TLSv1.3',
        'ssl.principal.mapping.rules': 'DEFAULT',
      },
    })
    expect(fromFile?.tls).toEqual({
      certificate: pem('server.pem'),
      key: pem('server.key'),
      ca: pem('authority.pem'),
      clientCertificates: 'required',
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      principalMappingRules: 'DEFAULT',
    })
    const onOneLine = (file: string) => pem(file).replaceAll('\n', ' ')
    const [fromTexts] = listeners({
      listen: ['SSL://a:1'],
      config: {
        'ssl.keystore.certificate.chain': onOneLine('server.pem'),
        'ssl.keystore.key': onOneLine('server.encrypted.key'),
        'ssl.key.password': 'flour',
        'ssl.truststore.certificates': onOneLine('authority.pem'),
      },
    })
    expect(fromTexts?.tls).toEqual({
      certificate: pem('server.pem'),
      key: pem('server.encrypted.key'),
      passphrase: 'flour',
      ca: pem('authority.pem'),
      clientCertificates: 'none',
    })
  })

  it('have their own settings before those of all', () => {
    const config = { ...keystore, 'ssl.client.auth': 'none', 'listener.name.ssl.ssl.client.auth': 'requested' }
    expect(listeners({ listen: ['SSL://a:1'], config })[0]?.tls?.clientCertificates).toBe('requested')
  })

  it.each<[Words, string]>([
    [{ listen: ['nowhere'] }, "'nowhere' is not HOST:PORT"],
    [{ listen: [':9092'] }, "':9092' is not HOST:PORT"],
    [{ listen: ['a:99999'] }, "'a:99999' is not HOST:PORT"],
    [{ listen: ['OUTSIDE://a:1'] }, 'The protocol of listener OUTSIDE is not known'],
    [{ listen: ['SSL://a:1'], config: { 'listener.security.protocol.map': 'A:SSL' } }, 'protocol of listener SSL'],
    [{ listen: ['a:1'], config: { listeners: 'PLAINTEXT://b:1' } }, '--listen and listeners are both given'],
    [{ advertise: ['a:1'], config: { 'advertised.listeners': 'a:1' } }, 'are both given'],
    [{ listen: ['a:1'], advertise: ['SSL://a:1'] }, 'advertises a listener that there is not'],
    [{ listen: ['SSL://a:1'] }, 'ssl.keystore.certificate.chain is missing'],
    [{ listen: ['SSL://a:1'], config: { 'ssl.keystore.location': 'ca.pem' } }, 'no private key in the PEM text'],
    [{ listen: ['SSL://a:1'], config: { ...keystore, 'ssl.keystore.type': 'JKS' } }, 'only PEM can be read'],
    [{ listen: ['SSL://a:1'], config: { ...keystore, 'ssl.client.auth': 'yes' } }, 'not a value of ssl.client.auth'],
    [{ listen: ['SSL://a:1'], config: { ...keystore, 'ssl.enabled.protocols': 'SSLv3' } }, 'ssl.enabled.protocols'],
    [{ config: { 'listener.name.other.ssl.client.auth': 'none' } }, 'about a listener that there is not'],
  ])('are refused where they are %j', (words, why) => {
    expect(() => listeners(words)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(why) }),
    )
  })
})
