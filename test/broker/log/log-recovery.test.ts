import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import type { QuarantinedRange } from '../../../src/broker/log/partition-logs.ts'
import { firstOffsetSince } from '../../../src/broker/log/time-lookup.ts'
import type { Disk, DiskFile } from '../../../src/env/environment.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { batchOf, batchOfRecords, failureOf, recordsIn, worldOn } from '../records.ts'

const logPath = 'data/t-0/00000000000000000000.log'

function open(disk?: MemoryDisk, settings: Partial<BrokerSettings> = {}): Promise<Broker> {
  return openBroker({ directory: 'data', environment: worldOn(disk), flush: 'fsync', settings })
}

/** A disk that lost power after so many records were acknowledged, each in a batch of its own, and some more written. */
async function afterCrash(acknowledged: number, written: number, keepUnsynced: 'none' | 'all'): Promise<MemoryDisk> {
  const environment = worldOn()
  const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings: { segmentBytes: 1_000 } })
  await broker.createTopics([{ name: 't', partitions: 1 }])
  const log = broker.log('t', 0)
  for (let i = 0; i < acknowledged; i++) log.append(batchOf(`value ${i}`))
  await log.acknowledged()
  for (let i = acknowledged; i < written; i++) log.append(batchOf(`value ${i}`))
  return environment.disk.crash({ keepUnsynced })
}

/** A disk as a crash leaves it after the recovery points were saved. */
async function afterCheckpointAndCrash(records: number): Promise<MemoryDisk> {
  const environment = worldOn()
  const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
  await broker.createTopics([{ name: 't', partitions: 1 }])
  const log = broker.log('t', 0)
  for (let i = 0; i < records; i++) log.append(batchOf(`value ${i}`))
  await log.acknowledged()
  await environment.clock.advanceAsync(5_000)
  await environment.clock.nextTurn()
  return environment.disk.crash({ keepUnsynced: 'none' })
}

/** The disk, noting the paths of all that is synced. */
function noting(disk: MemoryDisk, synced: string[]): Disk {
  const noted = async (path: string, sync: () => Promise<void>) => {
    synced.push(path)
    await sync()
  }
  const open = (path: string, options?: { create?: boolean }): DiskFile => {
    const file = disk.open(path, options)
    const sync = file.sync.bind(file)
    return Object.assign(file, { sync: () => noted(path, sync) })
  }
  const syncDirectory = (path: string) => noted(path, () => disk.syncDirectory(path))
  return {
    open,
    syncDirectory,
    exists: (path) => disk.exists(path),
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    lock: (path) => disk.lock(path),
  }
}

function values(log: PartitionLog): string[] {
  const cursor = new LogCursor(log, 0, 1_000)
  const found: string[] = []
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    found.push(...recordsIn(bytes).map((record) => record.value))
  }
  return found
}

/** What can be read of a log with damage, in front of it and behind it. */
function readable(log: PartitionLog): string[] {
  const found: string[] = []
  const cursor = new LogCursor(log, 0, 1_000)
  while (cursor.offset < log.highWatermark) {
    const damage = log.damage.find(({ offset, nextOffset }) => offset <= cursor.offset && cursor.offset < nextOffset)
    if (damage !== undefined) cursor.seek(damage.nextOffset)
    else found.push(...recordsIn(cursor.read()).map((record) => record.value))
  }
  return found
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `value ${i}`)
}

