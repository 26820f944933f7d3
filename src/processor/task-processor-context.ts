import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { StoreWriter, TypedStore } from '../stores/typed-store.ts'
import { FlowRecord } from '../topology/flow-record.ts'
import type { DropReason, PunctuationType, ProcessorContext as StepContext } from '../topology/processor.ts'
import { refusePromise } from '../topology/refuse-promise.ts'
import type { ProcessorContext, RecordMetadata, ScheduleOptions } from './processor.ts'
import { FixedKeyRecord, type ForwardableRecord } from './processor-record.ts'

/** A record of either kind of processors. */
export type AnyRecord = ForwardableRecord<unknown, unknown>

/** What a processor may hand on. */
export type Forwards = 'anything' | 'fixed-keys' | 'nothing'

/**
 * What a user's processor is given of its task. Users see records that do not change; what they hand on is put into a
 * travelling record of the processor's own, which its children get.
 */
export class TaskProcessorContext implements ProcessorContext<unknown, unknown> {
  readonly #step: StepContext
  readonly #forwards: Forwards
  readonly #writer: StoreWriter
  /** What the processor handles its stores with, by their names. */
  readonly #stores = new Map<string, unknown>()
  readonly #readOnlyStores = new Map<string, unknown>()
  readonly #outgoing = new FlowRecord()
  /** The record at hand and how the processor sees it; undefined where there is none. */
  #incoming: FlowRecord | undefined
  #given: AnyRecord | undefined
  /** The time of the punctuation that runs; undefined where none does. */
  #punctuatedAt: number | undefined

