import type { KeyLookup } from '../../record/keys-ahead.ts'
import { type BufferedEntry, GraceBuffer } from '../../state/grace-buffer.ts'
import { FlowRecord, type SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext, StreamTime } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import { emptySavedValue } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'
import type { ValueGetter, ValueGetterFactory } from './value-getter.ts'

export interface StreamTableJoinOptions {
  /** Makes a value of a record's and the table's; in a left join the table's may be null. */
  readonly joiner: (value: unknown, tableValue: unknown, key: unknown) => unknown
  readonly table: ValueGetterFactory
  /** A left join hands on also what has no row in the table, and records without a key. */
  readonly isLeft: boolean
  /** Where records wait for late updates of the table. */
  readonly grace: GraceOptions | undefined
}

export interface GraceOptions {
  /** The name of a GraceBuffer. */
  readonly store: string
  readonly graceMs: number
}

/**
 * Looks each record's key up in a table, and hands on what the joiner makes of both values: with the table as it is at that
 * moment, or, where it keeps versions, with the one that held at the record's time. Updates of the table hand on nothing.
 * Records without a value are dropped and counted; so are those without a key, but not in a left join. With a grace period
 * records wait in a buffer until one comes that is so much later; a record that is itself later than that is joined at once.
 * After Kafka Streams' KStreamKTableJoin.
 */
export function streamTableJoin(options: StreamTableJoinOptions): () => Processor {
  const { grace } = options
  return grace === undefined ? () => new StreamTableJoin(options) : () => new GraceJoin(options, grace)
}

class StreamTableJoin implements Processor {
  readonly #options: StreamTableJoinOptions
  readonly #isLeft: boolean
  readonly #readsKey: boolean
  readonly #saved: SavedValue = emptySavedValue()
  #context!: ProcessorContext
  #name = ''
  #output!: Processor
  #table!: ValueGetter

  constructor(options: StreamTableJoinOptions) {
    this.#options = options
    this.#isLeft = options.isLeft
    this.#readsKey = takesParameter(options.joiner, 2)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.output
    this.#table = this.#options.table(context)
  }

  get keyLookup(): KeyLookup | undefined {
    return this.#table.keyLookup
  }

  process(record: FlowRecord): void {
    if (this.isJoined(record)) this.join(record)
  }

  /** False for records that are dropped, and counts them. */
  protected isJoined(record: FlowRecord): boolean {
    if (record.hasValue && (record.hasKey || this.#isLeft)) return true
    this.#context.drop(record.hasValue ? 'null-key' : 'null-value')
    return false
  }

  protected join(record: FlowRecord): void {
    const tableValue = record.hasKey ? this.#table.get(record) : undefined
    if (tableValue === undefined && !this.#isLeft) return
    record.operator = this.#name
    const { joiner } = this.#options
    const joined = joiner(record.value(), tableValue ?? null, this.#readsKey ? record.key() : undefined)
    record.saveValue(this.#saved)
    record.setValue(joined)
    this.#output.process(record)
    record.restoreValue(this.#saved)
  }
}

class GraceJoin extends StreamTableJoin {
  readonly #grace: GraceOptions
  /** A record that waited, when it is joined. */
  readonly #waited = new FlowRecord()
  #streamTime!: StreamTime
  #buffer!: GraceBuffer

  constructor(options: StreamTableJoinOptions, grace: GraceOptions) {
    super(options)
    this.#grace = grace
  }

  override init(context: ProcessorContext): void {
    super.init(context)
    this.#streamTime = context.streamTime
    this.#buffer = connectedStore(context, this.#grace.store, GraceBuffer)
  }

  /** None: the records that come wait first. */
  override get keyLookup(): undefined {
    return undefined
  }

  override process(record: FlowRecord): void {
    if (!this.isJoined(record)) return
    const { graceMs } = this.#grace
    const streamTime = this.#streamTime
    if (!record.hasKey || record.timestamp < streamTime.observed - graceMs) {
      this.join(record)
      return
    }
    if (record.timestamp > streamTime.observed) streamTime.observed = record.timestamp
    const buffer = this.#buffer
    const { topic, partition, offset } = record
    const origin = { topic, partition, offset }
    buffer.put(buffer.keyId(record), record.timestamp, { value: record.value(), headers: record.headers(), origin })
    const until = streamTime.observed - graceMs
    if (buffer.earliest <= until) buffer.takeUntil(until, (entry) => this.#joinWaited(entry, record))
  }

  #joinWaited(entry: BufferedEntry, current: FlowRecord): void {
    const waited = this.#waited
    waited.takeOrigin(entry.buffered.origin)
    this.#buffer.keys.load(entry.keyId, waited)
    waited.timestamp = entry.timestamp
    waited.setValue(entry.buffered.value)
    waited.setHeaders(entry.buffered.headers)
    try {
      this.join(waited)
    } catch (error) {
      // The task looks at the record that it processes to say where a failure happened.
      current.operator = waited.operator
      throw error
    }
  }
}
