import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { FlushPolicy, PartitionLog } from '../../../src/broker/log/partition-log.ts'
import type { Segment } from '../../../src/broker/log/segment.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { batchSize, leaderEpochOf } from '../../../src/record/batch-format.ts'
import { BatchReader } from '../../../src/record/batch-reader.ts'
import { batchOf, batchOfRecords, failureOf, type ReadRecord, recordsIn, worldOn } from '../records.ts'

interface Setup {
  readonly broker: Broker
  readonly log: PartitionLog
  readonly disk: MemoryDisk
}

async function setUp(flush: FlushPolicy = 'page-cache', settings: Partial<BrokerSettings> = {}): Promise<Setup> {
  const environment = worldOn()
  const broker = await openBroker({ directory: 'data', environment, flush, settings })
  await broker.createTopics([{ name: 't', partitions: 1 }])
  return { broker, log: broker.log('t', 0), disk: environment.disk }
}

function readAll(log: PartitionLog, from = 0, bufferBytes = 4_096): ReadRecord[] {
  const cursor = new LogCursor(log, from, bufferBytes)
  const records: ReadRecord[] = []
  for (let at = cursor.offset, bytes = cursor.read(); bytes.length > 0; at = cursor.offset, bytes = cursor.read()) {
    records.push(...recordsIn(bytes, at))
  }
  return records
}

function appendNumbered(log: PartitionLog, from: number, to: number, perBatch = 1): void {
  for (let i = from; i < to; i += perBatch) {
    log.append(batchOf(...Array.from({ length: perBatch }, (_, k) => `value ${i + k}`)))
  }
}

function numbered(from: number, to: number): ReadRecord[] {
  return Array.from({ length: to - from }, (_, i) => ({ offset: from + i, value: `value ${from + i}` }))
}

