import type { Broker } from '../../../src/broker/broker.ts'
import { offsetsTopic } from '../../../src/broker/topics.ts'
import { isPrepared } from '../../../src/broker/transaction/transaction.ts'
import type { ProducerIdentity } from '../../../src/broker/transaction/transaction-step.ts'
import { MillraceError } from '../../../src/errors.ts'
import { committedRecordsIn } from '../committed-records.ts'
import { batchOfRecords } from '../records.ts'
import { keyAt, requireThat } from './plain-partition.ts'
import type { Stage } from './stage.ts'
import { otherTopic } from './staged-groups.ts'

/**
 * Whether readers of committed records may see it: what was never asked to be committed, or was aborted, may not; what was
 * asked for and not answered is there whole or not at all.
 */
type Fate = 'never' | 'all or nothing' | 'there'

interface StagedTransaction {
  readonly id: string
  readonly producer: ProducerIdentity | undefined
  /** By topic: how many records of it were sent. */
  readonly sequences: Map<string, number>
  /** Whether the broker was told of it. */
  isBegun: boolean
  /** Whether every step of it has succeeded so far: its producer does not commit what is not whole. */
  isWhole: boolean
  /** The offset that it commits for the group of its id. */
  offset: number | undefined
  fate: Fate
}

interface SentRecord {
  readonly key: string
  readonly value: string
  readonly transaction: StagedTransaction
}

/** The longest that a producer waits for markers; on a full disk they are tried again every second. */
const longestWaitSeconds = 60

/** Transactional producers on a stage, as clients have them: they start anew after a failure. */
export class StagedTransactions {
  readonly #stage: Stage
  readonly #all: StagedTransaction[] = []
  readonly #open = new Map<string, StagedTransaction>()
  readonly #producers = new Map<string, ProducerIdentity>()
  /** By topic, in the order in which they were appended. */
  readonly #sent = new Map<string, SentRecord[]>()

  constructor(stage: Stage) {
    this.#stage = stage
  }

