import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { ProducerIdentity } from '../../../src/broker/transaction/transaction-step.ts'
import type { Environment } from '../../../src/env/environment.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import { MillraceError } from '../../../src/errors.ts'
import { BatchReader } from '../../../src/record/batch-reader.ts'
import { CrashingDisk } from '../../runtime/crashing-disk.ts'
import { foldedState, liveState } from '../folded-state.ts'
import { produced } from '../log/producing.ts'
import { modelRuns } from '../model-runs.ts'
import { failureOf, worldOn } from '../records.ts'

const topic = 't'
const partitions = [0, 1, 2].map((partition) => ({ topic, partition }))

async function open(environment: Environment, settings: Partial<BrokerSettings> = {}): Promise<Broker> {
  const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
  await broker.createTopics([{ name: topic, partitions: 3 }])
  return broker
}

function append(broker: Broker, partition: number, producer: ProducerIdentity, sequence = 0): number {
  const { producerId, producerEpoch: epoch } = producer
  return broker.append(broker.log(topic, partition), produced({ producerId, epoch, sequence, isTransactional: true }))
}

/** What is on a partition: records as `producer/epoch/sequence`, markers as `commit producer/epoch`. */
function contents(broker: Broker, partition: number): string[] {
  const cursor = new LogCursor(broker.log(topic, partition), 0, 4_096)
  const reader = new BatchReader()
  const found: string[] = []
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    reader.reset(bytes)
    while (reader.nextBatch()) {
      while (reader.next()) {
        const isCommit = reader.isControl && bytes.readInt16BE(reader.keyStart + 2) === 1
        if (!reader.isControl) found.push(bytes.toString('utf8', reader.valueStart, reader.valueEnd))
        else found.push(`${isCommit ? 'commit' : 'abort'} ${reader.producerId}/${reader.producerEpoch}`)
      }
    }
  }
  return found
}

/** Gives what is under way its turns. */
async function until(environment: Environment, isDone: () => boolean): Promise<void> {
  for (let turns = 0; !isDone(); turns++) {
    expect(turns).toBeLessThan(1_000)
    await environment.timers.nextTurn()
  }
}

