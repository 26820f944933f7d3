import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { firstOffsetSince } from '../../../src/broker/log/time-lookup.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import type { BatchHeader } from '../../../src/record/batch-builder.ts'
import { deleteHorizonBit } from '../../../src/record/batch-format.ts'
import { BatchReader } from '../../../src/record/batch-reader.ts'
import type { Compression } from '../../../src/record/compression.ts'
import { transactionMarkerBatch } from '../../../src/record/control-record.ts'
import { modelRuns } from '../model-runs.ts'
import { batchOfRecords, failureOf, type TestRecord, worldOn } from '../records.ts'

const compacted = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'delete.retention.ms': '1000' }
const small = { segmentBytes: 300, indexIntervalBytes: 100 }

interface Found {
  readonly offset: number
  readonly timestamp: number
  readonly key: string
  readonly value: string | null
}

async function open(
  environment: VirtualEnvironment,
  config: Readonly<Record<string, string>> = {},
  settings: Partial<BrokerSettings> = {},
): Promise<{ broker: Broker; log: PartitionLog }> {
  const all = { ...small, ...settings }
  const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache', settings: all })
  await broker.createTopics([{ name: 't', partitions: 1, config: { ...compacted, ...config } }])
  return { broker, log: broker.log('t', 0) }
}

/** Appends without the check for clients: producers are of the test's making. */
function append(
  log: PartitionLog,
  records: readonly TestRecord[],
  header: BatchHeader = {},
  compression: Compression = 'none',
) {
  return log.append(batchOfRecords(records, { compression }, header), 'coordinator')
}

/** Only what is on the device is compacted. */
async function compact(broker: Broker): Promise<void> {
  await broker.log('t', 0).flushed()
  await broker.compact()
}

function mark(log: PartitionLog, producerId: number, outcome: 'abort' | 'commit'): void {
  const marker = { producerId, producerEpoch: 0, outcome, coordinatorEpoch: 0, timestamp: 1_000 }
  log.append(transactionMarkerBatch(marker), 'coordinator')
}

/** Every record from the offset on, markers left out, checksums verified; the batches must follow one another. */
function readAll(log: PartitionLog, from = log.logStartOffset, bufferBytes = 500): Found[] {
  const cursor = new LogCursor(log, from, bufferBytes)
  const reader = new BatchReader()
  const found: Found[] = []
  let due = 0
  for (let at = from, bytes = cursor.read(); bytes.length > 0; at = cursor.offset, bytes = cursor.read()) {
    reader.reset(bytes)
    while (reader.nextBatch()) {
      expect(reader.baseOffset).toBeGreaterThanOrEqual(due)
      due = reader.lastOffset + 1
      while (reader.next()) {
        if (reader.isControl || reader.offset < at) continue
        const { offset, timestamp } = reader
        const key = reader.bytes.toString('utf8', reader.keyStart, reader.keyEnd)
        const value = reader.valueStart < 0 ? null : reader.bytes.toString('utf8', reader.valueStart, reader.valueEnd)
        found.push({ offset, timestamp, key, value })
      }
    }
  }
  return found
}

/** What a reader of committed records sees. */
function committed(log: PartitionLog): Found[] {
  const aborted = log.abortedTransactions(0, log.logEndOffset)
  const cursor = new LogCursor(log, log.logStartOffset, 10_000)
  const reader = new BatchReader()
  const found: Found[] = []
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    reader.reset(bytes)
    while (reader.nextBatch()) {
      const { producerId, baseOffset, isTransactional } = reader
      const isAborted = aborted.some(
        (one) =>
          isTransactional &&
          one.producerId === producerId &&
          one.firstOffset <= baseOffset &&
          baseOffset < one.lastOffset,
      )
      while (reader.next()) {
        if (reader.isControl || isAborted) continue
        const key = reader.bytes.toString('utf8', reader.keyStart, reader.keyEnd)
        const value = reader.valueStart < 0 ? null : reader.bytes.toString('utf8', reader.valueStart, reader.valueEnd)
        found.push({ offset: reader.offset, timestamp: reader.timestamp, key, value })
      }
    }
  }
  return found
}

function fold(records: readonly Found[]): Map<string, Found> {
  return new Map(records.map((record) => [record.key, record]))
}

function files(disk: MemoryDisk): string[] {
  return disk.list('data/t-0').filter((name) => /\.(cleaned|swap|deleted)$/.test(name))
}

