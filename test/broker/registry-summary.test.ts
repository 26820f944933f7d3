import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { metadataTopic } from '../../src/broker/topics.ts'
import type { MemoryDisk } from '../../src/env/memory-disk.ts'
import { CrashingDisk } from '../runtime/crashing-disk.ts'
import { modelRuns } from './model-runs.ts'
import { failureOf, worldOn } from './records.ts'

function open(disk: MemoryDisk): Promise<Broker> {
  return openBroker({ directory: 'data', environment: worldOn(disk), flush: 'fsync' })
}

/** All that the registry says, as its readers see it. */
function stateOf({ topics }: Broker) {
  return {
    topics: topics.list(),
    brokers: [...topics.brokerConfigs].filter(([, config]) => Object.keys(config).length > 0).sort(),
    nextProducerId: topics.nextProducerId,
    credentials: inOrder(topics.credentials.records()),
    rules: inOrder(topics.rules.records()),
    quotas: inOrder(topics.quotas.records()),
  }
}

function inOrder<T>(records: readonly T[]): T[] {
  return [...records].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

const credential = {
  type: 'scram-credential' as const,
  mechanism: 1,
  salt: Buffer.from('salt'),
  storedKey: Buffer.from('stored'),
  serverKey: Buffer.from('server'),
  iterations: 4_096,
}
const rule = {
  ...{
    resourceType: 2,
    resourceName: 't',
    patternType: 3,
    principal: 'User:u',
    host: '*',
    operation: 3,
    permissionType: 3,
  },
  type: 'access-control-entry' as const,
}
const ids = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg']
const name = fc.constantFrom('a', 'b', 'c')
const change = fc.oneof(
  name.map((topic) => async (broker: Broker) => {
    if (broker.topics.get(topic) === undefined) {
      await broker.createTopics([{ name: topic, partitions: 2, config: { 'retention.ms': '7' } }])
    } else await broker.topicChanges.delete(topic)
  }),
  fc.tuple(name, fc.nat({ max: 9 })).map(([topic, value]) => async (broker: Broker) => {
    if (broker.topics.get(topic) === undefined) return
    const change = { resource: 'topic' as const, resourceName: topic, name: 'retention.ms' }
    await broker.topics.configure([{ ...change, value: value === 0 ? null : String(value) }])
  }),
  fc.nat({ max: 9 }).map((value) => async (broker: Broker) => {
    const change = { resource: 'broker' as const, resourceName: '', name: 'num.partitions' }
    await broker.topics.configure([{ ...change, value: value === 0 ? null : String(value) }])
  }),
  fc.tuple(name, fc.boolean()).map(([user, isThere]) => async (broker: Broker) => {
    const removal = { type: 'remove-scram-credential' as const, name: user, mechanism: 1 }
    await broker.topics.secure([isThere ? { ...credential, name: user } : removal])
  }),
  fc.tuple(fc.constantFrom(...ids), fc.boolean()).map(([id, isThere]) => async (broker: Broker) => {
    await broker.topics.secure([isThere ? { ...rule, id } : { type: 'remove-access-control-entry', id }])
  }),
  fc.tuple(fc.constantFrom('u', null), fc.boolean()).map(([entityName, remove]) => async (broker: Broker) => {
    const quota = { type: 'client-quota' as const, key: 'producer_byte_rate', value: remove ? 0 : 7, remove }
    await broker.topics.secure([{ ...quota, entity: [{ entityType: 'user', entityName }] }])
  }),
  fc.constant(async (broker: Broker) => void (await broker.topics.reserveProducerIds(1_000))),
)

/** Writes so many records that are out of date that a summary is due. */
async function outdate(broker: Broker, records = 1_300): Promise<void> {
  const setting = { type: 'config', resource: 'broker', resourceName: '1', name: 'num.partitions' } as const
  const batch = Array.from({ length: 100 }, (_, i) => ({ ...setting, value: String(1 + (i % 9)) }))
  for (let written = 0; written < records; written += batch.length) await broker.topics.configure(batch)
}

describe('the registry', () => {
  it('says the same after all that is out of date has gone from it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 12 }),
        fc.array(change, { maxLength: 4 }),
        async (before, after) => {
          const { disk } = worldOn()
          const broker = await open(disk)
          for (const make of before) await make(broker)
          await outdate(broker)
          const log = broker.log(metadataTopic, 0)
          expect(log.logEndOffset - log.logStartOffset).toBeLessThan(1_100)
          for (const make of after) await make(broker)
          const state = stateOf(broker)
          expect(stateOf(await open(disk.crash({ keepUnsynced: 'none' })))).toEqual(state)
        },
      ),
      { numRuns: modelRuns(20) },
    )
  })

  it('stays short over many restarts, each of which gives up producer ids', async () => {
    let { disk } = worldOn()
    for (let life = 0; life < 4; life++) {
      const broker = await open(disk)
      for (let i = 0; i < 600; i++) await broker.topics.reserveProducerIds(1)
      disk = disk.crash({ keepUnsynced: 'none' })
    }
    const broker = await open(disk)
    const log = broker.log(metadataTopic, 0)
    expect(broker.topics.nextProducerId).toBe(2_400)
    expect(log.logEndOffset - log.logStartOffset).toBeLessThan(1_100)
    expect(log.segments.length).toBeLessThanOrEqual(2)
  })

  it('is whole whenever power is lost while it is summed up', async () => {
    for (const keepUnsynced of ['none', 'all', 'random'] as const) {
      for (let operations = 0, isDone = false; !isDone; operations++) {
        const { disk } = worldOn()
        const before = await open(disk)
        await before.createTopics([{ name: 'a', partitions: 2, config: { 'retention.ms': '7' } }])
        await before.topics.secure([{ ...credential, name: 'user' }])
        await outdate(before, 1_000)
        const state = stateOf(before)
        await before.close()
        const crashing = new CrashingDisk(disk, operations, keepUnsynced)
        try {
          const broker = await openBroker({
            directory: 'data',
            environment: { ...worldOn(disk), disk: crashing },
            flush: 'fsync',
          })
          await outdate(broker, 300)
          isDone = true
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/STORAGE_FAILED|EIO/)
        }
        const found = stateOf(await open(crashing.crash()))
        expect({ ...found, brokers: [] }).toEqual({ ...state, brokers: [] })
      }
    }
  })

  it('is not summed up where there is no room for that, and what was asked for is done all the same', async () => {
    const { disk } = worldOn()
    const broker = await open(disk)
    await outdate(broker, 1_000)
    const log = broker.log(metadataTopic, 0)
    const end = log.logEndOffset
    disk.capacityBytes = disk.usedBytes + 200
    await broker.topics.reserveProducerIds(5)
    expect([log.logStartOffset, broker.topics.nextProducerId]).toEqual([0, 5])
    expect((await failureOf(() => outdate(broker, 100))).code).toBe('DISK_FULL')
    disk.capacityBytes = Number.POSITIVE_INFINITY
    await outdate(broker, 100)
    expect(log.logStartOffset).toBeGreaterThan(end)
  })
})
