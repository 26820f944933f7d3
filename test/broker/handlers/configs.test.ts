import { afterEach, describe, expect, it } from 'vitest'
import { type BrokerOptions, openBroker } from '../../../src/broker/broker.ts'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import { alterConfigs } from '../../../src/broker/protocol/messages/alter-configs.ts'
import { describeConfigs } from '../../../src/broker/protocol/messages/describe-configs.ts'
import { incrementalAlterConfigs } from '../../../src/broker/protocol/messages/incremental-alter-configs.ts'
import { listenForClients } from '../../../src/broker/server/broker-server.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { batchOf, batchOfRecords, failureOf, worldOn } from '../records.ts'
import { ProtocolClient } from '../server/protocol-client.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const topic = 2
const brokerType = 4
const [set, remove, append, subtract] = [0, 1, 2, 3]

async function serve(options: Partial<BrokerOptions> = {}, disk = new MemoryDisk({ tracksCrashes: true })) {
  const environment = worldOn(disk)
  const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', ...options })
  const server = await listenForClients({
    environment,
    listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: 'localhost', port: 9092 }],
    handlers: handlersOf(broker),
  })
  const client = await ProtocolClient.connect(environment.network, { host: 'localhost', port: 9092 })
  closers.push(async () => {
    await server.close()
    // A disk whose power went takes nothing any more.
    await broker.close().catch(() => {})
  })
  type Change = readonly [operation: number, name: string, value: string | null]
  const alter = async (resourceType: number, resourceName: string, changes: Change[], validateOnly = false) => {
    const configs = changes.map(([configOperation, name, value]) => ({ name, configOperation, value }))
    const resources = [{ resourceType, resourceName, configs }]
    const { responses } = await client.request(incrementalAlterConfigs, 1, { resources, validateOnly })
    return [responses[0]?.errorCode, responses[0]?.errorMessage]
  }
  const describe = async (resourceType: number, resourceName: string, ...keys: string[]) => {
    const resources = [{ resourceType, resourceName, configurationKeys: keys.length === 0 ? null : keys }]
    const { results } = await client.request(describeConfigs, 4, { resources, includeSynonyms: true })
    return results[0]
  }
  return { broker, client, alter, describe, disk, environment }
}

const ok = [0, null]