describe('compaction', () => {
  it('keeps the last record of each key with its offset and time, in order', async () => {
    const { broker, log } = await open(worldOn())
    for (let i = 0; i < 60; i++) append(log, [{ key: `k${i % 7}`, value: `v${i}`, timestamp: i }])
    const before = readAll(log)
    const { baseOffset } = log.segments.at(-1)!
    await compact(broker)
    const after = readAll(log)
    const untouched = before.filter((record) => record.offset >= baseOffset)
    const last = fold(before.filter((record) => record.offset < baseOffset))
    const expected = [...[...last.values()].sort((a, b) => a.offset - b.offset), ...untouched]
    expect(after).toEqual(expected)
    expect(log.logEndOffset).toBe(60)
    for (let from = 0; from < 60; from++) {
      expect([from, readAll(log, from)]).toEqual([from, expected.filter((record) => record.offset >= from)])
    }
    for (let time = 0; time < 60; time++) {
      expect(firstOffsetSince(log, time)?.offset).toBe(expected.find((record) => record.timestamp >= time)?.offset)
    }
  })

  it('removes tombstones only after their delete horizon, which it writes into the batch', async () => {
    const environment = worldOn()
    const { broker, log } = await open(environment)
    append(log, [
      { key: 'a', value: 'x' },
      { key: 'b', value: 'x', timestamp: 1_200 },
    ])
    append(log, [
      { key: 'a', value: null, timestamp: 1_300 },
      { key: 'c', value: 'x', timestamp: 900 },
    ])
    log.roll()
    await compact(broker)
    expect(readAll(log).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
      ['b', 'x', 1_200],
      ['a', null, 1_300],
      ['c', 'x', 900],
    ])
    const bytes = new LogCursor(log, 2, 1_000).read()
    expect(bytes.readInt16BE(21) & deleteHorizonBit).not.toBe(0)
    expect(Number(bytes.readBigInt64BE(27))).toBe(environment.clock.wallMs() + 1_000)
    append(log, [{ key: 'd', value: 'x' }])
    log.roll()
    await environment.clock.advanceAsync(999)
    await compact(broker)
    expect(readAll(log).map((record) => record.key)).toEqual(['b', 'a', 'c', 'd'])
    append(log, [{ key: 'e', value: 'x' }])
    log.roll()
    await environment.clock.advanceAsync(1)
    await compact(broker)
    expect(readAll(log).map((record) => record.key)).toEqual(['b', 'c', 'd', 'e'])
  })

  it('keeps the last batch of a producer, emptied, so that its next sequence number is known after a restart', async () => {
    const environment = worldOn()
    const { broker, log } = await open(environment)
    const header = { producerId: 7, producerEpoch: 0 }
    append(log, [{ key: 'a', value: '1' }], { ...header, baseSequence: 0 })
    append(log, [{ key: 'a', value: '2' }], { ...header, baseSequence: 1 })
    append(log, [{ key: 'a', value: '3' }])
    log.roll()
    await compact(broker)
    expect(readAll(log).map((record) => record.value)).toEqual(['3'])
    const again = await open(worldOn(environment.disk.crash({ keepUnsynced: 'all' })))
    expect(again.log.producers.get(7)?.lastSequence).toBe(1)
    const next = batchOfRecords([{ key: 'a', value: '4' }], {}, { ...header, baseSequence: 2 })
    expect(again.log.append(next)).toBe(3)
  })

  it('drops what was aborted, and its marker only when the data is gone and the horizon over', async () => {
    const environment = worldOn()
    const { broker, log } = await open(environment)
    const transaction = { producerId: 1, producerEpoch: 0, isTransactional: true }
    append(log, [{ key: 'a', value: 'kept' }])
    append(log, [{ key: 'a', value: 'aborted' }], transaction)
    mark(log, 1, 'abort')
    append(log, [{ key: 'b', value: 'committed' }], transaction)
    mark(log, 1, 'commit')
    log.roll()
    const before = committed(log)
    await compact(broker)
    expect(committed(log)).toEqual(before)
    expect(readAll(log).map((record) => record.value)).toEqual(['kept', 'committed'])
  })

  it('leaves alone what is open, young, in the last segment, or not dirty enough', async () => {
    const environment = worldOn()
    const { broker, log } = await open(environment, { 'min.compaction.lag.ms': '5000' })
    const nowMs = environment.clock.wallMs()
    append(log, [{ key: 'a', value: '1', timestamp: nowMs - 6_000 }])
    append(log, [{ key: 'a', value: '2', timestamp: nowMs - 6_000 }])
    log.roll()
    append(log, [{ key: 'a', value: '3', timestamp: nowMs - 1_000 }])
    log.roll()
    append(log, [{ key: 'a', value: '4', timestamp: nowMs - 6_000 }])
    await compact(broker)
    expect(readAll(log).map((record) => record.value)).toEqual(['2', '3', '4'])
    const other = await open(worldOn(), { 'min.cleanable.dirty.ratio': '1' })
    for (let i = 0; i < 3; i++) append(other.log, [{ key: 'a', value: `${i}` }])
    other.log.roll()
    await compact(other.broker)
    expect(readAll(other.log)).toHaveLength(3)
    const open1 = await open(worldOn())
    append(open1.log, [{ key: 'a', value: '1' }], { producerId: 1, producerEpoch: 0, isTransactional: true })
    append(open1.log, [{ key: 'a', value: '2' }])
    open1.log.roll()
    await compact(open1.broker)
    expect(readAll(open1.log)).toHaveLength(2)
  })

  it('compacts what waits too long whatever the ratio, and closes its segment before that', async () => {
    const environment = worldOn()
    const config = { 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '100' }
    const { broker, log } = await open(environment, config, { segmentBytes: 100_000 })
    const nowMs = environment.clock.wallMs()
    for (const ms of [0, 50, 101]) append(log, [{ key: 'a', value: `${ms}`, timestamp: nowMs + ms }])
    await environment.clock.advanceAsync(101)
    await compact(broker)
    expect(readAll(log).map((record) => record.value)).toEqual(['50', '101'])
  })

  it('goes on in a later round where the keys do not fit into one', async () => {
    const { broker, log } = await open(worldOn(), {}, { cleanerDedupeBufferBytes: 200 })
    for (let i = 0; i < 200; i++) append(log, [{ key: `key ${i % 40}`, value: `${i}` }])
    log.roll()
    const last = fold(readAll(log))
    await compact(broker)
    expect(fold(readAll(log))).toEqual(last)
    expect(log.cleanedTo).toBe(200)
  })

  it('runs in the background, and refuses records without a key', async () => {
    const environment = worldOn()
    const { log } = await open(environment, { 'min.cleanable.dirty.ratio': '0.5' })
    const error = await failureOf(() => append(log, [{ value: 'x' }]))
    expect(error.code).toBe('INVALID_RECORD')
    for (let i = 0; i < 40; i++) append(log, [{ key: 'a', value: `${i}` }])
    await log.flushed()
    await environment.clock.advanceAsync(15_000)
    for (let turn = 0; turn < 50; turn++) await environment.clock.nextTurn()
    expect(readAll(log).length).toBeLessThan(10)
    await environment.clock.advanceAsync(15_000)
  })

  it('is done once at a time, whoever asks for it while it runs', async () => {
    const environment = worldOn()
    const { broker, log } = await open(environment)
    for (let i = 0; i < 40; i++) append(log, [{ key: `${i % 3}`, value: `${i}` }])
    await log.flushed()
    environment.clock.advance(15_000)
    await Promise.all([broker.compact(), broker.compact()])
    expect(log.context.status.failure).toBeUndefined()
    expect(readAll(log).length).toBeLessThan(10)
    await broker.close()
  })

  it('leaves a log alone that is damaged, and says so', async () => {
    const environment = worldOn()
    const { broker, log } = await open(environment)
    for (let i = 0; i < 20; i++) append(log, [{ key: 'a', value: `${i}` }])
    const failures: unknown[] = []
    broker.onCompactionFailure((failure) => failures.push(failure))
    environment.disk.flipBit(log.segments[0]!.path, 70)
    const before = environment.disk.list('data/t-0')
    await compact(broker)
    expect(failures).toMatchObject([{ topic: 't', partition: 0, error: { code: 'CORRUPT_BATCH' } }])
    expect(environment.disk.list('data/t-0')).toEqual(before)
  })

  it('takes nothing away that a full disk keeps it from writing', async () => {
    const environment = worldOn()
    const { broker, log } = await open(environment)
    for (let i = 0; i < 20; i++) append(log, [{ key: 'a', value: `${i}` }])
    append(log, [{ key: 'b', value: 'large'.repeat(100) }])
    log.roll()
    const before = readAll(log)
    const { disk } = environment
    disk.capacityBytes = disk.usedBytes
    await compact(broker)
    expect(readAll(log).at(-1)).toEqual(before.at(-1))
    expect(fold(readAll(log))).toEqual(fold(before))
    expect(files(disk)).toEqual([])
    disk.capacityBytes = Number.POSITIVE_INFINITY
    await compact(broker)
    expect(readAll(log)).toEqual([...fold(before).values()])
  })
})

