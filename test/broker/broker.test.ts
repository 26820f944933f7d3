import { describe, expect, it } from 'vitest'
import { type Broker, type BrokerOptions, openBroker } from '../../src/broker/broker.ts'
import { readText } from '../../src/broker/durable-file.ts'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import { batchOf, failureOf, worldOn } from './records.ts'

function open(disk: MemoryDisk, options: Partial<BrokerOptions> = {}): Promise<Broker> {
  return openBroker({ directory: 'some/data', environment: worldOn(disk), flush: 'fsync', ...options })
}

function crashable(): MemoryDisk {
  return new MemoryDisk({ tracksCrashes: true })
}

const orders = { name: 'orders', partitions: 3, config: { 'retention.ms': '1000', 'segment.bytes': '4096' } }

describe('a data directory', () => {
  it('is laid out as that of Kafka', async () => {
    const disk = crashable()
    const broker = await open(disk)
    await broker.createTopics([{ name: 'orders', partitions: 2 }])
    await broker.close()
    expect(disk.list('some/data')).toEqual([
      '.kafka_cleanshutdown',
      '.lock',
      '__cluster_metadata-0',
      'meta.properties',
      'orders-0',
      'orders-1',
      'recovery-point-offset-checkpoint',
    ])
    expect(disk.list('some/data/orders-1')).toEqual([
      '00000000000000000000.index',
      '00000000000000000000.log',
      '00000000000000000000.timeindex',
      'partition.metadata',
    ])
    expect(readText(disk, 'some/data/orders-1/partition.metadata')).toMatch(/^version: 0\ntopic_id: [\w-]{22}\n$/)
    const meta = /^version=1\ncluster\.id=[\w-]{22}\nnode\.id=1\ndirectory\.id=[\w-]{22}\n$/
    expect(readText(disk, 'some/data/meta.properties')).toMatch(meta)
    expect(readText(disk, 'some/data/recovery-point-offset-checkpoint')).toBe(
      '0\n3\n__cluster_metadata 0 3\norders 0 0\norders 1 0\n',
    )
  })

  it('is held by one broker at a time', async () => {
    const disk = crashable()
    const first = await open(disk)
    const error = await failureOf(() => open(disk))
    expect([error.code, error.at]).toEqual(['DIRECTORY_LOCKED', { path: 'some/data' }])
    expect(error.message).toContain('Stop that process first')
    await first.close()
    await (await open(disk)).close()
  })

  it.each([
    ['EACCES', 'makeDirectory', 'permission denied'],
    ['EROFS', 'lock', 'the file system is read-only'],
    ['EMFILE', 'open', 'too many files open'],
  ] as const)('that fails with %s on %s is refused with the reason, and not held', async (code, operation, reason) => {
    const disk = crashable()
    disk.failNext(operation, code)
    const error = await failureOf(() => open(disk))
    expect(error.code).toBe('DIRECTORY_UNUSABLE')
    expect(error.at.path).toContain('some/data')
    expect(error.message).toContain(reason)
    await (await open(disk)).close()
  })

  it('whose path leads through a file, or is one, is refused', async () => {
    const disk = crashable()
    disk.open('some', { create: true }).close()
    expect((await failureOf(() => open(disk))).message).toContain('a part of the path is a file')
    expect((await failureOf(() => open(disk, { directory: 'some' }))).message).toContain('there is a file of that name')
  })

  it('is there after a power failure although making it had failed, or its maker was killed, before that was durable', async () => {
    const disk = crashable()
    disk.makeDirectory('some')
    disk.failNext('syncDirectory', 'EIO')
    expect((await failureOf(() => open(disk))).code).toBe('STORAGE_FAILED')
    const broker = await open(disk)
    await broker.createTopics([orders])
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(again.topics.get('orders')).toMatchObject(orders)
  })

  it('may lie below directories of others, which it cannot open', async () => {
    const disk = crashable()
    disk.failNext('syncDirectory', 'EACCES', 2)
    await (await open(disk)).close()
  })

  it('that has lost its registry is refused, not begun anew', async () => {
    const disk = crashable()
    await (await open(disk)).close()
    disk.remove('some/data/__cluster_metadata-0')
    const error = await failureOf(() => open(disk))
    expect([error.code, error.at.path]).toEqual(['DIRECTORY_UNUSABLE', 'some/data/__cluster_metadata-0'])
  })
})