  constructor(step: StepContext, forwards: Forwards) {
    this.#step = step
    this.#forwards = forwards
    this.#writer = {
      timestamp: () => this.#incoming?.timestamp ?? this.#punctuatedAt ?? Math.max(step.task.streamTimeMs, 0),
      expired: () => step.drop('late'),
    }
  }

  get applicationId(): string {
    return this.#step.task.applicationId
  }

  get taskId(): string {
    return this.#step.taskId
  }

  get recordMetadata(): RecordMetadata | undefined {
    const record = this.#incoming
    if (record === undefined || record.offset < 0) return undefined
    return { topic: record.topic, partition: record.partition, offset: record.offset }
  }

  get currentStreamTimeMs(): number {
    return this.#step.task.streamTimeMs
  }

  get currentSystemTimeMs(): number {
    return this.#step.task.wallClockMs()
  }

  store<S, R>(store: TypedStore<S, R>): S {
    let opened = this.#stores.get(store.name) as S | undefined
    if (opened === undefined) {
      if (!this.#step.mayWrite(store.name)) throw onlyReads(this.#step.name, store.name)
      opened = store.open(this.#step.store(store.name), this.#writer)
      this.#stores.set(store.name, opened)
    }
    return opened
  }

  readOnlyStore<S, R>(store: TypedStore<S, R>): R {
    let opened = this.#readOnlyStores.get(store.name) as R | undefined
    if (opened === undefined) {
      const { task } = this.#step
      opened = store.openReadOnly(task.globalStore(store.name) ?? this.#step.store(store.name))
      this.#readOnlyStores.set(store.name, opened)
    }
    return opened
  }

  schedule(
    interval: Duration,
    type: PunctuationType,
    punctuator: (timestamp: number) => void,
    options: ScheduleOptions = {},
  ): () => void {
    const { name, task } = this.#step
    const intervalMs = toMilliseconds(interval, 'interval')
    if (intervalMs < 1) throw badSchedule(name, `An interval of ${intervalMs} ms`, 'Give at least one millisecond.')
    const firstAt = firstCall(intervalMs, type, options.startAt, task.wallClockMs())
    if (!Number.isFinite(firstAt))
      throw badSchedule(name, `A start at ${options.startAt}`, 'Give milliseconds since 1970.')
    const punctuate = (timestamp: number) => this.#punctuate(punctuator, timestamp)
    return task.schedule({ type, operator: name, intervalMs, punctuate }, firstAt)
  }

  commit(): void {
    this.#step.task.requestCommit()
  }

  drop(reason: DropReason): void {
    this.#step.drop(reason)
  }

  forward(record: AnyRecord, child?: string): void {
    const { name } = this.#step
    const to = child === undefined ? this.#step.output : this.#step.outputTo(child)
    this.#load(record)
    const outgoing = this.#outgoing
    try {
      to.process(outgoing)
    } catch (error) {
      // The task looks at the record that it processes to say where a failure happened.
      if (this.#incoming !== undefined) this.#incoming.operator = outgoing.operator
      throw error
    }
    if (this.#incoming !== undefined) this.#incoming.operator = name
  }

  /** Runs the processor on a record that travels, shown to it as `given`. */
  run<R extends AnyRecord>(incoming: FlowRecord, given: R, process: (record: R) => void): void {
    this.#incoming = incoming
    this.#given = given
    process(given)
    this.#incoming = undefined
    this.#given = undefined
  }

  #punctuate(punctuator: (timestamp: number) => void, timestamp: number): void {
    this.#incoming = undefined
    this.#punctuatedAt = timestamp
    const returned: unknown = punctuator(timestamp)
    if (returned !== undefined) refusePromise(returned, this.#step.name)
    this.#punctuatedAt = undefined
  }

  /** Puts a record into the outgoing one, in whose parts that are as they came the bytes are kept. */
  #load(record: AnyRecord): void {
    const incoming = this.#incoming
    const outgoing = this.#outgoing
    const given = this.#given
    const { name } = this.#step
    const { timestamp, headers } = record
    if (this.#forwards === 'nothing') throw nothingToForward(name)
    if (this.#forwards === 'fixed-keys' && !(record instanceof FixedKeyRecord)) throw notGiven(name)
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw badTimestamp(name, timestamp)
    if (incoming === undefined) {
      if (this.#punctuatedAt === undefined) throw notNow(name)
      outgoing.topic = ''
      outgoing.partition = -1
      outgoing.offset = -1
    } else outgoing.takeOrigin(incoming)
    // Nobody changes keys in place, but values that are objects may have been changed: only others keep their bytes.
    if (incoming !== undefined && record.key === given?.key) outgoing.takeKey(incoming)
    else outgoing.setKey(record.key)
    if (incoming !== undefined && record.value === given?.value && isUnchangeable(record.value))
      outgoing.takeValue(incoming)
    else outgoing.setValue(record.value)
    if (incoming !== undefined && headers === given?.headers) outgoing.takeHeaders(incoming)
    else outgoing.setHeaders(headers ?? [])
    outgoing.timestamp = timestamp
    outgoing.operator = name
  }
}

function isUnchangeable(part: unknown): boolean {
  return typeof part !== 'object' && typeof part !== 'function'
}

/** When a punctuation is called for the first time, at the earliest. */
function firstCall(
  intervalMs: number,
  type: PunctuationType,
  startAt: number | undefined,
  wallClockMs: number,
): number {
  if (type === 'stream-time') return startAt ?? 0
  if (startAt === undefined) return wallClockMs + intervalMs
  return startAt > wallClockMs ? startAt : startAt + (Math.floor((wallClockMs - startAt) / intervalMs) + 1) * intervalMs
}

function onlyReads(operator: string, store: string): MillraceError {
  return new MillraceError(
    'INVALID_TOPOLOGY',
    `The store '${store}' is filled from a topic: the processor only reads it`,
    {
      at: { operator },
      remedy: 'Call context.readOnlyStore(store).',
    },
  )
}

function badSchedule(operator: string, what: string, remedy: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `${what} is none that a punctuation can have`, {
    at: { operator },
    remedy,
  })
}

function badTimestamp(operator: string, timestamp: unknown): MillraceError {
  return new MillraceError('INVALID_TIMESTAMP', `A record with the timestamp ${timestamp} was forwarded`, {
    at: { operator },
    remedy: 'Give whole milliseconds since 1970, not negative.',
  })
}

function notNow(operator: string): MillraceError {
  return new MillraceError(
    'INVALID_ARGUMENT',
    'A record was forwarded while the processor had none and no punctuation ran',
    {
      at: { operator },
      remedy:
        'Forward in process() or in a punctuation, before they return: not in init() or close(), nor after an await.',
    },
  )
}

function nothingToForward(operator: string): MillraceError {
  return new MillraceError(
    'INVALID_ARGUMENT',
    'A record was forwarded by what only makes values for the rows of a table',
    {
      at: { operator },
      remedy: 'Return the value, or use process() on the stream of updates.',
    },
  )
}

function notGiven(operator: string): MillraceError {
  return new MillraceError(
    'INVALID_ARGUMENT',
    'A record was forwarded that may have another key than the one at hand',
    {
      at: { operator },
      remedy: "Forward what the record's own withValue, withTimestamp and withHeaders make, or use process().",
    },
  )
}