describe('a compaction that loses power at any step', () => {
  it.each([
    ['none', 0],
    ['all', 1],
    ['random', 2],
  ] as const)('loses nothing but superseded records (%s)', async (keepUnsynced, first) => {
    let isDone = false
    // Each takes every third step, together they take all.
    for (let calls: number = first; !isDone && calls < 1_000; calls += 3) {
      const environment = worldOn()
      const broker = await openBroker({
        directory: 'data',
        environment,
        flush: 'fsync',
        settings: { ...small, segmentBytes: 350 },
      })
      await broker.createTopics([{ name: 't', partitions: 1, config: compacted }])
      const log = broker.log('t', 0)
      const transaction = { producerId: 1, producerEpoch: 0, isTransactional: true }
      for (let i = 0; i < 6; i++) append(log, [{ key: `k${i % 3}`, value: `v${i}`, timestamp: i }])
      append(log, [{ key: 'k1', value: 'aborted' }], transaction)
      mark(log, 1, 'abort')
      for (let i = 6; i < 10; i++) append(log, [{ key: `k${i % 3}`, value: `v${i}`, timestamp: i }])
      await log.flushed()
      const last = fold(committed(log))
      environment.disk.losePowerAfter(calls)
      await broker.compact()
      isDone = log.cleanedTo !== undefined && broker.isClosed === false && !isOffline(log)
      const world = worldOn(environment.disk.crash({ keepUnsynced }))
      const again = await openBroker({ directory: 'data', environment: world, flush: 'fsync', settings: small })
      expect([calls, fold(committed(again.log('t', 0)))]).toEqual([calls, last])
      expect([calls, again.cuts, files(world.disk)]).toEqual([calls, [], []])
      expect(again.log('t', 0).logEndOffset).toBe(12)
      await again.close()
    }
    expect(isDone).toBe(true)
  })
})

