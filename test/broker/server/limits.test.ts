import { afterEach, describe, expect, it } from 'vitest'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import { apiVersions } from '../../../src/broker/protocol/messages/api-versions.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { saslAuthenticate } from '../../../src/broker/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../../src/broker/protocol/messages/sasl-handshake.ts'
import type { ServerLimits } from '../../../src/broker/server/server-limits.ts'
import type { ListenerOptions } from '../../../src/listener-options.ts'
import { batchOf } from '../records.ts'
import { requestFrame } from './protocol-client.ts'
import { type ServedBroker, serveBroker } from './served-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(limits: Partial<ServerLimits> = {}, listener: Partial<ListenerOptions> = {}) {
  const served = await serveBroker({ limits, listeners: [{ host: 'localhost', port: 9092, ...listener }] })
  closers.push(served.close)
  return served
}

async function turns({ environment }: ServedBroker, count = 40): Promise<void> {
  for (let i = 0; i < count; i++) await environment.timers.nextTurn()
}

/** Lets time go by as it does, with sockets and timers having their turns. */
async function pass(served: ServedBroker, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) await served.environment.clock.advanceAsync(Math.min(left, 500))
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const appendOf = (records: Buffer) => ({
  ...{ transactionalId: null, acks: -1, timeoutMs: 1_000 },
  topicData: [{ name: 'orders', partitionData: [{ index: 0, records }] }],
})

describe('a size before a request', () => {
  const sizes = [0, -1, -2_147_483_648, 2_147_483_647, 104_857_601, 0x16030100]

  it.each(sizes)('of %i ends the connection wherever it is cut', async (size) => {
    const served = await serve()
    for (let cut = 0; cut <= 4; cut++) {
      const client = await served.connect()
      client.connection.write(int32(size).subarray(0, cut))
      await turns(served, 5)
      client.connection.write(Buffer.concat([int32(size), Buffer.from('rest')]).subarray(cut))
      await client.closed
    }
    expect(served.errors).toHaveLength(5)
    expect(served.server.heldBytes).toBe(0)
  })

  it('holds nothing that has not arrived', async () => {
    const served = await serve()
    for (let i = 0; i < 100; i++) (await served.connect()).connection.write(int32(104_857_600))
    await turns(served)
    expect(served.server.connectionCount).toBe(100)
    expect(served.server.heldBytes).toBeLessThanOrEqual(100 * 16_384)
  })
})

