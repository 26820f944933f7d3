import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { FlushPolicy, PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { batchOfRecords, failureOf, recordsIn, worldOn } from '../records.ts'

const minute = 60_000

interface Setup {
  readonly environment: VirtualEnvironment
  readonly broker: Broker
  readonly log: PartitionLog
}

/** A topic whose segments take one batch each. */
async function setUp(
  config: Readonly<Record<string, string>>,
  settings: Partial<BrokerSettings> = {},
  flush: FlushPolicy = 'fsync',
): Promise<Setup> {
  const environment = worldOn()
  const broker = await openBroker({
    directory: 'data',
    environment,
    flush,
    settings: { segmentBytes: 100, retentionCheckIntervalMs: minute, ...settings },
  })
  await broker.createTopics([{ name: 't', partitions: 2, config }])
  return { environment, broker, log: broker.log('t', 0) }
}

async function append(log: PartitionLog, ...timestamps: number[]): Promise<void> {
  for (const timestamp of timestamps) log.append(batchOfRecords([{ timestamp, value: 'x'.repeat(20) }]))
  await log.acknowledged()
}

function offsetsIn(log: PartitionLog): number[] {
  const cursor = new LogCursor(log, log.logStartOffset, 1_000)
  const offsets: number[] = []
  for (let from = cursor.offset, bytes = cursor.read(); bytes.length > 0; from = cursor.offset, bytes = cursor.read()) {
    offsets.push(...recordsIn(bytes, from).map((record) => record.offset))
  }
  return offsets
}

function files(disk: MemoryDisk, ending: string): string[] {
  return disk.list('data/t-0').filter((name) => name.endsWith(ending))
}

describe('retention', () => {
  it('deletes segments whose youngest record is too old, the last one too, and keeps their files for a while', async () => {
    const { environment, broker, log } = await setUp({
      'retention.ms': String(10 * minute),
      'file.delete.delay.ms': '1000',
    })
    const nowMs = environment.clock.wallMs()
    await append(log, nowMs - 30 * minute, nowMs - minute, nowMs - 20 * minute, nowMs)
    await environment.clock.advanceAsync(minute)
    expect(offsetsIn(log)).toEqual([1, 2, 3])
    expect(files(environment.disk, '.deleted')).toHaveLength(3)
    await environment.clock.advanceAsync(minute)
    expect(files(environment.disk, '.deleted')).toEqual([])
    await environment.clock.advanceAsync(10 * minute)
    expect([log.logStartOffset, log.logEndOffset, offsetsIn(log)]).toEqual([4, 4, []])
    await append(log, nowMs)
    expect(offsetsIn(log)).toEqual([4])
    await broker.close()
  })

  it('keeps what is young enough behind a record from the future', async () => {
    const { environment, log } = await setUp({ 'retention.ms': '1000' })
    await append(log, environment.clock.wallMs() + 1e9, 0, 0)
    await environment.clock.advanceAsync(minute)
    expect(offsetsIn(log)).toEqual([0, 1, 2])
  })

  it('deletes whole segments by which the log is too large', async () => {
    const { environment, log } = await setUp({ 'retention.bytes': '200' })
    await append(log, ...Array.from({ length: 10 }, () => 0))
    const size = log.segments[0]?.size as number
    await environment.clock.advanceAsync(minute)
    expect(log.sizeBytes).toBeLessThan(200 + size)
    expect(log.sizeBytes).toBeGreaterThanOrEqual(200)
  })

  it('counts age to the youngest record where the log is compacted too', async () => {
    const config = { 'retention.ms': '100', 'cleanup.policy': 'compact,delete' }
    const { environment, broker } = await setUp(config)
    const log = broker.log('t', 1)
    for (const timestamp of [1_000, 1_040, 1_120]) log.append(batchOfRecords([{ timestamp, key: 'k' }]))
    await log.acknowledged()
    await environment.clock.advanceAsync(10 * minute)
    expect(log.logStartOffset).toBe(1)
    expect(offsetsIn(log)).toEqual([1, 2])
  })

  it('deletes nothing by age or size where the policy is another', async () => {
    for (const policy of ['compact', '']) {
      const { environment, log } = await setUp({
        'cleanup.policy': policy,
        'retention.ms': '0',
        'retention.bytes': '0',
      })
      log.append(batchOfRecords([{ timestamp: 0, key: 'k' }]))
      await append(log)
      await environment.clock.advanceAsync(10 * minute)
      expect([policy, offsetsIn(log)]).toEqual([policy, [0]])
    }
  })

  it('deletes nothing that readers have not seen', async () => {
    const { environment, log } = await setUp({ 'retention.ms': '0' })
    await append(log, 0, 0)
    log.append(batchOfRecords([{ timestamp: 0 }]))
    await environment.clock.advanceAsync(minute)
    expect(log.logStartOffset).toBeLessThanOrEqual(log.highWatermark)
  })

  it('sets no timer where nothing has a retention', async () => {
    const { environment } = await setUp({})
    await environment.clock.advanceAsync(10 * minute)
    expect(environment.clock.pendingTimers).toBe(0)
  })
})

describe('deleting records', () => {
  it('hides those below an offset at once and for good, and removes the segments below it', async () => {
    const { environment, broker, log } = await setUp({})
    await append(log, 0, 0, 0, 0)
    await append(broker.log('t', 1), 0)
    const standing = new LogCursor(log, 0, 1_000)
    standing.read()
    standing.seek(1)
    const targets = [
      { topic: 't', partition: 0, offset: 3 },
      { topic: 't', partition: 1, offset: -1 },
    ]
    expect(await broker.deleteRecords(targets)).toEqual([3, 1])
    expect(offsetsIn(log)).toEqual([3])
    expect(files(environment.disk, '.log')).toEqual(['00000000000000000003.log'])
    expect((await failureOf(() => standing.read())).code).toBe('OFFSET_OUT_OF_RANGE')
    const again = await openBroker({
      directory: 'data',
      environment: worldOn(environment.disk.crash({ keepUnsynced: 'none' })),
      flush: 'fsync',
    })
    expect([offsetsIn(again.log('t', 0)), again.log('t', 1).logStartOffset]).toEqual([[3], 1])
    expect(await again.deleteRecords([{ topic: 't', partition: 0, offset: 1 }])).toEqual([3])
  })

  it('can begin inside of a batch', async () => {
    const { broker, log } = await setUp({})
    log.append(batchOfRecords([{ value: 'a' }, { value: 'b' }, { value: 'c' }]))
    await log.acknowledged()
    await broker.deleteRecords([{ topic: 't', partition: 0, offset: 1 }])
    expect(offsetsIn(log)).toEqual([1, 2])
  })

  it('deletes of all partitions or of none', async () => {
    const { broker, log } = await setUp({})
    await append(log, 0, 0)
    const targets = [
      { topic: 't', partition: 0, offset: 1 },
      { topic: 't', partition: 1, offset: 1 },
    ]
    const error = await failureOf(() => broker.deleteRecords(targets))
    expect([error.code, error.at]).toEqual(['OFFSET_OUT_OF_RANGE', { topic: 't', partition: 1, offset: 1 }])
    expect(log.logStartOffset).toBe(0)
  })

  it('makes room on a full disk', async () => {
    const { environment, broker, log } = await setUp({}, { segmentBytes: 100_000 })
    const { disk } = environment
    log.append(batchOfRecords([{ value: 'x'.repeat(90_000) }]))
    log.append(batchOfRecords([{ value: 'x'.repeat(90_000) }]))
    await log.acknowledged()
    disk.capacityBytes = disk.usedBytes
    await broker.deleteRecords([{ topic: 't', partition: 0, offset: 1 }])
    expect(disk.usedBytes).toBeLessThan(disk.capacityBytes - 80_000)
    await append(log, 0)
    const crashed = await openBroker({
      directory: 'data',
      environment: worldOn(disk.crash({ keepUnsynced: 'none' })),
      flush: 'fsync',
    })
    expect(offsetsIn(crashed.log('t', 0))).toEqual([1, 2])
  })

  it('loses nothing behind it where power fails after room was made, whatever of that is on the device', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const environment = worldOn(new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) }))
      const settings = { segmentBytes: 100 }
      const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
      await broker.createTopics([{ name: 't', partitions: 1 }])
      await append(broker.log('t', 0), 0, 0, 0)
      environment.disk.failNext('write', 'ENOSPC', 3)
      expect((await failureOf(() => broker.deleteRecords([{ topic: 't', partition: 0, offset: 1 }]))).code).toBe(
        'DISK_FULL',
      )
      const disk = environment.disk.crash({ keepUnsynced: 'random' })
      const next = await openBroker({ directory: 'data', environment: worldOn(disk), flush: 'fsync' })
      expect([seed, offsetsIn(next.log('t', 0)).slice(-2)]).toEqual([seed, [1, 2]])
    }
  })

  it('says so where a full disk keeps it from being durable', async () => {
    const { environment, broker, log } = await setUp({}, { segmentBytes: 10_000 })
    await append(log, 0, 0)
    environment.disk.failNext('write', 'ENOSPC', 2)
    const error = await failureOf(() => broker.deleteRecords([{ topic: 't', partition: 0, offset: 1 }]))
    expect([error.code, error.retriable]).toEqual(['DISK_FULL', true])
  })

  it('says so again to whoever asks for the same, until it is durable', async () => {
    const { environment, broker, log } = await setUp({}, { segmentBytes: 10_000 })
    await append(log, 0, 0)
    const target = [{ topic: 't', partition: 0, offset: 1 }]
    environment.disk.capacityBytes = 0
    for (let times = 0; times < 2; times++) {
      expect((await failureOf(() => broker.deleteRecords(target))).code).toBe('DISK_FULL')
    }
    environment.disk.capacityBytes = Number.POSITIVE_INFINITY
    await Promise.all([broker.deleteRecords(target), broker.deleteRecords(target)])
    const disk = environment.disk.crash({ keepUnsynced: 'none' })
    const again = await openBroker({ directory: 'data', environment: worldOn(disk), flush: 'fsync' })
    expect(again.log('t', 0).logStartOffset).toBe(1)
  })
})