describe('the transaction coordinator', () => {
  it('writes a marker to each partition of a transaction, and raises the epoch', async () => {
    const broker = await open(worldOn())
    const producer = await broker.transactions.initProducerId({ transactionalId: 'a', timeoutMs: 60_000 })
    const request = { transactionalId: 'a', ...producer }
    await broker.transactions.addPartitions(request, partitions.slice(0, 2))
    append(broker, 0, producer)
    const next = await broker.transactions.end(request, 'commit')
    expect(next).toEqual({ producerId: producer.producerId, producerEpoch: 1 })
    await broker.transactions.settled('a')
    expect([0, 1, 2].map((partition) => contents(broker, partition))).toEqual([
      ['0/0/0', 'commit 0/1'],
      ['commit 0/1'],
      [],
    ])
    expect(broker.log(topic, 0).lastStableOffset).toBe(2)
    expect(broker.transactions.get('a')).toMatchObject({ status: 'CompleteCommit', partitions: [] })
  })

  it("writes markers of its records' time, so that old records and their markers are of one age", async () => {
    const environment = worldOn()
    const broker = await open(environment, { segmentMs: 60_000 })
    const producer = await broker.transactions.initProducerId({ transactionalId: 'a', timeoutMs: 60_000 })
    const request = { transactionalId: 'a', ...producer }
    await broker.transactions.addPartitions(request, partitions.slice(0, 1))
    append(broker, 0, producer)
    await broker.transactions.end(request, 'commit')
    await broker.transactions.settled('a')
    const log = broker.log(topic, 0)
    expect(log.largestTimestamp).toBe(1_000)
    expect(log.segments).toHaveLength(1)
  })

  it('lets nobody write what is not part of an open transaction, so that none is left open', async () => {
    const broker = await open(worldOn())
    const producer = await broker.transactions.initProducerId({ transactionalId: 'a', timeoutMs: 60_000 })
    const request = { transactionalId: 'a', ...producer }
    const early = await failureOf(() => append(broker, 0, producer))
    expect(early).toMatchObject({ code: 'INVALID_TXN_STATE', at: { topic, partition: 0 } })
    await broker.transactions.addPartitions({ ...request, version: 1 }, partitions.slice(0, 1))
    append(broker, 0, producer, 0)
    expect((await failureOf(() => append(broker, 1, producer))).code).toBe('INVALID_TXN_STATE')
    await broker.transactions.end({ ...request, version: 1 }, 'commit')
    await broker.transactions.settled('a')
    // Of version 1 the epoch is still right: only that nothing is open tells.
    expect((await failureOf(() => append(broker, 0, producer, 1))).code).toBe('INVALID_TXN_STATE')
    // A batch that is there already is answered as ever.
    expect(append(broker, 0, producer, 0)).toBe(0)
  })

  it('aborts what is open for too long, and shuts its producer out', async () => {
    const environment = worldOn()
    const broker = await open(environment, { transactionAbortIntervalMs: 1_000 })
    const producer = await broker.transactions.initProducerId({ transactionalId: 'a', timeoutMs: 5_000 })
    const request = { transactionalId: 'a', ...producer }
    await broker.transactions.addPartitions(request, partitions.slice(0, 1))
    append(broker, 0, producer)
    await environment.clock.advanceAsync(4_500)
    expect(broker.transactions.get('a')?.status).toBe('Ongoing')
    await environment.clock.advanceAsync(1_600)
    await until(environment, () => broker.transactions.get('a')?.status === 'CompleteAbort')
    expect(contents(broker, 0)).toEqual(['0/0/0', 'abort 0/1'])
    expect((await failureOf(() => append(broker, 0, producer, 1))).code).toBe('INVALID_PRODUCER_EPOCH')
    expect((await failureOf(() => broker.transactions.end(request, 'commit'))).code).toBe('INVALID_TXN_STATE')
  })

  it('forgets an id that was not used for long', async () => {
    const environment = worldOn()
    const broker = await open(environment, { transactionalIdExpirationMs: 30_000 })
    await broker.transactions.initProducerId({ transactionalId: 'a', timeoutMs: 5_000 })
    await environment.clock.advanceAsync(41_000)
    await until(environment, () => broker.transactions.get('a') === undefined)
    await broker.close()
    expect([...(await open(worldOn(environment.disk))).transactions.entries()]).toEqual([])
  })

  it('writes the markers when there is room again', async () => {
    const environment = worldOn()
    const broker = await open(environment)
    const producer = await broker.transactions.initProducerId({ transactionalId: 'a', timeoutMs: 60_000 })
    const request = { transactionalId: 'a', ...producer }
    await broker.transactions.addPartitions(request, partitions.slice(0, 1))
    append(broker, 0, producer)
    environment.disk.failNext('write', 'ENOSPC', 1, 1)
    await broker.transactions.end(request, 'abort')
    await environment.clock.advanceAsync(1_500)
    await until(environment, () => broker.transactions.get('a')?.status === 'CompleteAbort')
    expect(contents(broker, 0)).toEqual(['0/0/0', 'abort 0/1'])
    expect(broker.log(topic, 0).abortedTransactions(0, 10)).toHaveLength(1)
  })

  it('refuses timeouts and names that are not allowed', async () => {
    const broker = await open(worldOn())
    const init = (transactionalId: string, timeoutMs: number) =>
      failureOf(() => broker.transactions.initProducerId({ transactionalId, timeoutMs }))
    expect((await init('a', 900_001)).code).toBe('INVALID_TRANSACTION_TIMEOUT')
    expect((await init('a', 0)).code).toBe('INVALID_TRANSACTION_TIMEOUT')
    expect((await init('', 1_000)).code).toBe('INVALID_ARGUMENT')
    const nameless = { transactionalId: '', producerId: 1, producerEpoch: 0 }
    const added = failureOf(() => broker.transactions.addPartitions(nameless, [{ topic: 'orders', partition: 0 }]))
    expect((await added).code).toBe('INVALID_ARGUMENT')
  })
})

type Outcome = 'commit' | 'abort' | 'unknown'

/** A producer as clients have them: it starts anew after each failure, and knows of each transaction what it was told. */
class Sender {
  readonly transactionalId: string
  /** By producer and epoch: the partitions that have its records, and how it ended. */
  readonly sent = new Map<string, { readonly partitions: number[]; outcome: Outcome }>()
  #producer: ProducerIdentity | undefined
  #last: ProducerIdentity | undefined

  constructor(transactionalId: string) {
    this.transactionalId = transactionalId
  }

