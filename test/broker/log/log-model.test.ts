import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { type LeaderEpoch, truncationOf } from '../../../src/broker/log/leader-epochs.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { FlushPolicy, PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { firstOffsetSince } from '../../../src/broker/log/time-lookup.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { MillraceError } from '../../../src/errors.ts'
import { modelRuns } from '../model-runs.ts'
import { batchOfRecords, recordsIn, worldOn } from '../records.ts'

type Step =
  | { readonly do: 'append'; readonly partition: number; readonly batches: readonly (readonly number[])[] }
  | { readonly do: 'acknowledge'; readonly partition: number; readonly waits: boolean }
  | { readonly do: 'read'; readonly partition: number; readonly from: number; readonly bufferBytes: number }
  | { readonly do: 'delete'; readonly partition: number; readonly upTo: number }
  | { readonly do: 'roll' | 'elect'; readonly partition: number }
  | {
      readonly do: 'truncate'
      readonly partition: number
      readonly epochsBack: number
      readonly batchesBack: number
    }
  | { readonly do: 'checkpoint' | 'reopen' | 'restart' | 'compact' }
  | { readonly do: 'crash'; readonly keepUnsynced: 'none' | 'all' | 'random' }
  | {
      readonly do: 'fail'
      readonly operation: 'write' | 'sync'
      readonly code: 'EIO' | 'ENOSPC'
      readonly skips: number
    }

/** Two plain partitions, and one that is compacted. */
const compacted = 2
const partition = fc.nat({ max: 2 })
const plainPartition = fc.nat({ max: 1 })
const recordSizes = fc.array(fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 6_000 })), { minLength: 1, maxLength: 5 })
const append = fc.record({
  do: fc.constant('append' as const),
  partition,
  batches: fc.array(recordSizes, { minLength: 1, maxLength: 3 }),
})
const harmless: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: append },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), partition, waits: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      partition,
      from: fc.nat(),
      bufferBytes: fc.integer({ min: 61, max: 5_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('delete' as const), partition: plainPartition, upTo: fc.nat() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('roll' as const, 'elect' as const), partition: plainPartition }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('truncate' as const),
      partition: plainPartition,
      epochsBack: fc.nat({ max: 2 }),
      batchesBack: fc.nat({ max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('checkpoint' as const, 'reopen' as const) }) },
)
const harmful: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('crash' as const),
    keepUnsynced: fc.constantFrom('none' as const, 'all' as const, 'random' as const),
  }),
  fc.record({ do: fc.constant('restart' as const) }),
  fc.record({
    do: fc.constant('fail' as const),
    operation: fc.constantFrom('write' as const, 'sync' as const),
    code: fc.constantFrom('EIO' as const, 'ENOSPC' as const),
    skips: fc.nat({ max: 3 }),
  }),
)

/** What a partition must hold: every record acknowledged or seen by a reader, then those that may have survived, in order. */
class PartitionModel {
  written: string[] = []
  /** How many must survive, but for those deleted. */
  settled = 0
  /** Where the batches begin. */
  starts: number[] = []
  /** How often it was truncated: what was acknowledged before that may have been cut. */
  truncations = 0
  /** What it held before a truncation that is not durable: a crash may bring it back. */
  former: { readonly written: string[]; readonly starts: number[] } | undefined
  epoch = 0
  /** How many are deleted at the least and at the most: a deletion that was not acknowledged may be undone by a crash. */
  deleted = 0
  mostDeleted = 0

  add(batches: readonly (readonly string[])[]): void {
    for (const batch of batches) {
      this.starts.push(this.written.length)
      this.written.push(...batch)
    }
  }
}

/** A broker with three partitions on a disk that fails, and the model that says what it must hold. */
class Run {
  readonly #flush: FlushPolicy
  readonly #models = [new PartitionModel(), new PartitionModel(), new PartitionModel()]
  #environment: VirtualEnvironment
  #broker: Broker | undefined
  #sequence = 0
  /** Whether the disk was told to fail. */
  #mayFail = false

  constructor(flush: FlushPolicy, seed: number) {
    this.#flush = flush
    this.#environment = worldOn(new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) }))
  }

