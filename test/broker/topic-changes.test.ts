import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { LogCursor } from '../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../src/broker/log/partition-log.ts'
import type { Disk } from '../../src/env/environment.ts'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../src/env/virtual-environment.ts'
import { batchOf, batchOfRecords, failureOf, recordsIn, worldOn } from './records.ts'

interface Opened {
  readonly broker: Broker
  readonly disk: MemoryDisk
  readonly world: VirtualEnvironment
}

async function open(disk = new MemoryDisk({ tracksCrashes: true }), seen: Disk = disk): Promise<Opened> {
  const world = worldOn(disk)
  const environment = { ...world, disk: seen }
  const settings = { segmentBytes: 1_000, fileDeleteDelayMs: 60_000 }
  return { disk, world, broker: await openBroker({ directory: 'data', environment, flush: 'fsync', settings }) }
}

/** A disk that first lets the device have its time with each sync. */
function slowDisk(disk: MemoryDisk, device: (path: string) => Promise<void> | undefined): Disk {
  const slowly = async (path: string, sync: () => Promise<void>) => {
    await device(path)
    await sync()
  }
  return {
    open: (path, options) => {
      const file = disk.open(path, options)
      return {
        size: () => file.size(),
        read: (into, position) => file.read(into, position),
        write: (bytes, position) => file.write(bytes, position),
        truncate: (size) => file.truncate(size),
        close: () => file.close(),
        sync: () => slowly(path, () => file.sync()),
      }
    },
    exists: (path) => disk.exists(path),
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: (path) => slowly(path, () => disk.syncDirectory(path)),
    lock: (path) => disk.lock(path),
  }
}

function requireOnline(broker: Broker): Promise<void> {
  return broker.createTopics([{ name: 'afterwards', partitions: 1 }])
}

async function append(log: PartitionLog, ...values: string[]): Promise<void> {
  log.append(batchOf(...values))
  await log.acknowledged()
}

function valuesOf(log: PartitionLog): string[] {
  const cursor = new LogCursor(log, log.logStartOffset, 65_536)
  return recordsIn(cursor.read()).map(({ value }) => value)
}

