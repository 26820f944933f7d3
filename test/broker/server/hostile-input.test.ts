import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addOffsetsToTxn } from '../../../src/broker/protocol/messages/add-offsets-to-txn.ts'
import { alterClientQuotas } from '../../../src/broker/protocol/messages/alter-client-quotas.ts'
import { createAcls } from '../../../src/broker/protocol/messages/create-acls.ts'
import { createTopics } from '../../../src/broker/protocol/messages/create-topics.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { incrementalAlterConfigs } from '../../../src/broker/protocol/messages/incremental-alter-configs.ts'
import { initProducerId } from '../../../src/broker/protocol/messages/init-producer-id.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { offsetCommit } from '../../../src/broker/protocol/messages/offset-commit.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { saslAuthenticate } from '../../../src/broker/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../../src/broker/protocol/messages/sasl-handshake.ts'
import { everyApi } from '../guards/asked.ts'
import { type SecuredBroker, secureBroker } from '../guards/secured-broker.ts'
import { batchOf } from '../records.ts'
import { ProtocolClient } from './protocol-client.ts'

let served: SecuredBroker
let admin: ProtocolClient

beforeEach(async () => {
  served = await secureBroker()
  await served.broker.createTopics([{ name: 'orders', partitions: 1 }])
  admin = await served.login('admin')
})
afterEach(() => served.close())

const traversals = [
  '../x',
  '..',
  '.',
  'a/b',
  'a\\b',
  '..%2fx',
  'a\0b',
  '/etc/passwd',
  'CON:',
  'x'.repeat(250),
  'ümlaut',
  ' ',
  '',
]
const keyNames = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']

/** All files there are, by their paths. */
function filesIn(directory: string): string[] {
  const { disk } = served.environment
  return disk.list(directory).flatMap((name) => {
    const path = directory === '' ? name : `${directory}/${name}`
    try {
      return filesIn(path)
    } catch {
      return [path]
    }
  })
}

async function setTopics(name: string, configs: { name: string; value: string }[] = []): Promise<number | undefined> {
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }
  return (await admin.request(createTopics, 5, { topics: [topic] })).topics[0]?.errorCode
}

describe('names that are paths', () => {
  it.each(traversals)('make no topic: %j', async (name) => {
    expect(await setTopics(name)).toBe(17)
    const asked = { topics: [{ name }], allowAutoTopicCreation: true }
    expect((await admin.request(metadata, 9, asked)).topics[0]?.errorCode).toBe(17)
    const topicData = [{ name, partitionData: [{ index: 0, records: batchOf('v') }] }]
    const { responses } = await admin.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1, topicData })
    expect(responses[0]?.partitionResponses[0]?.errorCode).not.toBe(0)
    expect(served.broker.topics.list().map((topic) => topic.name)).toEqual(['orders'])
    expect(served.errors).toEqual([])
  })

  it('are groups and transactional ids as any others, and name no files', async () => {
    for (const name of traversals.filter((one) => one !== '')) {
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
      const commit = { groupId: name, memberId: '', topics: [{ name: 'orders', partitions }] }
      expect((await admin.request(offsetCommit, 5, commit)).topics[0]?.partitions[0]?.errorCode).toBe(0)
      const begun = await admin.request(initProducerId, 3, { transactionalId: name, transactionTimeoutMs: 1_000 })
      expect(begun.errorCode).toBe(0)
      const { producerId, producerEpoch } = begun
      await admin.request(addOffsetsToTxn, 2, { transactionalId: name, producerId, producerEpoch, groupId: name })
      expect(served.broker.offsets.committed(name, 'orders', 0)?.offset).toBe(1)
    }
    const shape = /^data\/(?:orders|__consumer_offsets|__transaction_state|__cluster_metadata)-0\/|^data\/[a-z._-]+$/
    expect(filesIn('data').filter((path) => !shape.test(path))).toEqual([])
    expect(served.environment.disk.list('')).toEqual(['data'])
  })
})

describe('names that objects have by themselves', () => {
  it.each(keyNames)('change no object, and are names as any others: %s', async (name) => {
    const value = '{"polluted":true}'
    expect(await setTopics('t1', [{ name, value }])).toBe(40)
    expect(await setTopics(name)).toBe(0)
    const configs = [{ name, configOperation: 0, value }]
    const resources = [
      { resourceType: 2, resourceName: name, configs },
      { resourceType: 4, resourceName: '1', configs },
    ]
    const altered = await admin.request(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    for (const { errorCode } of altered.responses) expect(errorCode).not.toBe(0)
    const entity = [{ entityType: name, entityName: name }]
    const ops = [{ key: name, value: 1, remove: false }]
    const quotas = await admin.request(alterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false })
    expect(quotas.entries[0]?.errorCode).toBe(42)
    const partitions = [{ partitionIndex: 0, committedOffset: 3, committedMetadata: name }]
    await admin.request(offsetCommit, 5, { groupId: name, memberId: name, topics: [{ name, partitions }] })
    const rule = {
      resourceType: 2,
      resourceName: name,
      principal: `User:${name}`,
      host: '*',
      operation: 3,
      permissionType: 3,
    }
    expect((await admin.request(createAcls, 2, { creations: [rule] })).results[0]?.errorCode).toBe(0)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.keys(Object.prototype)).toEqual([])
    expect((await admin.request(metadata, 9, { topics: [{ name }] })).topics).toMatchObject([{ errorCode: 0, name }])
    expect(served.errors).toEqual([])
  })
})

