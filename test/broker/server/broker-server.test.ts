import { afterEach, describe, expect, it } from 'vitest'
import { apiVersions } from '../../../src/broker/protocol/messages/api-versions.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import type { BrokerServerOptions } from '../../../src/broker/server/broker-server.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { batchOf } from '../records.ts'
import { requestFrame } from './protocol-client.ts'
import { type ServedBroker, serveBroker } from './served-broker.ts'

/** The broker sets what is before it in a batch. */
const afterLeaderEpoch = 16

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(options: Partial<BrokerServerOptions> = {}): Promise<ServedBroker> {
  const served = await serveBroker(options)
  closers.push(served.close)
  await served.broker.createTopics([{ name: 'orders', partitions: 2 }])
  return served
}

const appendTo = (name: string, index: number, records: Buffer, acks = -1) => ({
  transactionalId: null,
  acks,
  timeoutMs: 1_000,
  topicData: [{ name, partitionData: [{ index, records }] }],
})

const fetchFrom = (topic: string, partition: number, fetchOffset: number, options: object = {}) => ({
  replicaId: -1,
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1_000_000 }] }],
  ...options,
})

describe('a broker on a port', () => {
  it('tells which versions it has, also who asks in one that is too new', async () => {
    const { connect } = await serve()
    const client = await connect()
    const known = await client.request(apiVersions, 3, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
    expect(known.errorCode).toBe(0)
    expect(known.apiKeys).toContainEqual({ apiKey: 1, minVersion: 4, maxVersion: 12 })
    // Kafka's own answer, which old librdkafka depends on.
    expect(known.apiKeys).toContainEqual({ apiKey: 0, minVersion: 0, maxVersion: 11 })
    const newer = requestFrame(apiVersions, 3, 77, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
    newer.writeInt16BE(99, 6)
    const reply = Promise.withResolvers<Buffer>()
    client.onData = (bytes) => reply.resolve(Buffer.from(bytes))
    client.connection.write(newer)
    const bytes = await reply.promise
    // Size, correlation id, then the oldest body: UNSUPPORTED_VERSION and the versions.
    expect([bytes.readInt32BE(4), bytes.readInt16BE(8), bytes.readInt32BE(10)]).toEqual([77, 35, known.apiKeys.length])
  })

  it('gives back what was appended, byte for byte but for offset and leader epoch', async () => {
    const { connect } = await serve()
    const client = await connect()
    const batch = batchOf('a', 'b', 'c')
    const { responses } = await client.request(produce, 9, appendTo('orders', 1, batch))
    expect(responses[0]?.partitionResponses[0]).toMatchObject({ index: 1, errorCode: 0, baseOffset: 0 })
    await client.request(produce, 3, appendTo('orders', 1, batchOf('d')))
    for (const version of [4, 11, 12]) {
      const found = await client.request(fetch, version, fetchFrom('orders', 1, 1))
      const partition = found.responses[0]?.partitions[0]
      expect(partition).toMatchObject({ errorCode: 0, highWatermark: 4, lastStableOffset: 4 })
      expect(partition?.records?.subarray(afterLeaderEpoch, batch.length)).toEqual(batch.subarray(afterLeaderEpoch))
      expect(partition?.records?.length).toBe(batch.length + batchOf('d').length)
    }
  })

  it('answers in the order of the requests, although a fetch waits and appends overlap', async () => {
    const { connect, environment } = await serve()
    const client = await connect()
    const waiting = client.request(fetch, 11, fetchFrom('orders', 0, 0, { maxWaitMs: 10_000 }))
    const after = client.request(metadata, 9, { topics: [{ name: 'orders' }] })
    const other = await connect()
    await Promise.all([
      other.request(produce, 8, appendTo('orders', 0, batchOf('x'))),
      other.request(produce, 8, appendTo('orders', 0, batchOf('y'))),
    ])
    expect((await waiting).responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(0)
    expect((await after).topics[0]?.partitions).toHaveLength(2)
    expect(client.answered).toEqual([1, 2])
    expect(other.answered).toEqual([1, 2])
    expect(environment.clock.monotonicMs()).toBeLessThan(10_000)
  })

  it('takes one batch at a time, and tells the time that it gave records', async () => {
    const { connect, broker, environment } = await serve()
    const client = await connect()
    const append = async (topic: string, records: Buffer) =>
      (await client.request(produce, 9, appendTo(topic, 0, records))).responses[0]?.partitionResponses[0]
    expect(await append('orders', Buffer.concat([batchOf('a'), batchOf('b')]))).toMatchObject({ errorCode: 87 })
    expect(await append('orders', batchOf('a'))).toMatchObject({ errorCode: 0, baseOffset: 0, logAppendTimeMs: -1 })
    await broker.createTopics([
      { name: 'stamped', partitions: 1, config: { 'message.timestamp.type': 'LogAppendTime' } },
    ])
    const logAppendTimeMs = environment.clock.wallMs()
    expect(await append('stamped', batchOf('a'))).toMatchObject({ errorCode: 0, baseOffset: 0, logAppendTimeMs })
  })

  it('refuses names that no topic can have', async () => {
    const { connect } = await serve()
    const client = await connect()
    const asked = { topics: [{ name: 'a/b' }, { name: 'nobody' }], allowAutoTopicCreation: false }
    const { topics } = await client.request(metadata, 9, asked)
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a/b', 17],
      ['nobody', 3],
    ])
  })

  it('ignores bytes behind a request, as Kafka does: librdkafka sends some', async () => {
    const { connect } = await serve()
    const client = await connect()
    const { topics } = await client.request(metadata, 12, { topics: null }, Buffer.from([1, 0, 0]))
    expect(topics.map(({ name }) => name)).toEqual(['orders'])
    expect((await client.request(metadata, 12, { topics: null })).topics).toHaveLength(1)
  })

  it('ends a wait for records with what there is when its time is over', async () => {
    const { connect, environment } = await serve()
    const client = await connect()
    const empty = client.request(fetch, 11, fetchFrom('orders', 0, 0, { maxWaitMs: 500 }))
    for (let i = 0; i < 20; i++) await environment.timers.nextTurn()
    await environment.clock.advanceAsync(500)
    expect((await empty).responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0 })
  })

  it('does not answer appends that ask for no acknowledgement, but does them', async () => {
    const { connect, broker } = await serve()
    const client = await connect()
    client.send(produce, 7, appendTo('orders', 0, batchOf('a'), 0))
    await client.request(metadata, 4, { topics: null, allowAutoTopicCreation: false })
    expect(client.answered).toEqual([2])
    expect(broker.log('orders', 0).logEndOffset).toBe(1)
  })

  it('says per partition what failed, and goes on', async () => {
    const { connect } = await serve()
    const client = await connect()
    const damaged = batchOf('a')
    damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1
    const request = {
      ...appendTo('orders', 0, damaged),
      topicData: [
        {
          name: 'orders',
          partitionData: [
            { index: 0, records: damaged },
            { index: 1, records: batchOf('b') },
            { index: 2, records: batchOf('c') },
            { index: 0, records: null },
          ],
        },
      ],
    }
    const { responses } = await client.request(produce, 9, request)
    expect(responses[0]?.partitionResponses.map((one) => one.errorCode)).toEqual([2, 0, 3, 87])
    const odd = await client.request(produce, 9, appendTo('orders', 0, batchOf('b'), 2))
    expect(odd.responses[0]?.partitionResponses[0]?.errorCode).toBe(21)
    const fetched = await client.request(fetch, 12, fetchFrom('orders', 1, 9, { maxWaitMs: 10_000 }))
    expect(fetched.responses[0]?.partitions[0]?.errorCode).toBe(1)
  })

  it('makes topics that clients ask for by name, unless they or the broker say not to', async () => {
    const { connect, broker } = await serve()
    const client = await connect()
    const named = (name: string) => ({ topics: [{ name }], allowAutoTopicCreation: true })
    const made = await client.request(metadata, 7, named('made'))
    expect(made.topics[0]).toMatchObject({ errorCode: 0, name: 'made', partitions: [{ leaderId: 1, isrNodes: [1] }] })
    expect(broker.topics.get('made')?.partitions).toBe(1)
    const absent = await client.request(metadata, 7, { ...named('absent'), allowAutoTopicCreation: false })
    expect(absent.topics[0]).toMatchObject({ errorCode: 3, name: 'absent', partitions: [] })
    const badName = await client.request(metadata, 7, named('no spaces'))
    expect(badName.topics[0]?.errorCode).toBe(17)
    const all = await client.request(metadata, 12, { topics: null })
    expect(all.topics.map((topic) => topic.name)).toEqual(['made', 'orders'])
    const byId = await client.request(metadata, 12, { topics: [{ name: null, topicId: all.topics[1]?.topicId ?? '' }] })
    expect(byId.topics[0]?.name).toBe('orders')
    // Answers of version 11 have no place for a topic without a name: found by `npm run fuzz`.
    const tooEarly = await client.request(metadata, 11, {
      topics: [{ name: null, topicId: all.topics[1]?.topicId ?? '' }],
    })
    expect(tooEarly.topics).toMatchObject([{ name: '', errorCode: 42 }])
  })
})