  async begin(id: string): Promise<void> {
    if (this.#open.has(id)) return
    const producer = this.#producers.get(id) ?? (await this.#start(id))
    const isWhole = producer !== undefined
    const transaction = {
      id,
      producer,
      isBegun: false,
      isWhole,
      sequences: new Map(),
      offset: undefined,
      fate: 'never' as const,
    }
    this.#all.push(transaction)
    this.#open.set(id, transaction)
  }

  /** Sends some records to a topic in one batch. */
  async send(id: string, topic: string, records: number): Promise<void> {
    await this.#inTransaction(id, async (broker, transaction, producer) => {
      const transactionalId = id
      await broker.transactions.addPartitions({ transactionalId, ...producer }, [{ topic, partition: 0 }])
      const log = broker.log(topic, 0)
      const sent = this.#sent.get(topic) ?? []
      const batch = Array.from({ length: records }, (_, i) => {
        const key = keyAt(sent.length + i)
        return { key, value: `${topic} ${sent.length + i} of ${id}`, transaction }
      })
      const baseSequence = transaction.sequences.get(topic) ?? 0
      broker.append(log, batchOfRecords(batch, {}, { ...producer, baseSequence, isTransactional: true }))
      transaction.sequences.set(topic, baseSequence + records)
      this.#sent.set(topic, [...sent, ...batch])
    })
  }

  /** Commits an offset for the group that has the name of the id, in its transaction. */
  async commitOffset(id: string, offset: number): Promise<void> {
    await this.#inTransaction(id, async (broker, transaction, producer) => {
      const partition = await broker.offsets.partitionFor(id)
      const added = [{ topic: offsetsTopic, partition }]
      await broker.transactions.addPartitions({ transactionalId: id, ...producer }, added)
      await broker.offsets.commit(id, [{ topic: otherTopic, partition: 0, offset, metadata: '' }], producer)
      transaction.offset = offset
    })
  }

  /** Ends the transaction: only one that is whole is committed. Resolves with whether it was ended so. */
  async end(id: string, outcome: 'commit' | 'abort'): Promise<boolean> {
    const transaction = this.#open.get(id)
    this.#open.delete(id)
    const { broker } = this.#stage
    if (transaction?.producer === undefined || !transaction.isBegun) return false
    if (broker === undefined) {
      // Nobody has answered, so the transaction may be open still; with the same epoch its sequence numbers would go on.
      this.#producers.delete(id)
      return false
    }
    const topics = [...transaction.sequences.keys()]
    const isWhole =
      transaction.isWhole &&
      (await this.#stage.attempt(() => Promise.all(topics.map((topic) => broker.log(topic, 0).acknowledged()))))
    const asked = isWhole ? outcome : 'abort'
    if (asked === 'commit') transaction.fate = 'all or nothing'
    const request = { transactionalId: id, ...transaction.producer }
    // What failed may not have begun at the broker, which then takes its end for one of nobody: as in Kafka, the producer starts anew.
    const orFenced = isWhole ? rethrow : orUndefined('PRODUCER_FENCED')
    let next: ProducerIdentity | undefined
    const isAnswered = await this.#stage.attempt(async () => {
      next = await broker.transactions.end(request, asked).catch(orFenced)
    })
    const isEnded = isAnswered && next !== undefined
    if (next === undefined) this.#producers.delete(id)
    else this.#producers.set(id, next)
    if (isEnded && asked === 'commit') transaction.fate = 'there'
    await this.#settle(id)
    return isEnded && asked === outcome
  }

  /** What was sent and not acknowledged yet may be lost: what is open is not whole any more. */
  interrupt(): void {
    for (const transaction of this.#open.values()) transaction.isWhole = false
  }

  /** Leaves the transaction as it is, as a producer that is gone. */
  abandon(id: string): void {
    this.#open.delete(id)
    this.#producers.delete(id)
  }

  /** Requires what readers of committed records must see, and nothing else, after all producers were started anew. */
  async requireIn(broker: Broker): Promise<void> {
    for (const id of new Set(this.#all.map((transaction) => transaction.id))) {
      await this.#settle(id)
      this.#producers.delete(id)
      requireThat((await this.#start(id)) !== undefined, `the producer '${id}' cannot be started anew`)
    }
    this.#decide(broker)
    for (const topic of this.#sent.keys()) {
      const log = broker.log(topic, 0)
      const { lastStableOffset, logEndOffset } = log
      requireThat(lastStableOffset === logEndOffset, `${topic} is undecided from ${lastStableOffset} on`)
      this.#requireRecords(topic, valuesOf(broker, topic), broker.topics.get(topic)?.config['cleanup.policy'])
    }
    for (const id of new Set(this.#all.map((transaction) => transaction.id))) {
      const last = this.#all.findLast((one) => one.id === id && one.fate === 'there' && one.offset !== undefined)
      const found = broker.offsets.committed(id, otherTopic, 0)?.offset
      requireThat(found === last?.offset, `the group '${id}' is at ${found}, not ${last?.offset}`)
    }
  }

  /** Requires that nothing is served that was not committed, or is missing, unless the log says that something is. */
  requireUnharmedIn(broker: Broker, isTold: boolean): void {
    for (const [topic, sent] of this.#sent) {
      if (broker.topics.get(topic) === undefined) continue
      let found: string[]
      try {
        found = valuesOf(broker, topic)
      } catch (error) {
        if (error instanceof MillraceError) continue
        throw error
      }
      const committed = sent.filter(({ transaction }) => transaction.fate === 'there').map(({ value }) => value)
      const strangers = found.filter((value) => !committed.includes(value))
      requireThat(strangers.length === 0, `readers of committed records see '${strangers[0]}'`)
      const isWhole = found.length === committed.length
      requireThat(
        isTold || isWhole,
        `${found.length} of ${committed.length} of ${topic} are there, and nothing was said`,
      )
    }
  }

  /** Does a step of an open transaction that has not failed yet. */
  async #inTransaction(
    id: string,
    step: (broker: Broker, transaction: StagedTransaction, producer: ProducerIdentity) => Promise<void>,
  ): Promise<void> {
    const transaction = this.#open.get(id)
    const { broker } = this.#stage
    if (transaction === undefined || !transaction.isWhole) return
    transaction.isBegun = true
    const { producer } = transaction
    transaction.isWhole =
      broker !== undefined &&
      producer !== undefined &&
      (await this.#stage.attempt(() => step(broker, transaction, producer)))
  }

  /** Starts the producer anew, which aborts what it left open; undefined where the disk does not let it. */
  async #start(id: string): Promise<ProducerIdentity | undefined> {
    let producer: ProducerIdentity | undefined
    for (let attempts = 0; attempts < 10 && producer === undefined; attempts++) {
      await this.#settle(id)
      const isAnswered = await this.#stage.attempt(async () => {
        producer = await this.#stage.broker?.transactions
          .initProducerId({ transactionalId: id, timeoutMs: 600_000 })
          .catch(orUndefined('CONCURRENT_TRANSACTIONS'))
      })
      if (!isAnswered || this.#stage.broker === undefined) return undefined
    }
    if (producer !== undefined) this.#producers.set(id, producer)
    return producer
  }

  /** Waits until no transaction of the id is being ended, as far as the disk lets it. */
  async #settle(id: string): Promise<void> {
    for (let seconds = 0; seconds < longestWaitSeconds && !this.#stage.hasFailed; seconds++) {
      const state = this.#stage.broker?.transactions.get(id)
      if (state === undefined || !isPrepared(state)) return
      await this.#stage.wait(1_000)
    }
  }

  /**
   * What nobody was told of is decided by what is there: by any of its records, or by its offset where it has none, and all else
   * must follow.
   */
  #decide(broker: Broker): void {
    const found = new Set([...this.#sent.keys()].flatMap((topic) => valuesOf(broker, topic)))
    for (const transaction of this.#all) {
      if (transaction.fate !== 'all or nothing') continue
      const { id, offset } = transaction
      const records = [...this.#sent.values()].flat().filter((one) => one.transaction === transaction)
      const isThere =
        records.length > 0
          ? records.some(({ value }) => found.has(value))
          : offset !== undefined && broker.offsets.committed(id, otherTopic, 0)?.offset === offset
      transaction.fate = isThere ? 'there' : 'never'
    }
  }

  #requireRecords(topic: string, found: readonly string[], cleanupPolicy: string | undefined): void {
    const due = (this.#sent.get(topic) ?? []).filter(({ transaction }) => transaction.fate === 'there')
    const lastOfKey = new Map(due.map(({ key, value }) => [key, value]))
    const isKept = ({ key, value }: SentRecord) =>
      cleanupPolicy !== 'compact' || found.includes(value) || lastOfKey.get(key) === value
    const expected = due.filter(isKept).map(({ value }) => value)
    const isSame = expected.length === found.length && expected.every((value, i) => value === found[i])
    requireThat(isSame, `readers of committed records see of ${topic} ${found.join()}, not ${expected.join()}`)
  }
}

function valuesOf(broker: Broker, topic: string): string[] {
  return committedRecordsIn(broker.log(topic, 0), 500).map(({ value }) => value)
}

function rethrow(error: unknown): never {
  throw error
}

function orUndefined(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof MillraceError && error.code === code) return undefined
    throw error
  }
}
