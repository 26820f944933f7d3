import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { afterEach, describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import { apis } from '../../../src/broker/protocol/apis.ts'
import { alterUserScramCredentials } from '../../../src/broker/protocol/messages/alter-user-scram-credentials.ts'
import { apiVersions } from '../../../src/broker/protocol/messages/api-versions.ts'
import { describeUserScramCredentials } from '../../../src/broker/protocol/messages/describe-user-scram-credentials.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { saslAuthenticate } from '../../../src/broker/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../../src/broker/protocol/messages/sasl-handshake.ts'
import { credentialOf, saltedPassword } from '../../../src/broker/security/scram.ts'
import { scramMechanismOf } from '../../../src/broker/security/scram-credentials.ts'
import { type BrokerServer, listenForClients } from '../../../src/broker/server/broker-server.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../../src/env/virtual-environment.ts'
import type { ListenerOptions, ListenerSasl } from '../../../src/listener-options.ts'
import { authority, serverTls } from '../../env/tls-vectors.ts'
import { ScramClient } from '../security/scram-client.ts'
import { ProtocolClient } from './protocol-client.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const plainUsers = { alice: 'flour', bob: 'bob-secret' }
const everything: ListenerSasl = {
  mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
  plain: plainUsers,
  bearer: { allowUnsecured: true },
}

interface Served {
  readonly environment: VirtualEnvironment
  readonly broker: Broker
  readonly server: BrokerServer
  readonly errors: unknown[]
  connect(listener?: number): Promise<ProtocolClient>
}

/** A broker with a listener for logins, and one without. */
async function serve(sasl: Partial<ListenerSasl> = {}, disk?: MemoryDisk): Promise<Served> {
  const environment = virtualEnvironment({ seed: 1, ...(disk && { disk }) })
  const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
  const errors: unknown[] = []
  const server = await listenForClients({
    environment,
    listeners: [
      { host: 'localhost', port: 9092, protocol: 'SASL_PLAINTEXT', sasl: { ...everything, ...sasl } },
      { host: 'localhost', port: 9093 },
    ],
    handlers: handlersOf(broker),
    credentials: (mechanism, user) => broker.topics.credentials.get(mechanism, user),
    onConnectionError: (error) => errors.push(error),
  })
  closers.push(async () => {
    await server.close()
    await broker.close()
  })
  const connect = (listener = 0) =>
    ProtocolClient.connect(environment.network, server.listeners[listener]?.address ?? server.address)
  return { environment, broker, server, errors, connect }
}

function plainToken(user: string, password: string): { authBytes: Buffer } {
  return { authBytes: Buffer.from(`\0${user}\0${password}`) }
}

async function loginPlain(client: ProtocolClient, user = 'alice', password = 'flour') {
  await client.request(saslHandshake, 1, { mechanism: 'PLAIN' })
  return client.request(saslAuthenticate, 2, plainToken(user, password))
}

async function loginScram(client: ProtocolClient, mechanism: string, user: string, password: string) {
  const scram = new ScramClient(mechanism, user, password)
  await client.request(saslHandshake, 1, { mechanism })
  const first = await client.request(saslAuthenticate, 2, { authBytes: scram.first() })
  const last = { authBytes: scram.last(first.authBytes.toString()) }
  const answer = await client.request(saslAuthenticate, 1, last)
  if (answer.errorCode === 0) expect(scram.isServer(answer.authBytes.toString())).toBe(true)
  return answer
}

/** A failed login is answered after a while on the virtual clock. */
async function failing<T>(environment: VirtualEnvironment, login: Promise<T>): Promise<T> {
  for (let i = 0; i < 200; i++) await environment.timers.nextTurn()
  await environment.clock.advanceAsync(100)
  return login
}

const none = { topics: [] }

describe('a listener for logins', () => {
  it('lets in who logs in with PLAIN, and answers as others do', async () => {
    const { connect } = await serve()
    const client = await connect()
    expect(
      (await client.request(apiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })).errorCode,
    ).toBe(0)
    const chosen = await client.request(saslHandshake, 1, { mechanism: 'PLAIN' })
    expect(chosen).toEqual({ errorCode: 0, mechanisms: everything.mechanisms })
    const known = await client.request(saslAuthenticate, 0, plainToken('alice', 'flour'))
    expect(known).toMatchObject({ errorCode: 0, errorMessage: null, sessionLifetimeMs: 0 })
    expect((await client.request(metadata, 9, none)).brokers).toHaveLength(1)
  })

  it('lets in who logs in with OAUTHBEARER', async () => {
    const { connect, environment } = await serve()
    const client = await connect()
    const claims = { sub: 'carol', exp: environment.clock.wallMs() / 1_000 + 60 }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const authBytes = Buffer.from(`n,,\x01auth=Bearer ${part({ alg: 'none' })}.${part(claims)}.\x01\x01`)
    await client.request(saslHandshake, 1, { mechanism: 'OAUTHBEARER' })
    expect(await client.request(saslAuthenticate, 2, { authBytes })).toMatchObject({
      errorCode: 0,
      sessionLifetimeMs: 60_000,
    })
    expect((await client.request(metadata, 9, none)).brokers).toHaveLength(1)
    // The token is over, and with it the login.
    environment.clock.advance(60_000)
    await expect(client.request(metadata, 9, none)).rejects.toThrow()
  })

  it('takes tokens without requests around them after the first version of the handshake', async () => {
    const { connect } = await serve()
    const client = await connect()
    await client.request(saslHandshake, 0, { mechanism: 'PLAIN' })
    const answer = Promise.withResolvers<Buffer>()
    const { onData } = client
    client.onData = (bytes) => answer.resolve(Buffer.from(bytes))
    const { authBytes } = plainToken('alice', 'flour')
    const size = Buffer.alloc(4)
    size.writeInt32BE(authBytes.length)
    client.connection.write(Buffer.concat([size, authBytes]))
    expect(await answer.promise).toEqual(Buffer.alloc(4))
    client.onData = onData
    expect((await client.request(metadata, 9, none)).brokers).toHaveLength(1)
  })

  it('ends the connection of who fails to log in, after the answer and not at once, and says so', async () => {
    const { connect, environment, errors, server } = await serve()
    const client = await connect()
    let isAnswered = false
    const login = loginPlain(client, 'alice', 'water').then((answer) => {
      isAnswered = true
      return answer
    })
    for (let i = 0; i < 200; i++) await environment.timers.nextTurn()
    expect(isAnswered).toBe(false)
    expect(await failing(environment, login)).toMatchObject({
      errorCode: 58,
      errorMessage: expect.stringContaining('invalid credentials with SASL mechanism PLAIN'),
    })
    await client.closed
    expect(server.connectionCount).toBe(0)
    expect(errors).toMatchObject([{ code: 'AUTHENTICATION_FAILED' }])
    expect(String(errors[0])).not.toContain('water')
  })

  it('says which mechanisms there are to who asks for another, and ends the connection', async () => {
    const { connect } = await serve()
    const client = await connect()
    const answer = await client.request(saslHandshake, 1, { mechanism: 'GSSAPI' })
    expect(answer).toEqual({ errorCode: 33, mechanisms: everything.mechanisms })
    await client.closed
  })

  it('ends a token without a request around it that is wrong without an answer', async () => {
    const { connect, environment, errors } = await serve()
    const client = await connect()
    await client.request(saslHandshake, 0, { mechanism: 'PLAIN' })
    client.connection.write(Buffer.from([0, 0, 0, 1, 0]))
    await failing(environment, client.closed)
    expect(errors).toMatchObject([{ code: 'AUTHENTICATION_FAILED' }])
  })
})