describe('a client that misbehaves', () => {
  it.each([
    ['a request larger than is taken', Buffer.from('7fffffff', 'hex'), 'MALFORMED_MESSAGE'],
    ['a negative size', Buffer.from('ffffffff', 'hex'), 'MALFORMED_MESSAGE'],
    ['an API that there is not', Buffer.from('0000000a7fff0000000000010000', 'hex'), 'UNSUPPORTED_VERSION'],
    ['a version that there is not', Buffer.from('0000000a00010063000000010000', 'hex'), 'UNSUPPORTED_VERSION'],
    ['half a header', Buffer.from('000000030012aa', 'hex'), 'MALFORMED_MESSAGE'],
  ])('with %s loses its connection, and nobody else does', async (_, bytes, code) => {
    const { connect, errors } = await serve()
    const honest = await connect()
    const client = await connect()
    client.connection.write(bytes)
    await client.closed
    expect(errors.map((error) => (error as MillraceError).code)).toEqual([code])
    expect((await honest.request(apiVersions, 0, {})).errorCode).toBe(0)
  })

  it('by being idle is let go, and by coming too often not let in', async () => {
    const { connect, environment, server } = await serve({ limits: { maxIdleMs: 1_000, maxConnectionsPerAddress: 2 } })
    const client = await connect()
    const active = await connect()
    const third = await connect()
    await third.closed
    expect(server.connectionCount).toBe(2)
    environment.clock.advance(600)
    await active.request(apiVersions, 0, {})
    environment.clock.advance(600)
    await client.closed
    expect(server.connectionCount).toBe(1)
    await active.request(apiVersions, 0, {})
  })

  it('by breaking off is forgotten without a word', async () => {
    const { connect, environment, server, errors } = await serve()
    const client = await connect()
    client.connection.destroy()
    for (let i = 0; i < 20; i++) await environment.timers.nextTurn()
    expect([server.connectionCount, errors]).toEqual([0, []])
  })

  it('by not reading is waited for, then dropped', async () => {
    const { connect, environment, server, broker, errors } = await serve({ limits: { maxUnreadMs: 5_000 } })
    broker.log('orders', 0).append(batchOf(...[...'0123456789'].map((digit) => digit.repeat(50_000))))
    await broker.log('orders', 0).flushed()
    const client = await connect()
    client.connection.pause()
    const answers = [1, 2, 3].map(() => client.request(fetch, 11, fetchFrom('orders', 0, 0)).catch(() => 'dropped'))
    for (let i = 0; i < 20; i++) await environment.timers.nextTurn()
    expect(server.connectionCount).toBe(1)
    // The second and third wait until the first is read.
    expect(server.requestCounts.get('1.11')).toBe(1)
    environment.clock.advance(5_000)
    expect(await Promise.all(answers)).toEqual(['dropped', 'dropped', 'dropped'])
    expect(String(errors[0])).toContain('does not read')
  })
})