  async open(): Promise<void> {
    this.#broker = await openBroker({
      directory: 'data',
      environment: this.#environment,
      flush: this.#flush,
      settings: { segmentBytes: 9_000, indexIntervalBytes: 300, fileDeleteDelayMs: 5_000 },
    })
    const config = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'segment.bytes': '3000' }
    await this.#broker.createTopics([
      { name: 't', partitions: 2 },
      { name: 'c', partitions: 1, config },
    ])
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'append') this.#append(step.partition, step.batches)
    else if (step.do === 'acknowledge') await this.#acknowledge(step.partition, step.waits)
    else if (step.do === 'delete') await this.#delete(step.partition, step.upTo)
    else if (step.do === 'read') this.#read(step.partition, step.from, step.bufferBytes)
    else if (step.do === 'compact') await this.#broker?.compact().catch((error) => this.#expectStorageError(error))
    else if (step.do === 'roll') this.#roll(step.partition)
    else if (step.do === 'elect') this.#elect(step.partition)
    else if (step.do === 'truncate') await this.#truncate(step)
    else if (step.do === 'checkpoint') await this.#environment.clock.advanceAsync(5_000)
    else if (step.do === 'fail') this.#fail(step)
    else if (step.do === 'crash') await this.#restartOn(this.#environment.disk.crash(step))
    else if (step.do === 'restart') await this.#restart()
    else await this.#reopen()
  }

  /** Everything that must be there is there, once and in order, and nothing that was never written. */
  check(): void {
    for (const [i, model] of this.#models.entries()) {
      const start = this.#log(i).logStartOffset
      expect(start).toBeGreaterThanOrEqual(model.deleted)
      expect(start).toBeLessThanOrEqual(model.mostDeleted)
      const found = readAll(this.#log(i), start, 4_096)
      const { logEndOffset } = this.#log(i)
      expect(logEndOffset).toBeGreaterThanOrEqual(model.settled)
      // It is all of what was before a truncation, or all of what was after it.
      if (model.former !== undefined && !isDeepStrictEqual(found, model.written.slice(start, logEndOffset))) {
        model.written = model.former.written
        model.starts = model.former.starts
      }
      expect(logEndOffset).toBeLessThanOrEqual(model.written.length)
      expectRecords(i, found, model.written, start, logEndOffset)
      checkTimes(this.#log(i), found, model.written)
      if (i !== compacted && found.length > 0) expect(this.#log(i).epochs.entries).toEqual(epochsOf(found, start))
    }
  }

  #log(partition: number): PartitionLog {
    const broker = this.#broker as Broker
    return partition === compacted ? broker.log('c', 0) : broker.log('t', partition)
  }

  #append(partition: number, batches: readonly (readonly number[])[]): void {
    const model = this.#models[partition] as PartitionModel
    const { epoch } = model
    const values = batches.map((sizes) => sizes.map((size) => `${this.#sequence++} ${epoch} ${'x'.repeat(size)}`))
    const bytes = Buffer.concat(
      values.map((batch) =>
        batchOfRecords(batch.map((value) => ({ key: keyOf(value), value, timestamp: timestampOf(value) }))),
      ),
    )
    let baseOffset: number
    try {
      baseOffset = this.#log(partition).append(bytes)
    } catch (error) {
      // A failed write that was not undone may still be found later.
      if (this.#expectStorageError(error) === 'STORAGE_FAILED') model.add(values)
      return
    }
    expect(baseOffset).toBe(model.written.length)
    model.add(values)
    if (this.#flush === 'page-cache') model.settled = model.written.length
  }

  async #acknowledge(partition: number, waits: boolean): Promise<void> {
    const model = this.#models[partition] as PartitionModel
    // What is acknowledged at once is so when it is appended.
    if (this.#flush === 'page-cache') return
    const { truncations } = model
    const { length } = model.written
    const environment = this.#environment
    const settled = this.#log(partition)
      .acknowledged()
      .then(
        () => {
          // After a restart, or a truncation, the model has moved on; what survived is settled anyway.
          if (environment !== this.#environment || truncations !== model.truncations) return
          model.settled = Math.max(model.settled, length)
        },
        (error) => {
          if (environment === this.#environment) this.#expectStorageError(error)
        },
      )
    if (waits) await settled
  }

  #roll(partition: number): void {
    try {
      this.#log(partition).roll()
    } catch (error) {
      this.#expectStorageError(error)
    }
  }

  /** What is appended from now on is of another leadership. */
  #elect(partition: number): void {
    const model = this.#models[partition] as PartitionModel
    model.epoch++
    this.#log(partition).leaderEpoch = model.epoch
  }

  /** Cuts the log as a follower whose leader answers that an epoch ended earlier than here. */
  async #truncate(step: { partition: number; epochsBack: number; batchesBack: number }): Promise<void> {
    const { partition, epochsBack, batchesBack } = step
    const log = this.#log(partition)
    const model = this.#models[partition] as PartitionModel
    const endOffset = model.starts.at(-1 - batchesBack) ?? log.logEndOffset
    const epoch = Math.max(0, (log.epochs.latest?.epoch ?? 0) - epochsBack)
    const { offset } = truncationOf(log.epochs, log.logEndOffset, { epoch, endOffset })
    const to = Math.max(offset, log.logStartOffset)
    model.former ??= { written: [...model.written], starts: [...model.starts] }
    model.truncations++
    try {
      await this.#broker?.truncate('t', partition, to)
      const cut = model.starts.findLast((start) => start <= to) ?? 0
      expect(log.logEndOffset).toBe(to >= model.written.length ? to : Math.max(cut, log.logStartOffset))
      model.written.length = log.logEndOffset
      model.starts = model.starts.filter((start) => start < log.logEndOffset)
      model.settled = Math.min(model.settled, log.logEndOffset)
      await log.flushed()
      model.former = undefined
    } catch (error) {
      this.#expectStorageError(error)
      model.settled = Math.min(model.settled, to)
    }
  }

  #fail(step: { operation: 'write' | 'sync'; code: 'EIO' | 'ENOSPC'; skips: number }): void {
    this.#mayFail = true
    this.#environment.disk.failNext(step.operation, step.code, 1, step.skips)
  }

  #expectStorageError(error: unknown): string {
    if (!(error instanceof MillraceError) || !this.#mayFail) throw error
    expect(['STORAGE_FAILED', 'DISK_FULL']).toContain(error.code)
    return error.code
  }

  #read(partition: number, from: number, bufferBytes: number): void {
    const log = this.#log(partition)
    const model = this.#models[partition] as PartitionModel
    const offset = log.logStartOffset + (from % (log.highWatermark - log.logStartOffset + 1))
    try {
      const found = readAll(log, offset, bufferBytes)
      model.settled = Math.max(model.settled, log.highWatermark)
      expectRecords(partition, found, model.written, offset, log.highWatermark)
    } catch (error) {
      this.#expectStorageError(error)
    }
  }

  async #delete(partition: number, upTo: number): Promise<void> {
    const model = this.#models[partition] as PartitionModel
    const offset = upTo % (this.#log(partition).highWatermark + 1)
    model.mostDeleted = Math.max(model.mostDeleted, offset)
    try {
      await (this.#broker as Broker).deleteRecords([{ topic: 't', partition, offset }])
      // Where it failed, a truncation may have failed before it, and cut the log below the high watermark.
      model.settled = Math.max(model.settled, offset)
      model.deleted = Math.max(model.deleted, offset)
      expect(this.#log(partition).logStartOffset).toBe(model.mostDeleted)
    } catch (error) {
      this.#expectStorageError(error)
    }
  }

  async #reopen(): Promise<void> {
    try {
      await this.#broker?.close()
    } catch (error) {
      this.#expectStorageError(error)
    }
    await this.#openAgain()
  }

  /** The process dies and comes back, the machine stays up: what it wrote is there, flushed or not. */
  async #restart(): Promise<void> {
    await this.#restartOn(this.#environment.disk.crash({ keepUnsynced: 'all' }))
  }

  async #restartOn(disk: MemoryDisk): Promise<void> {
    this.#environment = worldOn(disk)
    this.#mayFail = false
    await this.#openAgain()
  }

  /** What a recovery found is there to stay. */
  async #openAgain(): Promise<void> {
    await this.#openDespiteFaults()
    this.check()
    for (const [i, model] of this.#models.entries()) {
      model.written.length = this.#log(i).logEndOffset
      model.former = undefined
      model.starts = model.starts.filter((start) => start < model.written.length)
      this.#log(i).leaderEpoch = model.epoch
      model.settled = model.written.length
      model.deleted = this.#log(i).logStartOffset
      model.mostDeleted = model.deleted
    }
  }

  /** Faults that were ordered and not met yet may keep it from opening, but only so often. */
  async #openDespiteFaults(): Promise<void> {
    for (let attempts = 0; ; attempts++) {
      try {
        return await this.open()
      } catch (error) {
        this.#expectStorageError(error)
        expect(attempts).toBeLessThan(50)
      }
    }
  }
}