  async start(broker: Broker): Promise<void> {
    const { transactionalId } = this
    for (let attempts = 0; ; attempts++) {
      expect(attempts).toBeLessThan(5)
      await broker.transactions.settled(transactionalId)
      try {
        this.#producer = await broker.transactions.initProducerId({ transactionalId, timeoutMs: 60_000 })
        return
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== 'CONCURRENT_TRANSACTIONS') throw error
      }
    }
  }

  async transact(
    broker: Broker,
    targets: readonly number[],
    outcome: 'commit' | 'abort',
    isLate: boolean,
  ): Promise<void> {
    const producer = this.#producer as ProducerIdentity
    const request = { transactionalId: this.transactionalId, ...producer }
    const transaction = { partitions: [] as number[], outcome: 'unknown' as Outcome }
    await broker.transactions.addPartitions(
      request,
      targets.map((partition) => ({ topic, partition })),
    )
    this.sent.set(`${producer.producerId}/${producer.producerEpoch}`, transaction)
    for (const partition of targets) {
      append(broker, partition, producer)
      transaction.partitions.push(partition)
    }
    if (isLate) await this.#sendLate(broker, targets)
    await Promise.all(targets.map((partition) => broker.log(topic, partition).acknowledged()))
    this.#producer = await broker.transactions.end(request, outcome)
    transaction.outcome = outcome
    this.#last = producer
    await broker.transactions.settled(this.transactionalId)
  }

  /** What the last transaction sent, and the network held back, comes now: it must change nothing. */
  async #sendLate(broker: Broker, targets: readonly number[]): Promise<void> {
    const last = this.#last
    if (last === undefined) return
    const request = { transactionalId: this.transactionalId, ...last }
    for (const outcome of ['commit', 'abort'] as const) {
      const refused = await failureOf(() => broker.transactions.end(request, outcome))
      expect(['PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING']).toContain(refused.code)
    }
    for (const partition of targets) {
      const refused = await failureOf(() => append(broker, partition, last, 1))
      expect(['INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE']).toContain(refused.code)
    }
  }
}

const round = fc.record({
  sender: fc.nat({ max: 1 }),
  targets: fc.subarray([0, 1, 2], { minLength: 1 }),
  outcome: fc.constantFrom('commit' as const, 'abort' as const),
  isLate: fc.boolean(),
})
const life = fc.record({
  operations: fc.noBias(fc.integer({ min: 10, max: 160 })),
  keepUnsynced: fc.constantFrom('none' as const, 'all' as const, 'random' as const),
  rounds: fc.array(round, { minLength: 4, maxLength: 12 }),
})

/** One run of the process, which ends with the power. */
async function live(
  disk: MemoryDisk,
  senders: readonly Sender[],
  life: {
    operations: number
    keepUnsynced: 'none' | 'all' | 'random'
    rounds: readonly { sender: number; targets: number[]; outcome: 'commit' | 'abort'; isLate: boolean }[]
  },
): Promise<MemoryDisk> {
  const crashing = new CrashingDisk(disk, life.operations, life.keepUnsynced)
  try {
    const broker = await open({ ...worldOn(disk), disk: crashing })
    for (const sender of senders) await sender.start(broker)
    await Promise.all(
      senders.map(async (sender, index) => {
        for (const round of life.rounds) {
          if (round.sender === index) await sender.transact(broker, round.targets, round.outcome, round.isLate)
        }
      }),
    )
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'STORAGE_FAILED') {
      if ((error as { code?: string }).code !== 'EIO') throw error
    }
  }
  return crashing.crash()
}

/** Checks what is found after the last crash against what the senders know. */
async function check(disk: MemoryDisk, senders: readonly Sender[]): Promise<void> {
  const broker = await open(worldOn(disk))
  for (const sender of senders) await sender.start(broker)
  const found = [0, 1, 2].map((partition) => contents(broker, partition))
  for (const [partition, lines] of found.entries()) {
    const log = broker.log(topic, partition)
    expect(log.lastStableOffset).toBe(log.logEndOffset)
    // No marker is written twice.
    const markers = lines.filter((line) => line.includes(' '))
    expect(new Set(markers).size).toBe(markers.length)
  }
  for (const sender of senders) {
    for (const [name, { partitions, outcome }] of sender.sent) {
      const endings = partitions.map((partition) => endingOf(found[partition] as string[], name))
      if (outcome !== 'unknown') expect(endings).toEqual(partitions.map(() => outcome))
      const seen = new Set(endings.map((ending) => ending === 'commit'))
      expect(seen.size).toBeLessThanOrEqual(1)
    }
  }
  expect(liveState(broker)).toEqual(foldedState(broker))
}

/** How the transaction of a producer and epoch ended in a partition; undefined where it has no records there. */
function endingOf(lines: readonly string[], name: string): string | undefined {
  const [producerId, epoch] = name.split('/').map(Number)
  const at = lines.findIndex((line) => line.startsWith(`${name}/`))
  if (at < 0) return undefined
  const marker = lines.slice(at).find((line) => line.endsWith(` ${producerId}/${(epoch as number) + 1}`))
  return marker?.split(' ')[0]
}

describe('transactions over power failures at any step', () => {
  it('end whole, as was acknowledged, with one marker in each partition; what comes late changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(life, { minLength: 1, maxLength: 4 }), async (seed, lives) => {
        const senders = [new Sender('a'), new Sender('b')]
        let disk = new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) })
        for (const life of lives) disk = await live(disk, senders, life)
        await check(disk, senders)
      }),
      { numRuns: modelRuns(60) },
    )
  })
})