describe('settings of topics', () => {
  it('are set, deleted, added to and taken from, and kept', async () => {
    const { alter, broker, disk } = await serve()
    await broker.createTopics([{ name: 't', partitions: 1, config: { 'retention.ms': '5' } }])
    const config = () => broker.topics.get('t')?.config
    expect(
      await alter(topic, 't', [
        [set, 'max.message.bytes', '100'],
        [remove, 'retention.ms', null],
      ]),
    ).toEqual(ok)
    expect(config()).toEqual({ 'max.message.bytes': '100' })
    expect(await alter(topic, 't', [[append, 'cleanup.policy', 'compact']])).toEqual(ok)
    expect(config()).toEqual({ 'max.message.bytes': '100', 'cleanup.policy': 'delete,compact' })
    expect(await alter(topic, 't', [[subtract, 'cleanup.policy', 'delete']])).toEqual(ok)
    expect(config()?.['cleanup.policy']).toBe('compact')
    const again = await openBroker({
      directory: 'data',
      environment: worldOn(disk.crash({ keepUnsynced: 'none' })),
      flush: 'fsync',
    })
    expect(again.topics.get('t')?.config).toEqual({ 'max.message.bytes': '100', 'cleanup.policy': 'compact' })
    expect(again.log('t', 0).settings).toMatchObject({ maxMessageBytes: 100, cleanupPolicy: 'compact' })
    await again.close()
  })

  it('are followed at once by logs that are open', async () => {
    const { alter, broker, environment } = await serve()
    await broker.createTopics([{ name: 't', partitions: 1 }])
    const log = broker.log('t', 0)
    expect(
      await alter(topic, 't', [
        [set, 'max.message.bytes', '100'],
        [set, 'segment.bytes', '300'],
      ]),
    ).toEqual(ok)
    expect((await failureOf(() => log.append(batchOf('x'.repeat(200))))).code).toBe('RECORD_TOO_LARGE')
    for (let i = 0; i < 20; i++) log.append(batchOfRecords([{ key: 'k', value: `${i}` }]))
    await log.flushed()
    expect(log.segments.length).toBeGreaterThan(2)
    const policy = [
      [set, 'cleanup.policy', 'compact'],
      [set, 'min.cleanable.dirty.ratio', '0'],
    ] as const
    expect(await alter(topic, 't', [...policy])).toEqual(ok)
    await environment.clock.advanceAsync(20_000)
    while (log.cleanedTo === undefined) await environment.timers.nextTurn()
    const before = log.sizeBytes
    expect(
      await alter(topic, 't', [
        [set, 'cleanup.policy', 'delete'],
        [set, 'retention.bytes', '0'],
      ]),
    ).toEqual(ok)
    await environment.clock.advanceAsync(400_000)
    expect(log.sizeBytes).toBeLessThan(before)
  })

  it.each(['none', 'all'] as const)(
    'leave logs that were compacted readable, with %s kept of what was not synced',
    async (keepUnsynced) => {
      const { alter, broker, disk } = await serve()
      const config = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'segment.bytes': '300' }
      await broker.createTopics([{ name: 't', partitions: 1, config }])
      const log = broker.log('t', 0)
      for (let i = 0; i < 20; i++) log.append(batchOfRecords([{ key: `${i % 2}`, value: `${i}` }]))
      await log.flushed()
      const compacted = broker.compact()
      expect(await alter(topic, 't', [[set, 'cleanup.policy', 'delete']])).toEqual(ok)
      await compacted
      const environment = worldOn(disk.crash({ keepUnsynced }))
      const again = await openBroker({ directory: 'data', environment, flush: 'fsync' })
      expect([again.damages, again.cuts]).toEqual([[], []])
      expect(again.log('t', 0).logEndOffset).toBe(20)
      await again.close()
    },
  )

  it.each([
    [[[set, 'retention', '1']], [40, 'Unknown topic config name: retention']],
    [[[set, 'retention.ms', 'a week']], [40, expect.stringContaining('Not a number of type LONG')]],
    [[[set, 'cleanup.policy', 'never']], [40, expect.stringContaining('must be one of: compact, delete')]],
    [[[append, 'retention.ms', '1']], [40, expect.stringContaining('its type is not LIST')]],
    [
      [[set, 'remote.storage.enable', 'true']],
      [40, expect.stringContaining('Tiered Storage functionality is disabled')],
    ],
    [
      [
        [set, 'min.compaction.lag.ms', '10'],
        [set, 'max.compaction.lag.ms', '5'],
      ],
      [40, expect.stringContaining('min.compaction.lag.ms (10) > max.compaction.lag.ms (5)')],
    ],
    [[[set, 'retention.ms', 'x'.repeat(40_000)]], [40, expect.stringContaining('maximum value size')]],
    [[[set, 'retention.ms', null]], [42, 'Null value not supported for : retention.ms']],
    [
      [
        [set, 'retention.ms', '1'],
        [set, 'retention.ms', '2'],
      ],
      [42, 'Error due to duplicate config keys'],
    ],
    [[[9, 'retention.ms', '1']], [42, 'Unknown operations type 9']],
  ] as [[number, string, string | null][], unknown][])('%j are refused as a whole', async (changes, answer) => {
    const { alter, broker } = await serve()
    await broker.createTopics([{ name: 't', partitions: 1 }])
    expect(await alter(topic, 't', [[set, 'flush.ms', '7'], ...changes])).toEqual(answer)
    expect(broker.topics.get('t')?.config).toEqual({})
  })

  it('are only looked at where that is asked for, and only of topics that exist', async () => {
    const { alter, broker, client } = await serve()
    await broker.createTopics([{ name: 't', partitions: 1 }])
    expect(await alter(topic, 't', [[set, 'retention.ms', '5']], true)).toEqual(ok)
    expect(broker.topics.get('t')?.config).toEqual({})
    expect(await alter(topic, 'none', [[set, 'retention.ms', '5']])).toEqual([3, "The topic 'none' does not exist."])
    expect(await alter(topic, 'a b', [[set, 'retention.ms', '5']])).toEqual([17, expect.stringContaining("'a b'")])
    expect(await alter(topic, '', [])).toEqual([42, 'Default topic resources are not allowed.'])
    expect(await alter(8, '1', [])).toEqual([42, 'Unknown resource type 8'])
    const resource = { resourceType: topic, resourceName: 't', configs: [] }
    const twice = { resources: [resource, resource], validateOnly: false }
    const { responses } = await client.request(incrementalAlterConfigs, 0, twice)
    expect(responses.map(({ errorMessage }) => errorMessage)).toEqual(
      Array(2).fill('Each resource must appear at most once.'),
    )
  })

  it('become exactly what AlterConfigs says', async () => {
    const { broker, client } = await serve()
    await broker.createTopics([{ name: 't', partitions: 1, config: { 'retention.ms': '5', 'flush.ms': '7' } }])
    const configs = [{ name: 'retention.ms', value: '6' }]
    const resources = [{ resourceType: topic, resourceName: 't', configs }]
    const { responses } = await client.request(alterConfigs, 2, { resources, validateOnly: false })
    expect(responses).toMatchObject([{ errorCode: 0, resourceName: 't' }])
    expect(broker.topics.get('t')?.config).toEqual({ 'retention.ms': '6' })
    const unset = [
      { ...resources[0], resourceType: topic, resourceName: 't', configs: [{ name: 'flush.ms', value: null }] },
    ]
    const refused = await client.request(alterConfigs, 0, { resources: unset, validateOnly: false })
    expect(refused.responses[0]?.errorCode).toBe(42)
  })

  it('stay where the registry has no room for others', async () => {
    const { alter, broker, disk } = await serve()
    await broker.createTopics([{ name: 't', partitions: 1 }])
    disk.failNext('write', 'ENOSPC')
    expect(await alter(topic, 't', [[set, 'max.message.bytes', '100']])).toEqual([56, expect.any(String)])
    expect(broker.log('t', 0).settings.maxMessageBytes).toBe(1_048_588)
    disk.failNext('write', 'ENOSPC')
    expect(await alter(brokerType, '', [[set, 'message.max.bytes', '100']])).toEqual([56, expect.any(String)])
    expect(broker.settings.maxMessageBytes).toBe(1_048_588)
    expect(await alter(topic, 't', [[set, 'max.message.bytes', '100']])).toEqual(ok)
  })
})