function isOffline(log: PartitionLog): boolean {
  return log.context.status.failure !== undefined
}

type Step =
  | { readonly do: 'records'; readonly keys: readonly number[]; readonly producer: number }
  | { readonly do: 'end'; readonly producer: number; readonly commits: boolean }
  | { readonly do: 'compact' | 'reopen' | 'roll' | 'wait' }

describe('compaction of random logs with transactions', () => {
  it('shows readers of committed records the same last values, before and after, in every codec', async () => {
    const producer = fc.nat({ max: 2 })
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('records' as const),
          keys: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 4 }),
          producer,
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), producer, commits: fc.boolean() }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constantFrom('compact' as const, 'reopen' as const, 'roll' as const, 'wait' as const),
        }),
      },
    )
    const compression = fc.constantFrom<Compression>('none', 'gzip', 'snappy', 'lz4', 'zstd')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), compression, async (steps, codec) => {
        let environment = worldOn()
        let { broker, log } = await open(environment)
        let value = 0
        const visible = new Map<string, string | null>()
        const pending = new Map<number, [string, string | null][]>()
        for (const step of [...steps, { do: 'roll' as const }, { do: 'compact' as const }, { do: 'reopen' as const }]) {
          if (step.do === 'records') {
            // Producer 0 writes outside of transactions; a key below two is a tombstone.
            const entries = step.keys.map((key): [string, string | null] => [
              `k${key >> 1}`,
              key % 3 === 0 ? null : `v${value++}`,
            ])
            const header =
              step.producer === 0 ? {} : { producerId: step.producer, producerEpoch: 0, isTransactional: true }
            append(
              log,
              entries.map(([key, value]) => ({ key, value, timestamp: value === null ? 5 : 1_000 })),
              header,
              codec,
            )
            if (step.producer === 0) for (const [key, value] of entries) visible.set(key, value)
            else pending.set(step.producer, [...(pending.get(step.producer) ?? []), ...entries])
          } else if (step.do === 'end') {
            if (!pending.has(step.producer)) continue
            mark(log, step.producer, step.commits ? 'commit' : 'abort')
            pending.delete(step.producer)
          } else if (step.do === 'roll') log.roll()
          else if (step.do === 'wait') await environment.clock.advanceAsync(600)
          else if (step.do === 'compact') {
            const before = fold(committed(log))
            await compact(broker)
            const after = fold(committed(log))
            // A tombstone may be gone, a value never.
            for (const [key, record] of before) {
              if (record.value !== null || after.has(key)) expect([key, after.get(key)]).toEqual([key, record])
            }
            for (const [key, record] of after) expect([key, before.get(key)]).toEqual([key, record])
          } else {
            const before = committed(log)
            environment = worldOn(environment.disk.crash({ keepUnsynced: 'all' }))
            ;({ broker, log } = await open(environment))
            expect(committed(log)).toEqual(before)
          }
          expect(
            log.segments.every((segment, i) => (log.segments[i + 1]?.baseOffset ?? Infinity) >= segment.nextOffset),
          ).toBe(true)
        }
      }),
      { numRuns: modelRuns(60) },
    )
  })
})