describe('a client', () => {
  it('that says it is a replica reads nothing and moves nothing', async () => {
    const log = served.broker.log('orders', 0)
    log.append(batchOf('a'))
    await log.flushed()
    const before = [log.highWatermark, log.logStartOffset, log.logEndOffset]
    for (const replicaId of [0, 1, 2, 1_000]) {
      const partitions = [
        { partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000, logStartOffset: 99, currentLeaderEpoch: 7 },
      ]
      const request = { replicaId, maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'orders', partitions }] }
      const { errorCode, responses } = await admin.request(fetch, 11, request)
      expect([errorCode, responses]).toEqual([42, []])
    }
    expect([log.highWatermark, log.logStartOffset, log.logEndOffset]).toEqual(before)
  })

  it('that fails to log in leaves no password in what the broker says', async () => {
    const canary = 'canary-7f3a'
    const client = await ProtocolClient.connect(served.environment.network, served.server.address)
    await client.request(saslHandshake, 1, { mechanism: 'PLAIN' })
    const answer = client.request(saslAuthenticate, 2, { authBytes: Buffer.from(`\0alice\0${canary}`) })
    for (let i = 0; i < 100; i++) await served.environment.timers.nextTurn()
    await served.environment.clock.advanceAsync(200)
    const told = JSON.stringify(await answer)
    await client.closed
    expect(served.errors).toHaveLength(1)
    const error = served.errors[0] as Error
    const { out, error: complaints } = served.environment.host.written
    for (const text of [told, error.message, error.stack ?? '', JSON.stringify(error), out, complaints]) {
      expect(text).not.toContain(canary)
    }
  })

  it('that is many has the quota of one', async () => {
    const entity = [{ entityType: 'user', entityName: 'alice' }]
    const ops = [{ key: 'producer_byte_rate', value: 1_000, remove: false }]
    await admin.request(alterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false })
    const rules = [
      { resourceType: 2, resourceName: '*', principal: 'User:alice', host: '*', operation: 4, permissionType: 3 },
    ]
    await admin.request(createAcls, 2, { creations: rules })
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records: batchOf('x'.repeat(900)) }] }]
    const throttles: number[] = []
    for (let i = 0; i < 50; i++) {
      const client = await served.login('alice')
      const answer = await client.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1, topicData })
      throttles.push(answer.throttleTimeMs)
    }
    // Ten thousand bytes at once, whoever of them it is.
    expect(throttles.findIndex((ms) => ms > 0)).toBeGreaterThan(5)
    expect(throttles.findIndex((ms) => ms > 0)).toBeLessThan(11)
    expect(throttles.at(-1)).toBe(15_000)
  })
})

describe('what is sent', () => {
  it('has no bytes in it that were never written', async () => {
    const canary = Buffer.from('NEVER-WRITTEN')
    const { allocUnsafe, allocUnsafeSlow } = Buffer
    const seen: Buffer[] = []
    const { onData } = admin
    admin.onData = (bytes) => {
      seen.push(Buffer.from(bytes))
      onData.call(admin, bytes)
    }
    // Memory that is handed out as it is: whatever of it is sent is recognised.
    Buffer.allocUnsafe = (size: number) => Buffer.alloc(size, canary)
    Buffer.allocUnsafeSlow = (size: number) => Buffer.alloc(size, canary)
    try {
      for (const { api, version, body } of everyApi) {
        const answer = admin.request(api, version, body as never)
        for (let i = 0; i < 20; i++) await served.environment.timers.nextTurn()
        await served.environment.clock.advanceAsync(11_000)
        await answer
      }
    } finally {
      Object.assign(Buffer, { allocUnsafe, allocUnsafeSlow })
    }
    const sent = Buffer.concat(seen)
    expect(sent.length).toBeGreaterThan(1_000)
    for (let part = 0; part < canary.length - 4; part++) {
      expect(sent.includes(canary.subarray(part, part + 4)), `bytes ${part} of the canary`).toBe(false)
    }
  })
})