/** Timestamps that go up and down, by the sequence number that a value begins with. */
function timestampOf(value: string): number {
  return (Number.parseInt(value, 10) * 37) % 101
}

function keyOf(value: string): string {
  return `k${Number.parseInt(value, 10) % 7}`
}

/** From which offset on the records are of which leadership. */
function epochsOf(found: readonly string[], start: number): LeaderEpoch[] {
  const entries: LeaderEpoch[] = []
  for (const [i, value] of found.entries()) {
    const epoch = Number(value.split(' ')[1])
    if (epoch !== entries.at(-1)?.epoch) entries.push({ epoch, startOffset: start + i })
  }
  return entries
}

/** All that was written from the one offset to the other; in the compacted partition at least the last record of each key. */
function expectRecords(
  i: number,
  found: readonly string[],
  written: readonly string[],
  from: number,
  to: number,
): void {
  if (i !== compacted) {
    expect(found).toEqual(written.slice(from, to))
    return
  }
  const range = new Set(written.slice(from, to))
  const offsets = found.map((value) => written.indexOf(value))
  expect(found.filter((value) => !range.has(value))).toEqual([])
  expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))
  const last = new Map(written.slice(0, to).map((value) => [keyOf(value), value]))
  const missing = [...last.values()].filter((value) => range.has(value) && !found.includes(value))
  expect(missing).toEqual([])
}