describe('the recovery of a log', () => {
  it('finds all that was acknowledged when power was lost', async () => {
    const broker = await open(await afterCrash(40, 45, 'none'))
    expect(values(broker.log('t', 0))).toEqual(numbered(40))
    expect(broker.cuts).toEqual([])
  })

  it('keeps what was written and found whole, and makes it durable before readers see it', async () => {
    const disk = await afterCrash(40, 45, 'all')
    const broker = await open(disk)
    expect(values(broker.log('t', 0))).toEqual(numbered(45))
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(values(again.log('t', 0))).toEqual(numbered(45))
  })

  it('cuts a torn batch off the end, says so, and goes on from there', async () => {
    const disk = await afterCrash(0, 3, 'all')
    const file = disk.open(logPath)
    const third = (file.size() * 2) / 3
    file.truncate(file.size() - 10)
    const broker = await open(disk)
    const log = broker.log('t', 0)
    expect(values(log)).toEqual(numbered(2))
    expect(broker.cuts).toMatchObject([{ topic: 't', partition: 0, offset: 2, path: logPath, position: third }])
    expect(file.size()).toBe(third)
    expect(log.append(batchOf('next'))).toBe(2)
  })

  it.each([
    ['zeros at the end', (bytes: Buffer) => bytes.fill(0)],
    ['a batch of an older write', (bytes: Buffer) => bytes.copy(bytes, 0)],
  ])('cuts %s', async (name, change) => {
    const disk = await afterCrash(0, 2, 'all')
    const file = disk.open(logPath)
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    change(bytes)
    file.write(bytes, file.size())
    const broker = await open(disk)
    expect([name, values(broker.log('t', 0))]).toEqual([name, numbered(2)])
    expect(broker.cuts).toMatchObject([{ offset: 2 }])
  })

  it('makes a cut durable before the log goes on', async () => {
    const disk = await afterCheckpointAndCrash(2)
    const file = disk.open(logPath)
    file.write(Buffer.from('torn'), file.size())
    await file.sync()
    expect((await open(disk)).cuts).toHaveLength(1)
    expect((await open(disk.crash({ keepUnsynced: 'none' }))).cuts).toEqual([])
  })

  it('keeps no file of an index that may know more than the log', async () => {
    const disk = await afterCrash(2, 2, 'none')
    const path = logPath.replace('.log', '.index')
    disk.open(path, { create: true }).write(Buffer.from('000000050000004a', 'hex'), 0)
    await open(disk)
    expect(disk.exists(path)).toBe(false)
  })

  it('has the indexes again of the segments that it scans', async () => {
    const settings = { segmentBytes: 1_000, indexIntervalBytes: 200 }
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    for (let i = 0; i < 40; i++) broker.log('t', 0).append(batchOf(`value ${i}`))
    await broker.log('t', 0).acknowledged()
    const lengths = (log: PartitionLog) => log.segments.map(({ index, timeIndex }) => [index.length, timeIndex.length])
    const before = lengths(broker.log('t', 0))
    expect(before[0]).toEqual([4, 1])
    const again = await open(environment.disk.crash({ keepUnsynced: 'none' }), settings)
    expect(lengths(again.log('t', 0))).toEqual(before)
  })

  it.each(['.timeindex', '.index'] as const)(
    'makes a missing %s again so that power may be lost at any moment',
    async (extension) => {
      // Three batches a segment, and the first has its largest timestamp: lost, it would be missed.
      const settings = { segmentBytes: 250, indexIntervalBytes: 100 }
      const times = [9, 7, 5, 19, 17, 15, 29, 27]
      const environment = worldOn()
      const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
      await broker.createTopics([{ name: 't', partitions: 1 }])
      for (const timestamp of times) broker.log('t', 0).append(batchOfRecords([{ value: 'v', timestamp }]))
      await broker.log('t', 0).acknowledged()
      await environment.clock.advanceAsync(5_000)
      await environment.clock.nextTurn()
      environment.disk.remove(logPath.replace('.log', extension))
      expect(broker.log('t', 0).segments.map((segment) => segment.timeIndex.length)).toEqual([1, 1, 0])
      const answers = (log: PartitionLog) => times.map((time) => firstOffsetSince(log, time)?.offset)
      const expected = times.map((time) => times.findIndex((timestamp) => timestamp >= time))
      for (let calls = 0, isOpen = false; !isOpen; calls++) {
        const disk = environment.disk.crash({ keepUnsynced: 'all' })
        disk.losePowerAfter(calls)
        isOpen = await open(disk, settings).then(
          () => true,
          () => false,
        )
        for (let outcome = 0; outcome < 10; outcome++) {
          const found = (await open(disk.crash({ keepUnsynced: 'random' }), settings)).log('t', 0)
          expect([calls, answers(found)]).toEqual([calls, expected])
        }
      }
    },
  )

  it('removes the segments behind a torn one', async () => {
    const disk = await afterCrash(0, 40, 'all')
    const [, second, third] = disk.list('data/t-0').filter((name) => name.endsWith('.log'))
    expect(third).toBeDefined()
    const file = disk.open(`data/t-0/${second}`)
    file.truncate(file.size() - 1)
    const broker = await open(disk)
    const log = broker.log('t', 0)
    expect(values(log)).toEqual(numbered(log.logEndOffset))
    expect(log.logEndOffset).toBe(Number(third?.slice(0, 20)) - 1)
    expect(disk.list('data/t-0').filter((name) => name.endsWith('.log'))).toHaveLength(2)
  })

  it('puts a batch below the recovery point in quarantine whichever bit of it is flipped, and cuts nothing', async () => {
    const probe = await afterCheckpointAndCrash(3)
    const size = probe.open(logPath).size()
    const batchBytes = size / 3
    let goesOn = 0
    for (let position = 0; position < size; position += 1) {
      // The leader epoch alone is protected by nothing; it is metadata of the log, not of the record.
      if (position % batchBytes >= 12 && position % batchBytes < 16) continue
      const disk = await afterCheckpointAndCrash(3)
      disk.flipBit(logPath, position, position % 8)
      const broker = await open(disk)
      const log = broker.log('t', 0)
      const offset = Math.floor(position / batchBytes)
      const [damage] = broker.damages
      expect([position, broker.damages]).toMatchObject([
        position,
        [{ topic: 't', partition: 0, offset, path: logPath, position: offset * batchBytes }],
      ])
      const { nextOffset, isEndKnown } = damage as QuarantinedRange
      expect(readable(log)).toEqual(numbered(3).filter((_, i) => i < offset || i >= nextOffset))
      const error = await failureOf(() => new LogCursor(log, offset, 1_000).read())
      expect([error.code, error.at]).toEqual(['CORRUPT_BATCH', { topic: 't', partition: 0, offset, path: logPath }])
      if (isEndKnown) expect(log.append(batchOf('next'))).toBe(3)
      else expect((await failureOf(() => log.append(batchOf('next')))).code).toBe('CORRUPT_BATCH')
      if (isEndKnown) goesOn++
      else expect(disk.open(logPath).size()).toBe(size)
    }
    expect(goesOn).toBeGreaterThan(size * 0.8)
  })

  it('finds the same damage again at each start, until the file is put right', async () => {
    const disk = await afterCheckpointAndCrash(3)
    disk.flipBit(logPath, 30)
    for (let start = 0; start < 3; start++) {
      const broker = await open(disk)
      expect(broker.damages).toMatchObject([{ offset: 0, nextOffset: 1 }])
      await broker.close()
    }
    disk.flipBit(logPath, 30)
    const broker = await open(disk)
    expect([broker.damages, values(broker.log('t', 0))]).toEqual([[], numbered(3)])
    await broker.close()
    expect(disk.exists('data/.kafka_cleanshutdown')).toBe(true)
  })

  it('puts what is missing below the recovery point in quarantine', async () => {
    const disk = await afterCheckpointAndCrash(3)
    const file = disk.open(logPath)
    file.truncate((file.size() * 2) / 3)
    const broker = await open(disk)
    const log = broker.log('t', 0)
    expect(broker.damages).toMatchObject([{ offset: 2, nextOffset: 3, isEndKnown: false }])
    expect(readable(log)).toEqual(numbered(2))
    const error = await failureOf(() => log.append(batchOf('next')))
    expect([error.code, error.at.offset]).toEqual(['CORRUPT_BATCH', 2])
    expect(error.message).toContain('up to 2')
  })

  it('reads on behind damage that only the index, or the next segment, tells the end of', async () => {
    const settings = { segmentBytes: 2_000, indexIntervalBytes: 300 }
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    for (let i = 0; i < 60; i++) broker.log('t', 0).append(batchOf(`value ${i}`))
    await broker.close()
    const { disk } = environment
    disk.remove('data/.kafka_cleanshutdown')
    const path = disk
      .list('data/t-0')
      .filter((name) => name.endsWith('.log'))
      .at(-1)
    // The length of the first batch of the last segment, so that only the index knows where another one begins.
    disk.flipBit(`data/t-0/${path}`, 9, 3)
    const again = await open(disk, settings)
    const [damage] = again.damages as [QuarantinedRange]
    const log = again.log('t', 0)
    expect(damage.offset).toBe(Number(path?.slice(0, 20)))
    expect(damage.nextOffset - damage.offset).toBeGreaterThan(1)
    expect(damage.nextOffset).toBeLessThan(60)
    expect(readable(log)).toEqual(numbered(60).filter((_, i) => i < damage.offset || i >= damage.nextOffset))
    expect(log.append(batchOf('next'))).toBe(60)
  })

  it('keeps a damaged log from nobody else', async () => {
    const disk = await afterCheckpointAndCrash(3)
    disk.flipBit(logPath, 30)
    const broker = await open(disk)
    await broker.createTopics([{ name: 'other', partitions: 1 }])
    const log = broker.log('other', 0)
    log.append(batchOf('value 0'))
    await log.acknowledged()
    expect(values(log)).toEqual(numbered(1))
  })

  it('does not take the indexes for right of a segment that was closed after the recovery point had come to its end', async () => {
    const environment = worldOn()
    const settings = { indexIntervalBytes: 200 }
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    const log = broker.log('t', 0)
    for (const [timestamp, bytes] of [
      [5, 1],
      [9, 200],
      [7, 1],
    ] as const) {
      log.append(batchOfRecords([{ value: 'x'.repeat(bytes), timestamp }]))
    }
    await log.acknowledged()
    await environment.clock.advanceAsync(5_000)
    await environment.clock.nextTurn()
    log.roll()
    const disk = environment.disk.crash({ keepUnsynced: 'all' })
    // As pages that were not written yet: the files have their sizes, and nothing in them.
    const path = logPath.replace('.log', '.timeindex')
    disk.open(path).write(Buffer.alloc(disk.open(path).size()), 0)
    const found = (await open(disk, settings)).log('t', 0)
    expect(firstOffsetSince(found, 8)).toEqual({ offset: 1, timestamp: 9 })
  })

  it.each([
    ['a segment that compaction has replaced', '00000000000000000000'],
    ['a segment that a truncation has removed', '00000000000000000014'],
  ])('takes the leftovers of %s for no deletion of the start', async (_, name) => {
    const disk = await afterCrash(40, 40, 'none')
    const before = disk.list('data/t-0').filter((file) => file.endsWith('.log'))
    expect(before.length).toBeGreaterThan(2)
    const leftover = `data/t-0/${name}.log.deleted`
    disk.open(leftover, { create: true }).write(Buffer.from('what it held'), 0)
    const broker = await open(disk)
    expect(values(broker.log('t', 0))).toEqual(numbered(40))
    expect(disk.exists(leftover)).toBe(false)
  })

  it('opens no broker whose registry is damaged', async () => {
    const disk = await afterCheckpointAndCrash(3)
    disk.flipBit('data/__cluster_metadata-0/00000000000000000000.log', 30)
    expect((await failureOf(() => open(disk))).code).toBe('CORRUPT_BATCH')
    disk.flipBit('data/__cluster_metadata-0/00000000000000000000.log', 30)
    expect(values((await open(disk)).log('t', 0))).toEqual(numbered(3))
  })

  it('opens a broker that works, or none, where a write of the recovery fails', async () => {
    const failures: number[] = []
    for (let skips = 0; skips < 8; skips++) {
      const disk = await afterCrash(40, 40, 'all')
      disk.failNext('write', 'EIO', 1, skips)
      try {
        const broker = await open(disk)
        await broker.log('t', 0).flushed()
        expect(values(broker.log('t', 0))).toEqual(numbered(40))
        await broker.close()
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORAGE_FAILED' })
        failures.push(skips)
      }
      expect(values((await open(disk)).log('t', 0))).toEqual(numbered(40))
    }
    expect(failures.length).toBeGreaterThan(3)
  })

  it('makes durable again what a failed fsync left in memory only', async () => {
    const environment = worldOn()
    const { disk } = environment
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    const log = broker.log('t', 0)
    log.append(batchOf('value 0'))
    await log.acknowledged()
    log.append(batchOf('value 1'))
    disk.failNext('sync', 'EIO')
    await failureOf(() => log.acknowledged())
    await failureOf(() => broker.close())

    // The process comes back, the machine stayed up: it sees the pages that never reached the device.
    const restarted = await open(disk)
    const seen = values(restarted.log('t', 0))
    const afterPowerLoss = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(seen).toEqual(numbered(2))
    expect(values(afterPowerLoss.log('t', 0))).toEqual(seen)
  })
})