describe('settings of the broker', () => {
  it('hold for topics that do not say otherwise, from the moment when they are set', async () => {
    const { alter, broker, disk } = await serve()
    await broker.createTopics([
      { name: 'own', partitions: 1, config: { 'max.message.bytes': '100' } },
      { name: 'none', partitions: 1 },
    ])
    const most = (name: string) => broker.log(name, 0).settings.maxMessageBytes
    expect(await alter(brokerType, '', [[set, 'message.max.bytes', '200']])).toEqual(ok)
    expect([most('own'), most('none')]).toEqual([100, 200])
    expect(await alter(brokerType, '1', [[set, 'message.max.bytes', '300']])).toEqual(ok)
    expect([most('own'), most('none')]).toEqual([100, 300])
    await broker.createTopics([{ name: 'later', partitions: 1 }])
    expect(most('later')).toBe(300)
    expect(await alter(brokerType, '1', [[remove, 'message.max.bytes', null]])).toEqual(ok)
    expect(most('none')).toBe(200)
    expect(await alter(brokerType, '1', [[set, 'message.max.bytes', '300']])).toEqual(ok)
    const again = await openBroker({
      directory: 'data',
      environment: worldOn(disk.crash({ keepUnsynced: 'none' })),
      flush: 'fsync',
    })
    expect(again.log('none', 0).settings.maxMessageBytes).toBe(300)
    await again.close()
  })

  it('that cannot be changed while it runs are refused, and so are others that there are not', async () => {
    const { alter } = await serve()
    const refused = async (name: string, value: string, resourceName = '1') =>
      (await alter(brokerType, resourceName, [[set, name, value]]))[1]
    expect(await refused('num.partitions', '3')).toBe('Cannot update these configs dynamically: Set(num.partitions)')
    expect(await refused('log.retention.ms', 'x')).toContain('Not a number of type LONG')
    expect(await refused('no.such', '1')).toContain("'no.such' is not a setting")
    expect(await refused('message.max.bytes', '1', '2')).toBe('Unexpected broker id, expected 1, but received 2')
    expect(await refused('message.max.bytes', '1', 'one')).toContain('must be an integer')
    expect(await alter(brokerType, '', [[set, 'message.max.bytes', '-1']])).toEqual([42, expect.any(String)])
  })

  it('are told with where they come from, those of topics too', async () => {
    const config = { 'log.retention.hours': '2', 'num.partitions': '5' }
    const { alter, broker, describe } = await serve({ config })
    await broker.createTopics([{ name: 't', partitions: 1, config: { 'retention.ms': '9' } }])
    await broker.createTopics([{ name: 'u', partitions: 1 }])
    const of = async (type: number, name: string, key: string) => {
      const found = (await describe(type, name, key))?.configs[0]
      return found && [found.value, found.configSource, found.synonyms.map((one) => [one.name, one.value, one.source])]
    }
    expect(await of(topic, 't', 'retention.ms')).toEqual(['9', 1, [['retention.ms', '9', 1]]])
    // Two hours are not a synonym of milliseconds, although they count.
    expect(await of(topic, 'u', 'retention.ms')).toEqual(['7200000', 5, []])
    const replicas = 'default.replication.factor'
    expect(await of(brokerType, '1', replicas)).toEqual(['1', 5, [[replicas, '1', 5]]])
    expect(await of(brokerType, '1', 'num.partitions')).toEqual([
      '5',
      4,
      [
        ['num.partitions', '5', 4],
        ['num.partitions', '1', 5],
      ],
    ])
    expect(await of(brokerType, '1', 'log.retention.hours')).toEqual([
      '2',
      4,
      [
        ['log.retention.hours', '2', 4],
        ['log.retention.hours', '-1', 5],
      ],
    ])
    await alter(brokerType, '', [[set, 'log.retention.ms', '60']])
    await alter(brokerType, '1', [[set, 'log.retention.ms', '70']])
    expect(broker.log('u', 0).settings.retentionMs).toBe(70)
    expect((await of(topic, 'u', 'retention.ms'))?.slice(0, 2)).toEqual(['70', 2])
    const ofCluster = await describe(brokerType, '')
    expect(ofCluster?.configs).toMatchObject([
      { name: 'log.retention.ms', value: '60', configSource: 3, readOnly: false, configType: 5 },
    ])
    const all = (await describe(brokerType, '1'))?.configs ?? []
    expect(all.find(({ name }) => name === 'delete.topic.enable')).toMatchObject({ value: 'true', readOnly: true })
    expect(all.find(({ name }) => name === 'log.retention.ms')).toMatchObject({ value: '70', readOnly: false })
    expect((await describe(brokerType, '7'))?.errorCode).toBe(42)
    expect((await describe(8, '1'))?.errorCode).toBe(42)
    expect((await describe(topic, 'a b'))?.errorCode).toBe(17)
  })

  it('are refused at the start by name or value', async () => {
    const start = (config: Record<string, string>) =>
      failureOf(() => openBroker({ directory: 'data', environment: worldOn(), flush: 'fsync', config }))
    expect((await start({ 'log.retention.days': '3' })).message).toContain("'log.retention.days' is not a setting")
    expect((await start({ 'default.replication.factor': '2' })).message).toContain('Value must be no more than 1')
    expect((await start({ 'num.partitions': '0' })).message).toContain('Value must be at least 1')
  })
})