describe('a deletion that loses power at any step', () => {
  it.each(['none', 'all', 'random'] as const)(
    'leaves the log whole, from the old or the new start on (%s)',
    async (keepUnsynced) => {
      let steps = 0
      for (let calls = 0; steps === 0 && calls < 200; calls++) {
        const { environment, broker, log } = await setUp({ 'file.delete.delay.ms': '10' })
        await append(log, 0, 0, 0, 0, 0)
        environment.disk.losePowerAfter(calls)
        let isDone = false
        try {
          await broker.deleteRecords([{ topic: 't', partition: 0, offset: 3 }])
          isDone = true
          await environment.clock.advanceAsync(10)
          if (files(environment.disk, '.deleted').length === 0) steps = calls
        } catch (error) {
          expect(['STORAGE_FAILED', 'EIO']).toContain((error as { code: string }).code)
        }
        const world = worldOn(environment.disk.crash({ keepUnsynced }))
        const again = await openBroker({ directory: 'data', environment: world, flush: 'fsync' })
        const start = again.log('t', 0).logStartOffset
        expect(isDone ? [3] : [0, 1, 2, 3]).toContain(start)
        expect(offsetsIn(again.log('t', 0))).toEqual([0, 1, 2, 3, 4].slice(start))
        expect(files(world.disk, '.deleted')).toEqual([])
        await again.close()
      }
      expect(steps).toBeGreaterThan(15)
    },
  )
})
