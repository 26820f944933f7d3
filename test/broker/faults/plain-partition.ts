import { isDeepStrictEqual } from 'node:util'
import type { Broker } from '../../../src/broker/broker.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { MillraceError } from '../../../src/errors.ts'
import { batchOfRecords, recordsIn } from '../records.ts'

const keyCount = 7
export const recordsPerBatch = 3

export function keyAt(offset: number): string {
  return `key ${offset % keyCount}`
}

export function requireThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

export interface PlainPartitionOptions {
  /** Whether of each key only the last record must be there. */
  readonly isCompacted?: boolean
  /** The time of a record by its offset. Default: 1000 for all. */
  readonly timestampAt?: (offset: number) => number
}

/** What a partition with one idempotent producer must hold at least, and what it may hold. */
export class PlainPartition {
  readonly topic: string
  /** Everything that was appended or may have been, in order. */
  readonly sent: string[] = []
  acknowledged = 0
  /** Up to where it was deleted, or may have been. */
  deleted = 0
  readonly isCompacted: boolean
  readonly #timestampAt: (offset: number) => number

  constructor(topic: string, options: PlainPartitionOptions = {}) {
    this.topic = topic
    this.isCompacted = options.isCompacted ?? false
    this.#timestampAt = options.timestampAt ?? (() => 1_000)
  }

  /** Appends the next batch; throws what the log throws. */
  append(log: PartitionLog): void {
    const from = this.sent.length
    const values = Array.from({ length: recordsPerBatch }, (_, i) => `${this.topic} ${from + i} ${'x'.repeat(20)}`)
    try {
      log.append(this.#batch(from, values))
      this.sent.push(...values)
    } catch (error) {
      // A write that failed and could not be undone may be found later, or a part of it.
      if (error instanceof MillraceError && error.code === 'STORAGE_FAILED') this.sent.push(...values)
      throw error
    }
  }

  /** What is older than the retention at the time may be gone from now on. */
  mayHaveAged(retentionMs: number, nowMs: number): void {
    while (this.deleted < this.sent.length && nowMs - this.#timestampAt(this.deleted) > retentionMs) this.deleted++
  }

  /** What the last process was not sure of is decided: it is in the log, or it never will be. */
  settle(broker: Broker): void {
    this.requireIn(broker)
    this.sent.length = broker.log(this.topic, 0).logEndOffset
  }

  /** Requires all that must be there, in order, and nothing else. */
  requireIn(broker: Broker): void {
    const { topic, deleted, acknowledged, sent } = this
    const log = broker.log(topic, 0)
    requireThat(log.logStartOffset <= deleted, `${topic} begins at ${log.logStartOffset}, not at ${deleted}`)
    requireThat(log.logEndOffset >= acknowledged, `${topic} ends at ${log.logEndOffset}, not ${acknowledged}`)
    let due = log.logStartOffset
    const lastOfKey = new Map<string, number>()
    for (const { offset, value } of recordsOf(log)) {
      const isDue = this.isCompacted ? offset >= due : offset === due
      requireThat(isDue && value === sent[offset], `'${value}' is at ${offset}, not '${sent[due]}'`)
      lastOfKey.set(keyAt(offset), offset)
      due = offset + 1
    }
    if (!this.isCompacted) requireThat(due === log.logEndOffset, `${due} of ${log.logEndOffset} of ${topic} were read`)
    for (let offset = 0; this.isCompacted && offset < acknowledged; offset++) {
      const last = lastOfKey.get(keyAt(offset)) ?? -1
      requireThat(last >= offset, `${keyAt(offset)} was written at ${offset}, and what is left of it is at ${last}`)
    }
  }

  /** Requires that the producer's last batch is known when it is sent again, and that the next one is taken. */
  requireProducer(broker: Broker): void {
    const log = broker.log(this.topic, 0)
    const end = log.logEndOffset
    const last = end - recordsPerBatch
    if (last >= log.logStartOffset) {
      const offset = log.append(this.#batch(last, this.sent.slice(last, end)))
      requireThat(offset === last && log.logEndOffset === end, `the last batch of ${this.topic} was written again`)
    }
    this.sent.length = end
    this.append(log)
  }

  /** The same of a log of which something may be missing, as long as that is told. */
  requireUnharmedIn(broker: Broker, isTold: boolean): void {
    const log = broker.log(this.topic, 0)
    let due = log.logStartOffset
    try {
      for (const { offset, value } of recordsOf(log)) {
        const isRight = value === this.sent[offset]
        requireThat(isRight, `'${value}' is at ${offset}, not '${this.sent[offset]}'`)
        due = offset + 1
      }
    } catch (error) {
      if (error instanceof MillraceError) return
      throw error
    }
    const isWhole = isTold || due >= this.acknowledged
    requireThat(isWhole, `${this.topic} ends at ${due}, not ${this.acknowledged}, and nothing was said`)
  }

  #batch(from: number, values: readonly string[]): Buffer {
    const records = values.map((value, i) => {
      return { key: keyAt(from + i), value, timestamp: this.#timestampAt(from + i) }
    })
    return batchOfRecords(records, {}, { producerId: 7, producerEpoch: 0, baseSequence: from })
  }
}

function* recordsOf(log: PartitionLog) {
  const cursor = new LogCursor(log, log.logStartOffset, 500)
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) yield* recordsIn(bytes, log.logStartOffset)
}

/** A value that is written again and again: what is found must be the last that was acknowledged, or one that was written after it. */
export class Register<T> {
  readonly #written: T[]
  #acknowledged = 0

  constructor(initial: T) {
    this.#written = [initial]
  }

  async write(value: T, attempt: () => Promise<boolean>): Promise<void> {
    const index = this.#written.push(value) - 1
    if (await attempt()) this.#acknowledged = index
  }

  /** It may have become this by itself. */
  mayBecome(value: T): void {
    this.#written.push(value)
  }

  /** Requires that it is what it may be; from then on it is that. */
  settle(found: T, what: string): void {
    const allowed = this.#written.slice(this.#acknowledged)
    const at = allowed.findIndex((value) => isDeepStrictEqual(value, found))
    requireThat(at >= 0, `${what} is ${JSON.stringify(found)}, not one of ${JSON.stringify(allowed)}`)
    this.#written.push(found)
    this.#acknowledged = this.#written.length - 1
  }
}
