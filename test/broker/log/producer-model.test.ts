import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBroker } from '../../../src/broker/broker.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { ProducerStates } from '../../../src/broker/log/producer-states.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import { MillraceError } from '../../../src/errors.ts'
import { batchSize } from '../../../src/record/batch-format.ts'
import { BatchReader } from '../../../src/record/batch-reader.ts'
import { outcomeOf } from '../../../src/record/control-record.ts'
import { modelRuns } from '../model-runs.ts'
import { worldOn } from '../records.ts'
import { marked, produced } from './producing.ts'

type Step =
  | { readonly do: 'send'; readonly producer: number; readonly records: number; readonly isTransactional: boolean }
  | { readonly do: 'resend'; readonly producer: number; readonly back: number }
  | { readonly do: 'mark'; readonly producer: number; readonly outcome: 'commit' | 'abort'; readonly bumps: boolean }
  | { readonly do: 'flush' | 'checkpoint' | 'reopen' }
  | { readonly do: 'crash'; readonly keepUnsynced: 'none' | 'all' | 'random' }

const producer = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      producer,
      records: fc.integer({ min: 1, max: 4 }),
      isTransactional: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resend' as const), producer, back: fc.nat({ max: 6 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('mark' as const),
      producer,
      outcome: fc.constantFrom('commit' as const, 'abort' as const),
      bumps: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'checkpoint' as const, 'reopen' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      keepUnsynced: fc.constantFrom('none' as const, 'all' as const, 'random' as const),
    }),
  },
)

interface Sender {
  readonly producerId: number
  epoch: number
  sequence: number
  /** The batches of this epoch, with their offsets. */
  sent: [batch: Buffer, offset: number][]
}

const settings = { segmentBytes: 700, indexIntervalBytes: 200 }

/** Three producers and a coordinator that writes their markers, on a log whose machine fails. */
class Run {
  #environment: ReturnType<typeof worldOn>
  #log!: PartitionLog
  #close: () => Promise<void> = async () => {}
  readonly #producers = [0, 1, 2].map((producerId): Sender => ({ producerId, epoch: 0, sequence: 0, sent: [] }))

  constructor(seed: number) {
    this.#environment = worldOn(new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) }))
  }

  async open(): Promise<void> {
    const broker = await openBroker({ directory: 'data', environment: this.#environment, flush: 'fsync', settings })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    this.#log = broker.log('t', 0)
    this.#close = () => broker.close()
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'send') this.#send(step.producer, step.records, step.isTransactional)
    else if (step.do === 'resend') this.#resend(step.producer, step.back)
    else if (step.do === 'mark') this.#mark(step.producer, step.outcome, step.bumps)
    else if (step.do === 'flush') await this.#log.flushed()
    else if (step.do === 'checkpoint') await this.#environment.clock.advanceAsync(5_000)
    else if (step.do === 'crash') await this.#crash(step.keepUnsynced)
    else await this.#reopen()
    if (this.#log.highWatermark === this.#log.logEndOffset) this.check()
  }

  /** What is known of producers is what the log says, whatever way it came to be known. */
  check(): void {
    const log = this.#log
    const batches = batchesOf(log)
    const fresh = new ProducerStates({
      clock: this.#environment.clock,
      expirationMs: 1e12,
      maxProducers: 10,
      place: {},
    })
    for (const batch of batches) fresh.apply(batch, 0)
    const live = [...log.producers.entries()].map(comparable).sort((a, b) => a.producerId - b.producerId)
    expect(live).toEqual([...fresh.entries()].map(comparable).sort((a, b) => a.producerId - b.producerId))
    const { stable, aborted } = decided(batches)
    expect(log.lastStableOffset).toBe(stable ?? log.highWatermark)
    const found = log.abortedTransactions(0, log.logEndOffset)
    expect(found.map(({ producerId, firstOffset, lastOffset }) => [producerId, firstOffset, lastOffset])).toEqual(
      aborted,
    )
  }

  #send(index: number, records: number, isTransactional: boolean): void {
    const producer = this.#producers[index] as Sender
    const { producerId, epoch, sequence } = producer
    const batch = produced({ producerId, epoch, sequence, records, isTransactional })
    const copy = Buffer.from(batch)
    try {
      producer.sent.push([copy, this.#log.append(batch)])
      producer.sequence += records
    } catch (error) {
      expect((error as MillraceError).code).toBe('INVALID_TXN_STATE')
      expect(this.#log.producers.get(producerId)?.hasOpenTransaction && !isTransactional).toBe(true)
    }
  }

  #resend(index: number, back: number): void {
    const sent = this.#producers[index]?.sent.at(-1 - back)
    if (sent === undefined) return
    const end = this.#log.logEndOffset
    try {
      expect(this.#log.append(Buffer.from(sent[0]))).toBe(sent[1])
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      expect(error.code).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    }
    expect(this.#log.logEndOffset).toBe(end)
  }

  #mark(index: number, outcome: 'commit' | 'abort', bumps: boolean): void {
    const producer = this.#producers[index] as Sender
    if (bumps) {
      producer.epoch++
      producer.sequence = 0
      producer.sent = []
    }
    this.#log.append(marked(outcome, producer.producerId, producer.epoch), 'coordinator')
  }

  async #reopen(): Promise<void> {
    await this.#close()
    await this.open()
    // Of a producer's batches only the last is in a snapshot.
    for (const producer of this.#producers) producer.sent = producer.sent.slice(-1)
  }

  /** Producers go on where the log is, as one does that asks for a new epoch. */
  async #crash(keepUnsynced: 'none' | 'all' | 'random'): Promise<void> {
    this.#environment = worldOn(this.#environment.disk.crash({ keepUnsynced }))
    await this.open()
    for (const producer of this.#producers) {
      producer.epoch += 1
      producer.sequence = 0
      producer.sent = []
    }
    await this.#log.flushed()
    this.check()
  }
}

function batchesOf(log: PartitionLog): Buffer[] {
  const cursor = new LogCursor(log, 0, 4_096)
  const batches: Buffer[] = []
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    for (let start = 0; start < bytes.length; start += batchSize(bytes, start)) {
      batches.push(Buffer.from(bytes.subarray(start, start + batchSize(bytes, start))))
    }
  }
  return batches
}

function comparable(entry: { readonly producerId: number; readonly batches: readonly unknown[] }) {
  return { ...entry, seenMs: 0, batches: entry.batches.slice(-1) }
}

/** The oracle: a plain walk over the log, without sequence numbers, snapshots or indexes. */
function decided(batches: readonly Buffer[]): { stable: number | undefined; aborted: number[][] } {
  const open = new Map<number, number>()
  const aborted: number[][] = []
  const reader = new BatchReader()
  for (const batch of batches) {
    reader.reset(batch)
    reader.nextBatch()
    const { producerId, baseOffset } = reader
    const first = open.get(producerId)
    if (!reader.isControl) {
      if (reader.isTransactional && first === undefined) open.set(producerId, baseOffset)
      continue
    }
    reader.next()
    if (first !== undefined && outcomeOf(reader) === 'abort') aborted.push([producerId, first, baseOffset])
    open.delete(producerId)
  }
  return { stable: [...open.values()].sort((a, b) => a - b)[0], aborted }
}

describe('what a partition knows of producers', () => {
  it('is what its log says, over retries, markers, crashes and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 80, size: 'max' }), async (seed, steps) => {
        const run = new Run(seed)
        await run.open()
        for (const step of steps) await run.take(step)
        await run.take({ do: 'flush' })
      }),
      { numRuns: modelRuns(60) },
    )
  })
})