describe('opening after a clean shutdown', () => {
  async function closed(settings: Partial<BrokerSettings> = {}): Promise<MemoryDisk> {
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache', settings })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    for (let i = 0; i < 100; i++) broker.log('t', 0).append(batchOf(`value ${i}`))
    await broker.close()
    return environment.disk
  }

  it('finds everything, also when power is lost right after it', async () => {
    const disk = await closed({ segmentBytes: 1_000, indexIntervalBytes: 200 })
    const broker = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(values(broker.log('t', 0))).toEqual(numbered(100))
  })

  it('puts nothing of a log on the device again, neither when it is opened nor when it is closed', async () => {
    const disk = await closed({ segmentBytes: 1_000, indexIntervalBytes: 200 })
    const synced: string[] = []
    const environment = { ...worldOn(disk), disk: noting(disk, synced) }
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    await broker.close()
    expect(synced.length).toBeGreaterThan(0)
    expect(synced.filter((path) => path.startsWith('data/t-0'))).toEqual([])
  })

  it('lets no snapshot of producers come back that is not true of the log', async () => {
    const disk = await closed()
    const stray = 'data/t-0/00000000000000000500.snapshot'
    const file = disk.open(stray, { create: true })
    file.write(Buffer.from('of another log'), 0)
    await file.sync()
    await disk.syncDirectory('data/t-0')
    const log = (await open(disk)).log('t', 0)
    log.append(batchOf('one more'))
    await log.acknowledged()
    expect(disk.crash({ keepUnsynced: 'none' }).exists(stray)).toBe(false)
  })

  it('does not scan the batches', async () => {
    const disk = await closed()
    disk.flipBit(logPath, 200)
    const broker = await open(disk)
    expect(broker.log('t', 0).logEndOffset).toBe(100)
  })

  it('makes an index again that is missing or wrong', async () => {
    for (const harm of ['remove', 'zeros', 'shift'] as const) {
      const disk = await closed({ indexIntervalBytes: 200 })
      const path = logPath.replace('.log', '.index')
      if (harm === 'remove') disk.remove(path)
      else if (harm === 'zeros') disk.open(path).write(Buffer.alloc(16), 0)
      else disk.flipBit(path, disk.open(path).size() - 1)
      const broker = await open(disk)
      expect([harm, values(broker.log('t', 0))]).toEqual([harm, numbered(100)])
    }
  })

  it('opens no broker where the index that is made again cannot be written', async () => {
    const disk = await closed({ segmentBytes: 1_000 })
    disk.remove(logPath.replace('.log', '.index'))
    disk.failNext('write', 'EIO')
    expect((await failureOf(() => open(disk))).code).toBe('STORAGE_FAILED')
    const broker = await open(disk)
    expect(values(broker.log('t', 0))).toEqual(numbered(100))
  })

  it('puts the end of a file in quarantine that has become shorter or longer since', async () => {
    for (const [change, offset, nextOffset] of [
      [-1, 99, 100],
      [1, 100, 100],
      [-80, 98, 100],
    ] as const) {
      const disk = await closed()
      const file = disk.open(logPath)
      file.truncate(file.size() + change)
      const broker = await open(disk)
      expect([change, broker.damages]).toMatchObject([change, [{ offset, nextOffset, path: logPath }]])
      expect(readable(broker.log('t', 0))).toEqual(numbered(offset))
    }
  })

  it('is not taken for granted once the directory was opened: the next crash is a crash', async () => {
    const disk = await closed()
    await open(disk)
    const crashed = disk.crash({ keepUnsynced: 'all' })
    crashed.flipBit(logPath, 200)
    expect((await open(crashed)).damages).toHaveLength(1)
  })

  it('reports files of a log that are gone', async () => {
    const withoutStart = await closed({ segmentBytes: 1_000 })
    withoutStart.remove(logPath)
    expect((await failureOf(() => open(withoutStart))).message).toContain('The start of the log is missing')
    const withoutAll = await closed()
    withoutAll.remove('data/t-0')
    const error = await failureOf(() => open(withoutAll))
    expect([error.code, error.at.path]).toEqual(['DIRECTORY_UNUSABLE', 'data/t-0'])
  })
})