describe('the head of a request', () => {
  it('ends the connection at once where there is no such API or version, before the rest has arrived', async () => {
    const served = await serve()
    const handlers = handlersOf(served.broker)
    const served1 = new Map(handlers.map(({ api, versions }) => [api.key, versions]))
    let refused = 0
    for (let key = -1; key <= 100; key++) {
      const versions = served1.get(key)
      const wrong = versions === undefined ? [0] : [versions.from - 1, versions.to + 1, -1, 32_767]
      for (const version of key === apiVersions.key ? [] : wrong) {
        const head = Buffer.alloc(8)
        head.writeInt32BE(1_000)
        head.writeInt16BE(key, 4)
        head.writeInt16BE(version, 6)
        const client = await served.connect()
        client.connection.write(head)
        await client.closed
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(150)
    expect(served.errors).toHaveLength(refused)
    expect(new Set(served.errors.map((error) => (error as { code: string }).code))).toEqual(
      new Set(['UNSUPPORTED_VERSION']),
    )
  })

  it('ends the connection where a request that is no append is larger than any should be', async () => {
    const served = await serve()
    const client = await served.connect()
    const frame = requestFrame(metadata, 9, 1, { topics: null })
    frame.writeInt32BE(4_194_305)
    client.connection.write(frame.subarray(0, 8))
    await client.closed
    expect(String(served.errors[0])).toContain('4194304')
    await served.broker.createTopics([{ name: 'orders', partitions: 1, config: { 'max.message.bytes': '9000000' } }])
    const { responses } = await (await served.connect()).request(produce, 9, appendOf(batchOf('x'.repeat(5_000_000))))
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  })
})

describe('a client that takes its time', () => {
  it('with a request is dropped, however it drips; one that sends fast enough is not', async () => {
    const served = await serve({ maxArrivalMs: 10_000, minRequestRate: 1_000 })
    const { environment } = served
    const drip = await served.connect()
    const half = await served.connect()
    const steady = await served.connect()
    steady.onData = () => {}
    half.connection.write(requestFrame(metadata, 9, 1, { topics: null }).subarray(0, 9))
    const frame = requestFrame(produce, 9, 1, appendOf(Buffer.alloc(60_000)))
    for (let second = 0; second < 32; second++) {
      drip.connection.write(frame.subarray(second, second + 1))
      steady.connection.write(frame.subarray(second * 2_000, (second + 1) * 2_000))
      await environment.clock.advanceAsync(1_000)
    }
    await Promise.all([half.closed, drip.closed])
    expect(served.errors).toHaveLength(2)
    for (const error of served.errors) expect(String(error)).toContain('too slow with a request')
    expect(served.server.requestCounts.get('0.9')).toBe(1)
    expect(served.server.connectionCount).toBe(1)
  })

  it('between two requests is left alone until it is idle for too long', async () => {
    const served = await serve({ maxIdleMs: 60_000 })
    const client = await served.connect()
    await client.request(apiVersions, 0, {})
    await pass(served, 59_000)
    expect((await client.request(apiVersions, 0, {})).errorCode).toBe(0)
    await pass(served, 62_000)
    await client.closed
    expect(served.errors).toEqual([])
  })

  it('to log in is dropped', async () => {
    const sasl = { mechanisms: ['PLAIN'], plain: { alice: 'flour' } } as const
    const served = await serve({}, { protocol: 'SASL_PLAINTEXT', sasl })
    const client = await served.connect()
    await client.request(apiVersions, 0, {})
    await pass(served, 29_000)
    expect(served.server.connectionCount).toBe(1)
    await client.request(apiVersions, 0, {})
    await pass(served, 2_000)
    await client.closed
    expect(String(served.errors[0])).toContain('too slow to log in')
  })

  it('to log in again has as much time for it, however long it has been there', async () => {
    const sasl = { mechanisms: ['PLAIN'], plain: { alice: 'flour' }, maxReauthMs: 600_000 } as const
    const served = await serve({}, { protocol: 'SASL_PLAINTEXT', sasl })
    const client = await served.connect()
    const handshake = () => client.request(saslHandshake, 1, { mechanism: 'PLAIN' })
    const authenticate = () => client.request(saslAuthenticate, 2, { authBytes: Buffer.from('\0alice\0flour') })
    await handshake()
    expect((await authenticate()).errorCode).toBe(0)
    await pass(served, 120_000)
    await handshake()
    await pass(served, 28_000)
    expect((await authenticate()).errorCode).toBe(0)
    expect(served.errors).toEqual([])
    await handshake()
    await pass(served, 32_000)
    await client.closed
    expect(String(served.errors[0])).toContain('too slow to log in')
  })
})

describe('many clients', () => {
  it('that send large requests hold no more than a bound, and wait; small requests go on', async () => {
    const served = await serve({ maxRequestsBytes: 1_000_000, maxArrivalMs: 5_000 })
    await served.broker.createTopics([{ name: 'orders', partitions: 1 }])
    const honest = await served.connect()
    const frame = requestFrame(produce, 9, 1, appendOf(Buffer.alloc(900_000)))
    const hoarders = await Promise.all(Array.from({ length: 50 }, () => served.connect()))
    for (const { connection } of hoarders) connection.write(frame.subarray(0, 500_000))
    for (let i = 0; i < 20; i++) {
      await turns(served)
      expect((await honest.request(apiVersions, 0, {})).errorCode).toBe(0)
    }
    // The bound, and what each of them has sent before it was noticed.
    expect(served.server.heldBytes).toBeLessThan(1_000_000 + 50 * 300_000)
    const held = served.server.heldBytes
    for (const { connection } of hoarders) connection.write(frame.subarray(500_000, 800_000))
    await turns(served)
    expect(served.server.heldBytes).toBeLessThanOrEqual(held)
    expect(
      (await honest.request(produce, 9, appendOf(batchOf('a')))).responses[0]?.partitionResponses[0],
    ).toMatchObject({
      errorCode: 0,
    })
    await pass(served, 60_000)
    for (const hoarder of hoarders) await hoarder.closed
    expect(served.server.heldBytes).toBe(0)
    const large = await honest.request(produce, 9, appendOf(batchOf('x'.repeat(700_000))))
    expect(large.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  })

  it('that do not read their answers hold no more than a bound; others wait until they do, or are dropped', async () => {
    const served = await serve({ maxAnswersBytes: 1_000_000, maxUnreadMs: 5_000 })
    await served.broker.createTopics([{ name: 'orders', partitions: 1 }])
    const log = served.broker.log('orders', 0)
    log.append(batchOf('x'.repeat(700_000)))
    await log.flushed()
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }
    const all = { replicaId: -1, maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'orders', partitions: [partition] }] }
    const deaf = await Promise.all(Array.from({ length: 20 }, () => served.connect()))
    for (const client of deaf) {
      client.connection.pause()
      client.request(fetch, 11, all).catch(() => {})
    }
    await turns(served, 200)
    expect(served.server.heldBytes).toBeLessThan(3_000_000)
    const honest = await served.connect()
    const waiting = honest.request(fetch, 11, all)
    await pass(served, 60_000)
    expect((await waiting).responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(700_000)
    for (const client of deaf) await client.closed
    expect(served.server.heldBytes).toBe(0)
  })
})