describe('a topic that is deleted', () => {
  it('is gone with its records, and its name is free at once', async () => {
    const { broker } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 2 }])
    const before = broker.topics.get('orders')
    await append(broker.log('orders', 1), 'a')
    await broker.topicChanges.delete('orders')
    expect(broker.topics.list()).toEqual([])
    expect(broker.topics.withId(before?.id ?? '')).toBeUndefined()
    expect((await failureOf(() => broker.log('orders', 1))).code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect((await failureOf(() => broker.topicChanges.delete('orders'))).code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    expect(broker.topics.get('orders')?.id).not.toBe(before?.id)
    await append(broker.log('orders', 0), 'b')
    expect(valuesOf(broker.log('orders', 0))).toEqual(['b'])
    await broker.close()
  })

  it('has its directories renamed, and removed after file.delete.delay.ms', async () => {
    const { broker, disk, world } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 2, config: { 'file.delete.delay.ms': '5000' } }])
    await broker.topicChanges.delete('orders')
    const directories = () => disk.list('data').filter((name) => name.startsWith('orders'))
    expect(directories()).toEqual([
      expect.stringMatching(/^orders-0\.[0-9a-f]{32}-delete$/),
      expect.stringMatching(/^orders-1\.[0-9a-f]{32}-delete$/),
    ])
    await world.clock.advanceAsync(4_999)
    expect(directories()).toHaveLength(2)
    await world.clock.advanceAsync(1)
    expect(directories()).toEqual([])
    await broker.close()
  })

  it('has a name for its directory that file systems take, however long its own is', async () => {
    const { broker, disk } = await open()
    const name = 'o'.repeat(249)
    await broker.createTopics([{ name, partitions: 1 }])
    await broker.topicChanges.delete(name)
    expect(disk.list('data').find((one) => one.endsWith('-delete'))).toHaveLength(255)
    await broker.close()
  })

  it('leaves nothing for the next start but to remove what waits for it', async () => {
    const { broker, disk } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    await broker.topicChanges.delete('orders')
    await broker.close()
    const again = await open(disk)
    expect(disk.list('data').filter((name) => name.startsWith('orders'))).toEqual([])
    expect(again.broker.topics.get('orders')).toBeUndefined()
    await again.broker.close()
  })

  it('ends what readers and writers had of it, and nothing else', async () => {
    const { broker } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    const log = broker.log('orders', 0)
    await append(log, 'a')
    const cursor = new LogCursor(log, 0, 1_000)
    cursor.read()
    let isWoken = false
    log.watch({ onAdvance: () => (isWoken = true) })
    log.append(batchOf('b'))
    const flushed = log.acknowledged()
    await broker.topicChanges.delete('orders')
    await flushed
    expect(isWoken).toBe(true)
    expect((await failureOf(() => cursor.read())).code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect((await failureOf(() => log.append(batchOf('c')))).code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    // Who has appended before may ask for the acknowledgement only now.
    await log.acknowledged()
    await requireOnline(broker)
    await broker.close()
  })

  it.each(['flushed', 'compacted'])('may be %s at that time, and is until that is over', async (doing) => {
    const memory = new MemoryDisk({ tracksCrashes: true })
    let device: (path: string) => Promise<void> | undefined = () => undefined
    const { broker, world } = await open(
      memory,
      slowDisk(memory, (path) => device(path)),
    )
    const failures: unknown[] = []
    broker.onCompactionFailure((failure) => failures.push(failure))
    const config = { 'cleanup.policy': 'compact,delete', 'min.cleanable.dirty.ratio': '0', 'retention.ms': '1' }
    await broker.createTopics([{ name: 'latest', partitions: 1, config }])
    const log = broker.log('latest', 0)
    const write = () => log.append(batchOfRecords([{ key: 'k', value: 'x'.repeat(300) }]))
    for (let i = 0; i < 20; i++) write()
    await log.acknowledged()
    const slow = Promise.withResolvers<void>()
    device = (path) => {
      // What is written now is flushed when the registry is.
      if (doing === 'flushed' && path.startsWith('data/__cluster_metadata') && !log.isDeleted) write()
      return path.startsWith('data/latest') ? slow.promise : undefined
    }
    const compacted = doing === 'compacted' ? broker.compact() : undefined
    for (let i = 0; i < 20; i++) await world.timers.nextTurn()
    const deleted = broker.topicChanges.delete('latest')
    for (let i = 0; i < 20; i++) await world.timers.nextTurn()
    expect(broker.topics.get('latest')).toBeUndefined()
    expect(memory.exists('data/latest-0')).toBe(true)
    slow.resolve()
    await Promise.all([deleted, compacted])
    expect(memory.exists('data/latest-0')).toBe(false)
    await world.clock.advanceAsync(600_000)
    expect(failures).toEqual([])
    await requireOnline(broker)
    await broker.close()
  })

  it('takes with it what its checkpoints said, so that a new topic of its name is not missing anything', async () => {
    const { broker, disk, world } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    for (let i = 0; i < 50; i++) broker.log('orders', 0).append(batchOf('x'.repeat(100)))
    await broker.log('orders', 0).acknowledged()
    await broker.deleteRecords([{ topic: 'orders', partition: 0, offset: 40 }])
    await world.clock.advanceAsync(10_000)
    await broker.topicChanges.delete('orders')
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    await append(broker.log('orders', 0), 'new')
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect([again.broker.damages, again.broker.cuts]).toEqual([[], []])
    expect(valuesOf(again.broker.log('orders', 0))).toEqual(['new'])
    await again.broker.close()
  })

  it('takes with it the files of its deleted segments, and nothing of a new topic of its name', async () => {
    const { broker, disk, world } = await open()
    const path = 'data/orders-0/00000000000000000000.log.deleted'
    const fill = async () => {
      await broker.createTopics([{ name: 'orders', partitions: 1 }])
      for (let i = 0; i < 50; i++) broker.log('orders', 0).append(batchOf('x'.repeat(100)))
      await broker.log('orders', 0).acknowledged()
      await broker.deleteRecords([{ topic: 'orders', partition: 0, offset: 40 }])
      expect(disk.exists(path)).toBe(true)
    }
    await fill()
    await world.clock.advanceAsync(30_000)
    await broker.topicChanges.delete('orders')
    await fill()
    await world.clock.advanceAsync(40_000)
    expect(disk.exists(path)).toBe(true)
    await world.clock.advanceAsync(20_000)
    expect(disk.exists(path)).toBe(false)
    await broker.close()
  })

  it('takes with it what groups committed of it, also in transactions that are open', async () => {
    const { broker, disk } = await open()
    await broker.createTopics(['orders', 'kept'].map((name) => ({ name, partitions: 1 })))
    const offsets = ['orders', 'kept'].map((topic) => ({ topic, partition: 0, offset: 5, metadata: '' }))
    await broker.offsets.commit('group', offsets)
    const producer = await broker.transactions.initProducerId({ transactionalId: 'id', timeoutMs: 60_000 })
    const offsetsPartition = { topic: '__consumer_offsets', partition: await broker.offsets.partitionFor('other') }
    await broker.transactions.addPartitions({ transactionalId: 'id', ...producer }, [offsetsPartition])
    await broker.offsets.commit('other', offsets, producer)
    await broker.topicChanges.delete('orders')
    await broker.transactions.end({ transactionalId: 'id', ...producer }, 'commit')
    await broker.transactions.settled('id')
    const committed = ({ offsets }: Broker) =>
      ['group', 'other'].map((group) => offsets.offsetsOf(group).map(({ topic }) => topic))
    expect(committed(broker)).toEqual([['kept'], ['kept']])
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(committed(again.broker)).toEqual([['kept'], ['kept']])
    await again.broker.close()
  })

  it('may have transactions that end afterwards', async () => {
    const { broker } = await open()
    await broker.createTopics(['orders', 'kept'].map((name) => ({ name, partitions: 1 })))
    const producer = await broker.transactions.initProducerId({ transactionalId: 'id', timeoutMs: 60_000 })
    const partitions = ['orders', 'kept'].map((topic) => ({ topic, partition: 0 }))
    await broker.transactions.addPartitions({ transactionalId: 'id', ...producer }, partitions)
    const header = { ...producer, baseSequence: 0, isTransactional: true }
    for (const { topic } of partitions)
      broker.append(broker.log(topic, 0), batchOfRecords([{ value: topic }], {}, header))
    await broker.topicChanges.delete('orders')
    await broker.transactions.end({ transactionalId: 'id', ...producer }, 'commit')
    await broker.transactions.settled('id')
    expect(broker.log('kept', 0).lastStableOffset).toBe(2)
    await broker.close()
  })

  it("is never one of the broker's own", async () => {
    const { broker } = await open()
    await broker.offsets.partitionFor('group')
    for (const name of ['__cluster_metadata', '__consumer_offsets']) {
      expect((await failureOf(() => broker.topicChanges.delete(name))).message).not.toBe('')
    }
    expect(broker.topics.get('__consumer_offsets')).toBeDefined()
    expect((await failureOf(() => broker.topicChanges.grow('__consumer_offsets', 9))).code).toBe('INVALID_ARGUMENT')
    await broker.close()
  })
})