describe('a partition log', () => {
  it('gives records consecutive offsets across batches and appends', async () => {
    const { log } = await setUp()
    expect(log.append(Buffer.concat([batchOf('a', 'b'), batchOf('c')]))).toBe(0)
    expect(log.append(batchOf('d'))).toBe(3)
    expect(readAll(log).map(({ offset, value }) => `${offset}${value}`)).toEqual(['0a', '1b', '2c', '3d'])
    expect([log.logStartOffset, log.logEndOffset]).toEqual([0, 4])
  })

  it('sets the leader epoch in the bytes of the caller', async () => {
    const { log } = await setUp()
    log.leaderEpoch = 7
    const bytes = Buffer.concat([batchOf('a'), batchOf('b')])
    log.append(bytes)
    expect([leaderEpochOf(bytes, 0), leaderEpochOf(bytes, batchSize(bytes, 0))]).toEqual([7, 7])
    expect(readAll(log)).toHaveLength(2)
  })

  it('reads on from where a read ended, over small segments and with a buffer smaller than a batch', async () => {
    const { log } = await setUp('page-cache', { segmentBytes: 500, indexIntervalBytes: 100 })
    appendNumbered(log, 0, 60, 3)
    expect(log.segments.length).toBeGreaterThan(3)
    expect(readAll(log, 0, 62)).toEqual(numbered(0, 60))
  })

  it('reads from any offset, with the batch that holds it', async () => {
    const { log } = await setUp('page-cache', { segmentBytes: 2_000, indexIntervalBytes: 200 })
    appendNumbered(log, 0, 200, 4)
    for (let from = 0; from <= 200; from++) expect(readAll(log, from, 300)).toEqual(numbered(from, 200))
  })

  it('reads the same from any offset whichever bit of an index changes on the disk', async () => {
    const { log, disk } = await setUp('page-cache', { segmentBytes: 2_000, indexIntervalBytes: 200 })
    appendNumbered(log, 0, 200, 4)
    const { path, length, entryBytes } = (log.segments[0] as Segment).index.file
    expect(length).toBeGreaterThan(3)
    for (let bit = 0; bit < length * entryBytes * 8; bit++) {
      disk.flipBit(path, bit >>> 3, bit & 7)
      for (const from of [1, 13, 22]) expect([bit, readAll(log, from)[0]]).toEqual([bit, numbered(from, from + 1)[0]])
      disk.flipBit(path, bit >>> 3, bit & 7)
    }
  })

  it('holds no more of its indexes in memory than the ends that are not saved yet', async () => {
    const { log } = await setUp('page-cache', { segmentBytes: 60_000, indexIntervalBytes: 1 })
    for (let i = 0; i < 3_000; i++) log.append(batchOfRecords([{ timestamp: i }]))
    const held = log.segments.map(({ index, timeIndex }) => index.file.memoryBytes + timeIndex.file.memoryBytes)
    expect(held.length).toBeGreaterThan(2)
    expect(held.slice(0, -1)).toEqual(held.slice(0, -1).map(() => 0))
    expect(held.at(-1)).toBeLessThanOrEqual(32_768)
    expect(readAll(log, 1_234)[0]?.offset).toBe(1_234)
  })

  it('gives a whole batch however large it is', async () => {
    const { log } = await setUp()
    const large = 'x'.repeat(500_000)
    log.append(batchOf('small'))
    log.append(batchOf(large))
    expect(readAll(log, 0, 100)).toEqual([
      { offset: 0, value: 'small' },
      { offset: 1, value: large },
    ])
  })

  it('gives nothing at the end, and then what is appended', async () => {
    const { log } = await setUp()
    const cursor = new LogCursor(log, 0, 1_000)
    expect(cursor.read()).toHaveLength(0)
    log.append(batchOf('a'))
    expect(recordsIn(cursor.read())).toEqual([{ offset: 0, value: 'a' }])
    expect(cursor.read()).toHaveLength(0)
    log.append(batchOf('b'))
    expect(recordsIn(cursor.read())).toEqual([{ offset: 1, value: 'b' }])
  })

  it('refuses offsets that it does not hold', async () => {
    const { log } = await setUp()
    log.append(batchOf('a'))
    for (const offset of [-1, 2]) {
      const error = await failureOf(() => new LogCursor(log, offset, 100).read())
      expect([error.code, error.at]).toEqual(['OFFSET_OUT_OF_RANGE', { topic: 't', partition: 0, offset }])
    }
  })

  it('shows readers only what was flushed where appends are acknowledged after an fsync', async () => {
    const { log } = await setUp('fsync')
    log.append(batchOf('a', 'b'))
    const acknowledged = log.acknowledged()
    expect([log.highWatermark, log.logEndOffset, readAll(log)]).toEqual([0, 2, []])
    await acknowledged
    log.append(batchOf('c'))
    expect([log.highWatermark, log.recoveryPoint]).toEqual([2, 2])
    expect(readAll(log).map((record) => record.value)).toEqual(['a', 'b'])
    await log.acknowledged()
    expect(readAll(log)).toHaveLength(3)
  })

  it('tells those who watch it when readers may see more', async () => {
    const { log } = await setUp('fsync')
    const seen: number[] = []
    const watcher = { onAdvance: () => seen.push(log.highWatermark) }
    log.watch(watcher)
    appendNumbered(log, 0, 2)
    await log.acknowledged()
    log.unwatch(watcher)
    appendNumbered(log, 2, 3)
    await log.acknowledged()
    expect(seen).toEqual([2])
  })

  it('flushes a segment that is full, also where appends are acknowledged at once', async () => {
    const { log } = await setUp('page-cache', { segmentBytes: 300 })
    appendNumbered(log, 0, 10)
    await log.flushed()
    expect(log.recoveryPoint).toBe(10)
  })

  it('begins a segment when a record is too much younger than the first of the last one', async () => {
    const { log } = await setUp('page-cache', { segmentMs: 100 })
    for (const timestamp of [500, 600, 20, 601, 700, 702]) log.append(batchOfRecords([{ timestamp }]))
    expect(log.segments.map((segment) => segment.baseOffset)).toEqual([0, 3, 5])
  })

  it('counts the time since it was opened where records have none', async () => {
    const environment = worldOn()
    const broker = await openBroker({
      directory: 'data',
      environment,
      flush: 'page-cache',
      settings: { segmentMs: 100 },
    })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    const log = broker.log('t', 0)
    const append = () => log.append(batchOfRecords([{ timestamp: -1 }]))
    append()
    await environment.clock.advanceAsync(100)
    append()
    expect(log.segments).toHaveLength(1)
    await environment.clock.advanceAsync(1)
    append()
    expect(log.segments).toHaveLength(2)
  })

  it('goes on with the time of its last segment after a restart', async () => {
    const { broker, log, disk } = await setUp('page-cache', { segmentMs: 100 })
    log.append(batchOfRecords([{ timestamp: 500 }]))
    await broker.close()
    const environment = worldOn(disk)
    const again = await openBroker({
      directory: 'data',
      environment,
      flush: 'page-cache',
      settings: { segmentMs: 100 },
    })
    for (const timestamp of [600, 601]) again.log('t', 0).append(batchOfRecords([{ timestamp }]))
    expect(again.log('t', 0).segments.map((segment) => segment.baseOffset)).toEqual([0, 2])
  })

  it('closes segments earlier by chance, within the bound', async () => {
    const { log } = await setUp('page-cache', { segmentMs: 1_000, segmentJitterMs: 500 })
    for (let timestamp = 0; timestamp < 100_000; timestamp += 10) log.append(batchOfRecords([{ timestamp }]))
    const ages = log.segments.slice(1).map((segment, i) => segment.baseOffset - (log.segments[i]?.baseOffset as number))
    expect(Math.max(...ages)).toBeLessThanOrEqual(101)
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(51)
    expect(new Set(ages).size).toBeGreaterThan(3)
  })

  it('begins a segment when an index is full', async () => {
    const { log } = await setUp('page-cache', { indexIntervalBytes: 1, segmentIndexBytes: 120 })
    for (let timestamp = 0; timestamp < 40; timestamp++) log.append(batchOfRecords([{ timestamp }]))
    for (const { index, timeIndex } of log.segments) {
      expect([index.file.sizeBytes, timeIndex.file.sizeBytes].every((bytes) => bytes <= 120)).toBe(true)
    }
    expect(log.segments.length).toBeGreaterThan(3)
  })

  it('gives records the time of their append where the topic says so, with a checksum that fits', async () => {
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache' })
    await broker.createTopics([{ name: 't', partitions: 1, config: { 'message.timestamp.type': 'LogAppendTime' } }])
    const log = broker.log('t', 0)
    const nowMs = environment.clock.wallMs()
    log.append(Buffer.concat([batchOfRecords([{ timestamp: 1 }, { timestamp: 99_999 }]), batchOfRecords([{}])]))
    const reader = new BatchReader()
    reader.reset(new LogCursor(log, 0, 1_000).read())
    const times: number[] = []
    while (reader.nextBatch()) while (reader.next()) times.push(reader.timestamp, reader.attributes & 0b1000)
    expect(times).toEqual([nowMs, 8, nowMs, 8, nowMs, 8])
    expect(log.segments[0]?.largestTimestamp).toBe(nowMs)
  })

  it('removes all from the batch on that holds the offset when it is truncated, and goes on from there', async () => {
    const { log, disk } = await setUp('page-cache', { segmentBytes: 300, indexIntervalBytes: 100 })
    const cursor = new LogCursor(log, 0, 1_000)
    appendNumbered(log, 0, 40, 2)
    for (let bytes = cursor.read(); bytes.length > 0; ) bytes = cursor.read()
    await log.flushed()
    log.lowerRecoveryPoint(log.endWithout(21))
    log.truncate(21)
    expect([log.logEndOffset, log.highWatermark, log.recoveryPoint]).toEqual([20, 20, 20])
    expect(readAll(log)).toEqual(numbered(0, 20))
    expect((await failureOf(() => cursor.read())).code).toBe('OFFSET_OUT_OF_RANGE')
    appendNumbered(log, 20, 30, 2)
    cursor.seek(20)
    expect(recordsIn(cursor.read())[0]).toEqual({ offset: 20, value: 'value 20' })
    expect(readAll(log)).toEqual(numbered(0, 30))
    const files = disk.list('data/t-0').filter((name) => name.endsWith('.log'))
    expect(files).toEqual(log.segments.map((segment) => segment.path.split('/').at(-1)))
  })

  it.each([
    ['all that lies in front', 12, 2],
    ['no file where that is nothing', 0, 0],
  ])('has indexes of %s and of nothing that was removed, in memory and in their files', async (_, offset, entries) => {
    const { log, disk } = await setUp('page-cache', { segmentBytes: 1_000, indexIntervalBytes: 100 })
    appendNumbered(log, 0, 40, 2)
    await log.flushed()
    const { index, timeIndex } = log.segments[0] as Segment
    const saved = () => [index, timeIndex].map(({ file }) => disk.exists(file.path) && disk.open(file.path).size())
    expect(saved()).toEqual([index.length * 8, timeIndex.length * 12])
    expect(index.length).toBeGreaterThan(entries)
    log.lowerRecoveryPoint(offset)
    log.truncate(offset)
    const left = entries === 0 ? [false, false] : [entries * 8, timeIndex.length * 12]
    expect([index.length, saved()]).toEqual([entries, left])
  })

  it.each([
    ['is no damage to the next start', 0, 20],
    ['and begins in that batch, has nothing left', 21, 21],
  ])('that is truncated in the middle of a batch, %s', async (_, start, end) => {
    const environment = worldOn()
    const options = { directory: 'data', flush: 'fsync', settings: { segmentBytes: 300 } } as const
    const broker = await openBroker({ ...options, environment })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    appendNumbered(broker.log('t', 0), 0, 40, 2)
    await broker.log('t', 0).acknowledged()
    await broker.deleteRecords([{ topic: 't', partition: 0, offset: start }])
    await broker.truncate('t', 0, 21)
    expect([broker.log('t', 0).logStartOffset, broker.log('t', 0).logEndOffset]).toEqual([start, end])
    await broker.log('t', 0).flushed()
    const disk = environment.disk.crash({ keepUnsynced: 'none' })
    const again = await openBroker({ ...options, environment: worldOn(disk) })
    expect(again.damages).toEqual([])
    expect([again.log('t', 0).logStartOffset, again.log('t', 0).logEndOffset]).toEqual([start, end])
    appendNumbered(again.log('t', 0), end, end + 2, 2)
    await again.log('t', 0).acknowledged()
    const offsets = readAll(again.log('t', 0), start).map(({ offset }) => offset)
    expect(offsets).toEqual(Array.from({ length: end + 2 - start }, (_, i) => start + i))
  })
})