describe('topics', () => {
  it('are there as soon as they are made, and after a power failure', async () => {
    const disk = crashable()
    const broker = await open(disk)
    await broker.createTopics([orders, { name: 'a', partitions: 1 }])
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(again.topics.list()).toEqual(broker.topics.list())
    expect(again.topics.list()).toMatchObject([{ name: 'a', partitions: 1, config: {} }, orders])
    expect(again.log('orders', 2).logEndOffset).toBe(0)
  })

  it('are made once: the same again changes nothing, another shape is refused and nothing is made', async () => {
    const broker = await open(crashable())
    await Promise.all([broker.createTopics([orders]), broker.createTopics([orders, orders])])
    const end = broker.log('__cluster_metadata', 0).logEndOffset
    await broker.createTopics([orders])
    expect(broker.log('__cluster_metadata', 0).logEndOffset).toBe(end)
    const changed = [
      { name: 'new', partitions: 1 },
      { ...orders, partitions: 4 },
    ]
    const error = await failureOf(() => broker.createTopics(changed))
    expect([error.code, error.at]).toEqual(['TOPIC_MISMATCH', { topic: 'orders' }])
    expect(broker.topics.get('new')).toBeUndefined()
  })

  it.each([
    [{ name: 'a/b', partitions: 1 }, 'is not a topic name'],
    [{ name: 'a', partitions: 0 }, '0 is not a number of partitions'],
    [{ name: 'a', partitions: 1, config: { retention: '1' } }, 'Unknown topic config name: retention'],
    [
      { name: 'a', partitions: 1, config: { 'segment.bytes': '1 GB' } },
      'Invalid value 1 GB for configuration segment.bytes: Not a number of type INT',
    ],
    [{ name: '__cluster_metadata', partitions: 1 }, "the broker's own"],
  ])('%j are refused', async (definition, reason) => {
    const broker = await open(crashable())
    const error = await failureOf(() => broker.createTopics([definition]))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toContain(reason)
  })

  it('that could not be recorded are not there, and can be made when there is room', async () => {
    const disk = crashable()
    const broker = await open(disk)
    // The first writes are those of partition.metadata, the last one is the registry's.
    disk.failNext('write', 'ENOSPC', 1, 3)
    expect((await failureOf(() => broker.createTopics([orders]))).code).toBe('DISK_FULL')
    expect(broker.topics.get('orders')).toBeUndefined()
    expect((await failureOf(() => broker.log('orders', 0))).code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await broker.createTopics([orders])
    expect(broker.log('orders', 0).append(batchOf('a'))).toBe(0)
  })

  it('whose making was interrupted at any point are there whole or not at all, and can be made again', async () => {
    for (let turns = 0; turns < 40; turns++) {
      for (const keepUnsynced of ['none', 'all', 'random'] as const) {
        const disk = crashable()
        const broker = await open(disk)
        const making = broker.createTopics([orders]).catch(() => {})
        for (let i = 0; i < turns; i++) await undefined
        const again = await open(disk.crash({ keepUnsynced }))
        await making
        expect([undefined, 3]).toContain(again.topics.get('orders')?.partitions)
        await again.createTopics([orders])
        expect(again.log('orders', 2).append(batchOf('a'))).toBe(0)
        await again.close()
      }
    }
  })

  it('that could not be made durable are there or not after a restart, and the broker opens', async () => {
    for (const next of ['restart', 'none', 'all', 'random'] as const) {
      const disk = crashable()
      const broker = await open(disk)
      disk.failNext('sync', 'EIO')
      expect((await failureOf(() => broker.createTopics([orders]))).code).toBe('STORAGE_FAILED')
      await failureOf(() => broker.close())
      const again = await open(next === 'restart' ? disk : disk.crash({ keepUnsynced: next }))
      expect([undefined, 3]).toContain(again.topics.get('orders')?.partitions)
      await again.createTopics([orders])
      expect(again.log('orders', 2).append(batchOf('a'))).toBe(0)
    }
  })

  it('whose logs hold records that the registry does not know are not made over them', async () => {
    const disk = crashable()
    disk.makeDirectory('some/data/orders-1')
    disk.open('some/data/orders-1/00000000000000000000.log', { create: true }).write(Buffer.from('somebody'), 0)
    const broker = await open(disk)
    const error = await failureOf(() => broker.createTopics([orders]))
    expect([error.code, error.at.path]).toEqual(['DIRECTORY_UNUSABLE', 'some/data/orders-1'])
    expect(readText(disk, 'some/data/orders-1/00000000000000000000.log')).toBe('somebody')
  })

  it('follow their own settings', async () => {
    const broker = await open(crashable())
    const config = { 'segment.bytes': '200', 'max.message.bytes': '1000' }
    await broker.createTopics([{ name: 'small', partitions: 1, config }])
    const log = broker.log('small', 0)
    for (let i = 0; i < 10; i++) log.append(batchOf('x'.repeat(50)))
    expect(log.segments.length).toBe(10)
    expect((await failureOf(() => log.append(batchOf('x'.repeat(1_000))))).code).toBe('RECORD_TOO_LARGE')
  })
})

describe('a broker', () => {
  it('flushes everything when it is closed, once, and then refuses', async () => {
    const disk = crashable()
    const broker = await open(disk, { flush: 'page-cache' })
    await broker.createTopics([orders])
    broker.log('orders', 1).append(batchOf('a', 'b'))
    await Promise.all([broker.close(), broker.close()])
    expect((await failureOf(() => broker.log('orders', 1))).code).toBe('CLOSED')
    expect((await failureOf(() => broker.createTopics([orders]))).code).toBe('CLOSED')
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(again.log('orders', 1).highWatermark).toBe(2)
  })

  it('lets go of the directory when it is closed after the disk failed, and says that not all is safe', async () => {
    const disk = crashable()
    const broker = await open(disk, { flush: 'page-cache' })
    await broker.createTopics([orders])
    broker.log('orders', 0).append(batchOf('a'))
    disk.failNext('sync', 'EIO')
    expect((await failureOf(() => broker.close())).code).toBe('STORAGE_FAILED')
    expect(disk.exists('some/data/.kafka_cleanshutdown')).toBe(false)
    const again = await open(disk)
    expect(again.log('orders', 0).highWatermark).toBe(1)
  })

  it('closes on a full disk: only the next start has more to check', async () => {
    const disk = crashable()
    const broker = await open(disk)
    await broker.createTopics([orders])
    broker.log('orders', 0).append(batchOf('a'))
    disk.failNext('write', 'ENOSPC', 100)
    await broker.close()
    expect(disk.exists('some/data/.kafka_cleanshutdown')).toBe(false)
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(again.log('orders', 0).highWatermark).toBe(1)
  })

  it('saves the recovery points some time after a flush, and sets no timer when there is nothing to save', async () => {
    const disk = crashable()
    const environment = worldOn(disk)
    const broker = await open(disk, { environment, settings: { checkpointIntervalMs: 1_000 } })
    await broker.createTopics([{ name: 'orders', partitions: 3 }])
    await environment.clock.advanceAsync(1_000)
    await environment.clock.nextTurn()
    expect(environment.clock.pendingTimers).toBe(0)
    const log = broker.log('orders', 0)
    log.append(batchOf('a', 'b'))
    await log.acknowledged()
    expect(environment.clock.pendingTimers).toBe(1)
    await environment.clock.advanceAsync(1_000)
    await environment.clock.nextTurn()
    expect(readText(disk, 'some/data/recovery-point-offset-checkpoint')).toContain('\norders 0 2\n')
    await broker.close()
    expect(environment.clock.pendingTimers).toBe(0)
  })
})