describe('a topic that grows', () => {
  it('has more partitions, after a restart too', async () => {
    const { broker, disk } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 1, config: { 'max.message.bytes': '200' } }])
    await append(broker.log('orders', 0), 'a')
    await broker.topicChanges.grow('orders', 3)
    await append(broker.log('orders', 2), 'b')
    expect((await failureOf(() => broker.log('orders', 2).append(batchOf('x'.repeat(500))))).code).toBe(
      'RECORD_TOO_LARGE',
    )
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(again.broker.topics.get('orders')?.partitions).toBe(3)
    expect([0, 2].map((partition) => valuesOf(again.broker.log('orders', partition)))).toEqual([['a'], ['b']])
    await again.broker.close()
  })

  it('does so to more partitions only, and not beyond the most there may be', async () => {
    const { broker } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 2 }])
    for (const count of [1, 2, 10_001]) {
      expect((await failureOf(() => broker.topicChanges.grow('orders', count))).code).toBe('INVALID_ARGUMENT')
    }
    expect((await failureOf(() => broker.topicChanges.grow('none', 2))).code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await broker.close()
  })

  it('stays as it was where the disk is full', async () => {
    const { broker, disk } = await open()
    await broker.createTopics([{ name: 'orders', partitions: 1 }])
    disk.failNext('makeDirectory', 'ENOSPC')
    expect((await failureOf(() => broker.topicChanges.grow('orders', 2))).code).toBe('DISK_FULL')
    expect(disk.list('data').filter((name) => name.startsWith('orders'))).toEqual(['orders-0'])
    await broker.topicChanges.grow('orders', 2)
    await append(broker.log('orders', 1), 'a')
    await broker.close()
  })
})