describe('a partition log on a disk that fails', () => {
  it('keeps nothing of an append that the disk had no room for, and takes it when there is room again', async () => {
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    const log = broker.log('t', 0)
    log.append(batchOf('a'))
    await log.acknowledged()
    const size = environment.disk.open(log.segments[0]?.path as string).size()

    environment.disk.failNext('write', 'ENOSPC')
    const error = await failureOf(() => log.append(batchOf('b'.repeat(5_000))))
    expect([error.code, error.retriable]).toEqual(['DISK_FULL', true])
    expect(environment.disk.open(log.segments[0]?.path as string).size()).toBe(size)
    expect(log.logEndOffset).toBe(1)

    expect(log.append(batchOf('c'))).toBe(1)
    await log.acknowledged()
    expect(readAll(log).map((record) => record.value)).toEqual(['a', 'c'])
  })

  it.each([
    ['a write', 'write'],
    ['the truncation after a write without room', 'truncate'],
  ] as const)('is offline for good after %s failed', async (_, operation) => {
    const { log, disk } = await setUp()
    log.append(batchOf('a'))
    if (operation === 'truncate') disk.failNext('write', 'ENOSPC')
    disk.failNext(operation, 'EIO')
    const error = await failureOf(() => log.append(batchOf('b')))
    expect(error.code).toBe('STORAGE_FAILED')
    expect(await failureOf(() => log.append(batchOf('c')))).toBe(error)
    expect(await failureOf(() => readAll(log))).toBe(error)
    expect(await failureOf(() => log.flushed())).toBe(error)
  })

  it('is offline for good after an fsync failed, and shows nothing of what it was to save', async () => {
    const { log, disk } = await setUp('fsync')
    log.append(batchOf('a'))
    disk.failNext('sync', 'EIO')
    const error = await failureOf(() => log.acknowledged())
    expect(error.code).toBe('STORAGE_FAILED')
    expect(log.highWatermark).toBe(0)
    expect(await failureOf(() => log.append(batchOf('b')))).toBe(error)
    expect(await failureOf(() => log.acknowledged())).toBe(error)
  })

  it('is offline after a read failed', async () => {
    const { log, disk } = await setUp()
    log.append(batchOf('a'))
    disk.failNext('read', 'EIO')
    const error = await failureOf(() => readAll(log))
    expect([error.code, error.at.path]).toEqual(['STORAGE_FAILED', log.segments[0]?.path])
    expect(await failureOf(() => log.append(batchOf('b')))).toBe(error)
  })

  it('reports a damaged batch where it is, after giving those before it', async () => {
    const { log, disk } = await setUp()
    appendNumbered(log, 0, 3)
    const path = log.segments[0]?.path as string
    const position = (log.segments[0]?.size as number) * (2 / 3)
    disk.flipBit(path, position + 16)
    const cursor = new LogCursor(log, 0, 4_096)
    expect(recordsIn(cursor.read())).toEqual(numbered(0, 2))
    for (let i = 0; i < 2; i++) {
      const error = await failureOf(() => cursor.read())
      expect([error.code, error.at]).toEqual(['CORRUPT_BATCH', { topic: 't', partition: 0, offset: 2, path }])
      expect(error.message).toContain(`position ${position}`)
    }
    cursor.seek(1)
    expect(recordsIn(cursor.read())).toEqual(numbered(1, 2))
  })
})