describe('before somebody is known', () => {
  const allowed = new Set<number>([saslHandshake.key, apiVersions.key])
  const header = (key: number): Buffer => {
    const frame = Buffer.alloc(14)
    frame.writeInt32BE(10)
    frame.writeInt16BE(key, 4)
    return frame
  }
  const bodies = [...Array(100).keys(), 1_000, -1].map((key) => [key] as const)

  it('any API but those of logins ends the connection', async () => {
    const { connect, broker, errors } = await serve()
    expect(apis.length).toBeGreaterThan(40)
    for (const [key] of bodies) {
      if (allowed.has(key)) continue
      const client = await connect()
      client.connection.write(header(key))
      await client.closed
    }
    expect(errors).toHaveLength(bodies.length - allowed.size)
    const codes = new Set(errors.map((error) => (error as { code: string }).code))
    expect(codes).toEqual(new Set(['AUTHENTICATION_FAILED', 'UNSUPPORTED_VERSION']))
    expect(broker.topics.list()).toEqual([])
  })

  it('any API but that of tokens ends the connection in the middle of a login', async () => {
    const { connect, errors } = await serve()
    for (const [key] of bodies) {
      if (key === saslAuthenticate.key) continue
      const client = await connect()
      await client.request(saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
      client.connection.write(header(key))
      await client.closed
    }
    expect(errors).toHaveLength(bodies.length - 1)
  })

  it('nothing that was sent along with a login that failed is done', async () => {
    const { connect, environment, broker, server } = await serve()
    const client = await connect()
    const login = loginPlain(client, 'alice', 'water')
    for (let i = 0; i < 50; i++) await environment.timers.nextTurn()
    const along = client.request(metadata, 9, { topics: [{ name: 'made' }], allowAutoTopicCreation: true })
    along.catch(() => {})
    await failing(environment, login)
    await client.closed
    expect(broker.topics.get('made')).toBeUndefined()
    expect(server.requestCounts.get('3.9')).toBeUndefined()
  })

  it('a request is refused that is larger than a login', async () => {
    const { connect, errors } = await serve()
    const client = await connect()
    client.connection.write(Buffer.from([0, 1, 0, 1]))
    await client.closed
    expect(errors).toMatchObject([{ code: 'MALFORMED_MESSAGE', message: expect.stringContaining('1 to 65536') }])
    const known = await connect()
    await loginPlain(known)
    known.connection.write(Buffer.from([0, 1, 0, 1]))
    expect((await (await connect(1)).request(metadata, 9, none)).brokers).toHaveLength(1)
    expect(errors).toHaveLength(1)
  })
})

describe('a login again', () => {
  it('goes on in time, as the same user, and not after its time', async () => {
    const { connect, environment, errors } = await serve({ maxReauthMs: 30_000 })
    const client = await connect()
    expect(await loginPlain(client)).toMatchObject({ sessionLifetimeMs: 30_000 })
    environment.clock.advance(20_000)
    expect(await loginPlain(client)).toMatchObject({ errorCode: 0, sessionLifetimeMs: 30_000 })
    environment.clock.advance(29_999)
    expect((await client.request(metadata, 9, none)).brokers).toHaveLength(1)
    environment.clock.advance(1)
    await expect(client.request(metadata, 9, none)).rejects.toThrow()
    expect(errors).toMatchObject([{ code: 'AUTHENTICATION_FAILED', message: expect.stringContaining('is over') }])
    const other = await connect()
    await loginPlain(other)
    const changed = await failing(environment, loginPlain(other, 'bob', 'bob-secret'))
    expect(changed).toMatchObject({ errorCode: 58, errorMessage: expect.stringContaining('Cannot change principals') })
    await other.closed
  })

  it('is refused on a listener without logins, which stays as it was', async () => {
    const { connect } = await serve()
    const client = await connect(1)
    expect(await client.request(saslHandshake, 1, { mechanism: 'PLAIN' })).toEqual({ errorCode: 34, mechanisms: [] })
    expect((await client.request(saslAuthenticate, 2, plainToken('alice', 'flour'))).errorCode).toBe(34)
    expect((await client.request(metadata, 9, none)).brokers).toHaveLength(1)
  })
})

describe('credentials of SCRAM', () => {
  const upsertion = (name: string, mechanism: number, password: string, iterations = 4_096) => {
    const salt = Buffer.from(`salt of ${name}`)
    const named = scramMechanismOf(mechanism) ?? 'SCRAM-SHA-256'
    return { name, mechanism, iterations, salt, saltedPassword: saltedPassword(named, password, salt, iterations) }
  }

  it('are made over the protocol, log users in, and are there after a restart', async () => {
    const { connect, broker, server, environment } = await serve()
    const admin = await connect(1)
    const upsertions = [upsertion('alice', 1, 'flour'), upsertion('bob', 2, 'wheat', 8_192)]
    const made = await admin.request(alterUserScramCredentials, 0, { deletions: [], upsertions })
    expect(made.results).toEqual(['alice', 'bob'].map((user) => ({ user, errorCode: 0, errorMessage: null })))
    expect((await loginScram(await connect(), 'SCRAM-SHA-256', 'alice', 'flour')).errorCode).toBe(0)
    expect((await loginScram(await connect(), 'SCRAM-SHA-512', 'bob', 'wheat')).errorCode).toBe(0)
    const wrong = [
      ['SCRAM-SHA-256', 'alice', 'wheat'],
      ['SCRAM-SHA-512', 'alice', 'flour'],
      ['SCRAM-SHA-256', 'nobody', 'flour'],
    ] as const
    const texts = new Set<string | null>()
    for (const [mechanism, user, password] of wrong) {
      const answer = await failing(environment, loginScram(await connect(), mechanism, user, password))
      expect(answer.errorCode).toBe(58)
      texts.add(answer.errorMessage?.replace(/256|512/, '') ?? null)
    }
    expect(texts.size).toBe(1)

    const deletions = [{ name: 'bob', mechanism: 2 }]
    await admin.request(alterUserScramCredentials, 0, { deletions, upsertions: [upsertion('alice', 1, 'bran')] })
    await server.close()
    await broker.close()
    const again = await serve({}, environment.disk)
    expect((await loginScram(await again.connect(), 'SCRAM-SHA-256', 'alice', 'bran')).errorCode).toBe(0)
    const gone = loginScram(await again.connect(), 'SCRAM-SHA-512', 'bob', 'wheat')
    expect((await failing(again.environment, gone)).errorCode).toBe(58)
  })

  it('are described without anything that is secret', async () => {
    const { connect } = await serve()
    const admin = await connect(1)
    const upsertions = [upsertion('bob', 2, 'wheat', 8_192), upsertion('alice', 1, 'flour')]
    await admin.request(alterUserScramCredentials, 0, { deletions: [], upsertions })
    const all = await admin.request(describeUserScramCredentials, 0, { users: null })
    expect(all.results).toEqual([
      { user: 'alice', errorCode: 0, errorMessage: null, credentialInfos: [{ mechanism: 1, iterations: 4_096 }] },
      { user: 'bob', errorCode: 0, errorMessage: null, credentialInfos: [{ mechanism: 2, iterations: 8_192 }] },
    ])
    const users = ['bob', 'carol', 'alice', 'alice'].map((name) => ({ name }))
    const some = await admin.request(describeUserScramCredentials, 0, { users })
    expect(some.results.map(({ user, errorCode }) => [user, errorCode])).toEqual([
      ['bob', 0],
      ['carol', 91],
      ['alice', 92],
    ])
  })

  it.each([
    [{ upsertions: [upsertion('', 1, 'x')] }, 93],
    [{ upsertions: [upsertion('a', 3, 'x')] }, 33],
    [{ upsertions: [upsertion('a', 1, 'x', 4_095)] }, 93],
    [{ upsertions: [upsertion('a', 1, 'x', 16_385)] }, 93],
    [{ upsertions: [{ ...upsertion('a', 1, 'x'), salt: Buffer.alloc(0) }] }, 93],
    [{ upsertions: [{ ...upsertion('a', 2, 'x'), saltedPassword: Buffer.alloc(32) }] }, 93],
    [{ upsertions: [upsertion('a', 1, 'x'), upsertion('a', 2, 'x')] }, 92],
    [{ deletions: [{ name: 'a', mechanism: 1 }] }, 91],
    [{ deletions: [{ name: 'a', mechanism: 9 }] }, 33],
    [{ deletions: [{ name: 'a', mechanism: 1 }], upsertions: [upsertion('a', 1, 'x')] }, 92],
  ])('are refused: %#', async (changes, error) => {
    const { connect, broker } = await serve()
    const admin = await connect(1)
    const { results } = await admin.request(alterUserScramCredentials, 0, { deletions: [], upsertions: [], ...changes })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([error])
    expect(broker.topics.credentials.users).toEqual([])
  })
})

describe('options of logins', () => {
  const here = { host: '127.0.0.1', port: 0 }
  const listener = (sasl: Partial<ListenerSasl>): ListenerOptions => {
    return { ...here, protocol: 'SASL_PLAINTEXT', sasl: { mechanisms: ['PLAIN'], plain: plainUsers, ...sasl } }
  }

  it.each<[ListenerOptions, string]>([
    [{ ...here, protocol: 'SASL_PLAINTEXT' }, 'does not say how clients log in'],
    [{ ...here, protocol: 'SASL_SSL', sasl: everything }, 'has no certificate'],
    [{ ...here, sasl: everything }, 'lets them in without'],
    [listener({ mechanisms: [] }), 'not a mechanism of SASL'],
    [listener({ mechanisms: ['GSSAPI' as 'PLAIN'] }), "'GSSAPI' is not a mechanism of SASL"],
    [listener({ mechanisms: ['SCRAM-SHA-256'] }), 'PLAIN needs users'],
    [listener({ mechanisms: ['PLAIN', 'OAUTHBEARER'] }), 'which tokens are good'],
    [listener({ maxReauthMs: -1 }), '-1 is not a time'],
  ])('are refused where they do not go together: %#', async (options, why) => {
    const environment = virtualEnvironment({ seed: 1 })
    await expect(listenForClients({ environment, listeners: [options], handlers: [] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(why),
    })
  })
})

describe('kafkajs', () => {
  const logins: SASLOptions[] = [
    { mechanism: 'plain', username: 'alice', password: 'flour' },
    { mechanism: 'scram-sha-256', username: 'alice', password: 'flour' },
    { mechanism: 'scram-sha-512', username: 'alice', password: 'flour' },
  ]

  it.each(logins)('logs in with $mechanism, over TLS and without', async (login) => {
    const environment = { ...nodeEnvironment(), disk: virtualEnvironment({ seed: 1 }).disk }
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    const here = { host: '127.0.0.1', port: 0, sasl: everything }
    const server = await listenForClients({
      environment,
      listeners: [
        { ...here, protocol: 'SASL_PLAINTEXT' },
        { ...here, protocol: 'SASL_SSL', tls: serverTls },
      ],
      handlers: handlersOf(broker),
      credentials: (mechanism, user) => broker.topics.credentials.get(mechanism, user),
    })
    closers.push(async () => {
      await server.close()
      await broker.close()
    })
    for (const mechanism of [1, 2]) {
      const salt = Buffer.from('salt')
      const salted = saltedPassword(scramMechanismOf(mechanism) ?? 'SCRAM-SHA-256', 'flour', salt, 4_096)
      const credential = credentialOf(scramMechanismOf(mechanism)!, salted, { salt, iterations: 4_096 })
      await broker.topics.secure([{ type: 'scram-credential', name: 'alice', mechanism, ...credential }])
    }
    const kafkaAt = (listener: number, sasl: SASLOptions) =>
      new Kafka({
        brokers: [`127.0.0.1:${server.listeners[listener]?.address.port}`],
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
        // It keeps what it makes of these options in them.
        sasl: { ...sasl },
        ssl: listener === 1 ? { ca: [authority] } : false,
      })
    for (const listener of [0, 1]) {
      const producer = kafkaAt(listener, login).producer()
      await producer.connect()
      await producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
      await producer.disconnect()
      const wrong = kafkaAt(listener, { ...login, password: 'water' } as SASLOptions).admin()
      await expect(wrong.connect()).rejects.toThrow(/SASL .* authentication failed/i)
    }
    expect(broker.log('orders', 0).logEndOffset).toBe(2)
  })
})
