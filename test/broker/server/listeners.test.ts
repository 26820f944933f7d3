import { afterEach, describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { handlerOf } from '../../../src/broker/handlers/handler.ts'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import { apiVersions } from '../../../src/broker/protocol/messages/api-versions.ts'
import { heartbeat } from '../../../src/broker/protocol/messages/heartbeat.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { principalText } from '../../../src/broker/security/principal.ts'
import { type BrokerServer, listenForClients } from '../../../src/broker/server/broker-server.ts'
import type { ClientTlsOptions } from '../../../src/env/environment.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import type { ListenerOptions } from '../../../src/listener-options.ts'
import { aliceName, authority, clientIdentity, serverTls } from '../../env/tls-vectors.ts'
import { ProtocolClient } from './protocol-client.ts'
import { serveBroker } from './served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const environment = { ...nodeEnvironment(), disk: new MemoryDisk() }
const here = { host: '127.0.0.1', port: 0 }

interface Served {
  readonly broker: Broker
  readonly server: BrokerServer
  readonly errors: unknown[]
  /** Who asked, as the handlers were told. */
  readonly seen: string[]
  connect(listener: number, tls?: ClientTlsOptions): Promise<ProtocolClient>
}

/** A broker on real sockets, whose heartbeats only tell who sends them. */
async function serve(...listeners: ListenerOptions[]): Promise<Served> {
  const broker = await openBroker({ directory: `data-${closers.length}`, environment, flush: 'fsync' })
  closers.push(() => broker.close())
  const seen: string[] = []
  const probe = handlerOf(heartbeat, [0, 4], (_, { principal }) => {
    seen.push(principalText(principal))
    return { errorCode: 0 }
  })
  const errors: unknown[] = []
  const handlers = [...handlersOf(broker).filter(({ api }) => api.key !== heartbeat.key), probe]
  const onConnectionError = (error: unknown) => errors.push(error)
  const server = await listenForClients({ environment, listeners, handlers, onConnectionError })
  closers.push(() => server.close())
  const connect = async (listener: number, tls?: ClientTlsOptions): Promise<ProtocolClient> => {
    const { address } = server.listeners[listener] as { address: { host: string; port: number } }
    const client = await ProtocolClient.connect(environment.network, address, tls)
    closers.push(async () => client.connection.destroy())
    return client
  }
  return { broker, server, errors, seen, connect }
}

const heart = { groupId: 'g', generationId: 0, memberId: 'm' }

describe('listeners', () => {
  it('tell clients the address of the one that they came in by', async () => {
    const { connect, server } = await serve(
      here,
      { ...here, protocol: 'SSL', tls: serverTls, advertised: { host: 'mill.example', port: 9093 } },
      { ...here, name: 'INSIDE', host: '0.0.0.0' },
    )
    const brokersBy = async (listener: number, tls?: ClientTlsOptions) =>
      (await (await connect(listener, tls)).request(metadata, 9, { topics: [] })).brokers
    const [plain, , inside] = server.listeners.map(({ address }) => address.port)
    expect(await brokersBy(0)).toMatchObject([{ host: '127.0.0.1', port: plain }])
    expect(await brokersBy(1, { ca: authority })).toMatchObject([{ host: 'mill.example', port: 9093 }])
    expect(await brokersBy(2)).toMatchObject([{ host: 'localhost', port: inside }])
    expect(server.listeners.map(({ name }) => name)).toEqual(['PLAINTEXT', 'SSL', 'INSIDE'])
  })

  it('tell handlers who the client is: by its certificate, or nobody', async () => {
    const tls = { ...serverTls, clientCertificates: 'requested' } as const
    const named = { ...tls, principalMappingRules: 'RULE:^CN=([^+,]+).*$/$1/' }
    const { connect, seen } = await serve(
      here,
      { ...here, protocol: 'SSL', tls },
      { ...here, name: 'NAMED', protocol: 'SSL', tls: named },
    )
    const identity = { ca: authority, ...clientIdentity('alice') }
    await (await connect(0)).request(heartbeat, 4, heart)
    await (await connect(1, { ca: authority })).request(heartbeat, 4, heart)
    await (await connect(1, identity)).request(heartbeat, 4, heart)
    await (await connect(2, identity)).request(heartbeat, 0, heart)
    expect(seen).toEqual(['User:ANONYMOUS', 'User:ANONYMOUS', `User:${aliceName}`, 'User:alice'])
  })

  it('let nobody in whose certificate is not trusted, or that no rule is about', async () => {
    const tls = { ...serverTls, clientCertificates: 'required' } as const
    const { connect, seen, errors, server } = await serve(
      { ...here, protocol: 'SSL', tls },
      { ...here, name: 'NAMED', protocol: 'SSL', tls: { ...tls, principalMappingRules: 'RULE:^CN=bob$/bob/' } },
    )
    for (const [listener, name] of [[0, 'mallory'] as const, [1, 'alice'] as const]) {
      const client = await connect(listener, { ca: authority, ...clientIdentity(name) }).catch(() => undefined)
      await client?.request(heartbeat, 4, heart).catch(() => {})
      await client?.closed
    }
    expect(seen).toEqual([])
    await expect.poll(() => errors.length).toBe(2)
    expect(String(errors[1])).toContain('No rule of ssl.principal.mapping.rules')
    expect(server.connectionCount).toBe(0)
  })

  it('count for the limits from their first packet on', async () => {
    const { connect, server } = await serve({ ...here, protocol: 'SSL', tls: serverTls }, here)
    await (await connect(0, { ca: authority })).request(apiVersions, 0, {})
    await (await connect(1)).request(apiVersions, 0, {})
    expect(server.connectionCount).toBe(2)
  })

  it('are opened all or not at all', async () => {
    const { environment: world, close } = await serveBroker()
    closers.push(close)
    const listeners = [
      { host: 'localhost', port: 9093 },
      { name: 'TAKEN', host: 'localhost', port: 9092 },
    ]
    const opened = listenForClients({ environment: world, listeners, handlers: [] })
    await expect(opened).rejects.toMatchObject({ code: 'NETWORK_FAILED', message: expect.stringContaining('TAKEN') })
    await expect(ProtocolClient.connect(world.network, { host: 'localhost', port: 9093 })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })

  it.each([
    [[], 'There is no listener'],
    [[here, here], 'Two listeners are called PLAINTEXT'],
    [[{ ...here, port: 70_000 }], '70000 is not a port'],
    [[{ ...here, advertised: { host: 'x', port: -1 } }], '-1 is not a port'],
    [[{ ...here, protocol: 'SSL' as const }], 'has no certificate'],
    [[{ ...here, tls: serverTls }], 'in clear text'],
    [
      [{ ...here, protocol: 'SSL' as const, tls: { ...serverTls, principalMappingRules: 'WHAT' } }],
      'not a rule for principals',
    ],
  ])('are refused where they are %j', async (listeners, why) => {
    await expect(listenForClients({ environment, listeners, handlers: [] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(why),
    })
  })

  it('say so where a certificate cannot be used', async () => {
    const tls = { ...serverTls, key: 'no key' }
    const opened = listenForClients({ environment, listeners: [{ ...here, protocol: 'SSL', tls }], handlers: [] })
    await expect(opened).rejects.toMatchObject({ code: 'NETWORK_FAILED' })
  })
})
