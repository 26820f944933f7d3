import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Connection, Listener, Network, ServerTlsOptions } from '../../src/env/environment.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { describeNetwork, Recorder } from './network-conformance.ts'
import { aliceName, authority, clientIdentity, pem, serverTls } from './tls-vectors.ts'

const { network } = nodeEnvironment()

const overTls: Network = {
  listen: (address, accept) => network.listen(address, accept, serverTls),
  connect: (address, handler) => network.connect(address, handler, { ca: authority }),
}
describeNetwork('node, over TLS', () => ({ network: overTls, host: '127.0.0.1' }))

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Accepted {
  readonly connection: Connection
  readonly handler: Recorder & { isSecured: boolean }
}

interface Served {
  readonly listener: Listener
  readonly accepted: Accepted[]
}

async function listen(options: Partial<ServerTlsOptions> = {}): Promise<Served> {
  const accepted: Accepted[] = []
  const accept = (connection: Connection) => {
    const recorder = new Recorder((bytes) => connection.write(bytes))
    const handler = Object.assign(recorder, { isSecured: false, onSecured: () => (handler.isSecured = true) })
    accepted.push({ connection, handler })
    return handler
  }
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, accept, { ...serverTls, ...options })
  closers.push(() => listener.close())
  return { listener, accepted }
}

/** Says a word over a connection and hears it again; rejects where the connection is lost. */
async function greet({ listener }: Served, options: object = {}): Promise<void> {
  const handler = new Recorder()
  const connection = await network.connect(listener.address, handler, { ca: authority, ...options })
  closers.push(() => connection.destroy())
  connection.write(Buffer.from('hello'))
  await Promise.race([handler.has(5), handler.closed.then(() => Promise.reject(new Error('the connection was lost')))])
}

describe('TLS of node', () => {
  it('tells the name of a client that proves it, in the form of RFC 2253', async () => {
    const served = await listen({ clientCertificates: 'required' })
    await greet(served, clientIdentity('alice'))
    expect(served.accepted[0]?.connection.peerName).toBe(aliceName)
    expect(served.accepted[0]?.handler.isSecured).toBe(true)
  })

  it('does not ask for a name unless told to', async () => {
    const served = await listen()
    await greet(served, clientIdentity('alice'))
    expect(served.accepted[0]?.connection.peerName).toBeUndefined()
  })

  it.each([
    ['shows none', {}],
    ['shows one that another authority has signed', clientIdentity('mallory')],
    ['shows one that is over', clientIdentity('expired')],
  ])('lets nobody in who %s where a certificate is required', async (_, identity) => {
    const served = await listen({ clientCertificates: 'required' })
    await expect(greet(served, identity)).rejects.toThrow()
    await served.accepted[0]?.handler.closed
    expect(served.accepted[0]?.handler).toMatchObject({ isSecured: false, closes: [expect.any(Error)] })
  })

  it('lets those in who show no certificate where one is only asked for, but not those who show a wrong one', async () => {
    const served = await listen({ clientCertificates: 'requested' })
    await greet(served)
    expect(served.accepted[0]?.connection.peerName).toBeUndefined()
    await greet(served, clientIdentity('alice'))
    expect(served.accepted[1]?.connection.peerName).toBe(aliceName)
    await expect(greet(served, clientIdentity('mallory'))).rejects.toThrow()
    await served.accepted[2]?.handler.closed
    expect(String(served.accepted[2]?.handler.closes[0])).toContain('not trusted')
    expect(served.accepted[2]?.handler.received).toHaveLength(0)
  })

  it('reads a key that is encrypted', async () => {
    await greet(await listen({ key: pem('server.encrypted.key'), passphrase: 'flour' }))
    await expect(listen({ key: pem('server.encrypted.key'), passphrase: 'water' })).rejects.toThrow()
  })

  it('refuses a server that has another name, or that another authority has signed', async () => {
    const served = await listen()
    await expect(greet(served, { serverName: 'elsewhere.example' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    await expect(greet(served, { ca: pem('stranger.pem') })).rejects.toThrow()
    await greet(served, { serverName: 'localhost' })
  })

  it('refuses versions of TLS that are not allowed', async () => {
    const served = await listen({ minVersion: 'TLSv1.3' })
    await expect(greet(served, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
    await greet(served)
  })

  it('takes a new certificate while it listens; connections live on', async () => {
    const served = await listen()
    const handler = new Recorder()
    const before = await network.connect(served.listener.address, handler, { ca: authority })
    closers.push(() => before.destroy())
    expect(before.peerName).toBe('CN=localhost,O=Mill')
    served.listener.renewTls({ certificate: pem('renewed.pem'), key: pem('renewed.key') })
    const after = await network.connect(served.listener.address, new Recorder(), { ca: authority })
    closers.push(() => after.destroy())
    expect(after.peerName).toBe('CN=localhost renewed,O=Mill')
    before.write(Buffer.from('still'))
    await handler.has(5)
  })

  it('shows connections before their handshake, and gives up those that never make one', async () => {
    const served = await listen({ handshakeTimeoutMs: 50 })
    const silent = net.connect(served.listener.address.port, '127.0.0.1')
    const closed = new Promise((resolve) => silent.once('close', resolve))
    await closed
    expect(served.accepted).toHaveLength(1)
    await served.accepted[0]?.handler.closed
    expect(served.accepted[0]?.handler.isSecured).toBe(false)
  })

  it('ends a connection that speaks something else', async () => {
    const served = await listen()
    const plain = net.connect(served.listener.address.port, '127.0.0.1')
    plain.on('error', () => {})
    plain.write('GET / HTTP/1.1\r\n\r\n')
    await new Promise((resolve) => plain.once('close', resolve))
    await served.accepted[0]?.handler.closed
    expect(served.accepted[0]?.handler).toMatchObject({ isSecured: false, received: Buffer.alloc(0) })
  })

  it('drops a connection at once that is refused before its handshake', async () => {
    const refused = new Recorder()
    const accept = (connection: Connection) => {
      connection.destroy()
      return refused
    }
    const listener = await network.listen({ host: '127.0.0.1', port: 0 }, accept, serverTls)
    closers.push(() => listener.close())
    await expect(network.connect(listener.address, new Recorder(), { ca: authority })).rejects.toThrow()
    await refused.closed
  })
})