function checkTimes(log: PartitionLog, found: readonly string[], written: readonly string[]): void {
  const timestamps = found.map(timestampOf)
  for (const time of [0, 50, 100]) {
    const at = timestamps.findIndex((timestamp) => timestamp >= time)
    const offset = written.indexOf(found[at] as string)
    const expected = at < 0 ? undefined : { offset, timestamp: timestamps[at] }
    expect([time, firstOffsetSince(log, time)]).toEqual([time, expected])
  }
}

function readAll(log: PartitionLog, from: number, bufferBytes: number): string[] {
  const cursor = new LogCursor(log, from, bufferBytes)
  const values: string[] = []
  for (let at = from, bytes = cursor.read(); bytes.length > 0; at = cursor.offset, bytes = cursor.read()) {
    values.push(...recordsIn(bytes, at).map((record) => record.value))
  }
  return values
}

async function run(flush: FlushPolicy, seed: number, steps: readonly Step[]): Promise<void> {
  const run = new Run(flush, seed)
  await run.open()
  for (const step of steps) await run.take(step)
  await run.take({ do: 'crash', keepUnsynced: flush === 'fsync' ? 'none' : 'all' })
}

describe('a log over crashes, failures and restarts', () => {
  it('holds every record that was acknowledged after an fsync, once and in order, and nothing corrupt', async () => {
    const steps = fc.array(fc.oneof({ weight: 5, arbitrary: harmless }, { weight: 1, arbitrary: harmful }), {
      maxLength: 60,
      size: 'max',
    })
    await fc.assert(
      fc.asyncProperty(fc.nat(), steps, (seed, some) => run('fsync', seed, some)),
      { numRuns: modelRuns(150) },
    )
  })

  it('holds every record that was acknowledged at once, as long as the machine stays up', async () => {
    const restart = fc.record({ do: fc.constant('restart' as const) })
    const steps = fc.array(fc.oneof({ weight: 8, arbitrary: harmless }, { weight: 1, arbitrary: restart }), {
      maxLength: 60,
      size: 'max',
    })
    await fc.assert(
      fc.asyncProperty(fc.nat(), steps, (seed, some) => run('page-cache', seed, some)),
      { numRuns: modelRuns(50) },
    )
  })
})
