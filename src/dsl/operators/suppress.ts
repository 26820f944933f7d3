import { assert, MillraceError } from '../../errors.ts'
import { BufferedRow } from '../../state/buffered-row.ts'
import { type SuppressEntry, SuppressStore } from '../../state/suppress-store.ts'
import type { FlowRecord, SavedHeaders } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import { emptySavedHeaders, SavedRecord } from './saved-record.ts'

export interface SuppressOptions {
  /** The name of a SuppressStore. */
  readonly store: string
  /** Whether updates wait from the end of their window, and deletions only take back what waits; otherwise from their own time. */
  readonly isFinal: boolean
  /** How long updates wait, in event time. */
  readonly waitMs: number
  /** Infinite where there is no bound. */
  readonly maxRecords: number
  readonly maxBytes: number
  /** What happens when there is more than that: the first updates go early, or the application stops. */
  readonly whenFull: 'emit-early' | 'shut-down'
}

/**
 * Holds back updates of a table, and hands on one for each key, the last, when event time as the operator sees it is
 * `waitMs` past the first: with the timestamp, headers and origin of the last, and the value that was handed on before. Updates go
 * in the order of (time that they wait from, key bytes). After Kafka Streams' KTableSuppressProcessorSupplier.
 */
export function suppress(options: SuppressOptions): () => Processor {
  return () => new Suppress(options)
}

class Suppress implements Processor {
  readonly #options: SuppressOptions
  readonly #isFinal: boolean
  readonly #saved = new SavedRecord()
  readonly #savedHeaders: SavedHeaders = emptySavedHeaders()
  #context!: ProcessorContext
  #store!: SuppressStore

  constructor(options: SuppressOptions) {
    this.#options = options
    this.#isFinal = options.isFinal
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#store = connectedStore(context, this.#options.store, SuppressStore)
  }

  process(record: FlowRecord): void {
    const streamTime = this.#context.streamTime
    if (record.timestamp > streamTime.observed) streamTime.observed = record.timestamp
    this.#buffer(record)
    const until = streamTime.observed - this.#options.waitMs
    if (this.#store.earliest > until && !this.#isOverCapacity()) return
    this.#saved.save(record)
    record.saveHeaders(this.#savedHeaders)
    const { topic, partition, offset } = record
    while (this.#store.earliest <= until) this.#emitFirst(record)
    if (this.#isOverCapacity()) this.#makeRoom(record)
    record.topic = topic
    record.partition = partition
    record.offset = offset
    record.restoreHeaders(this.#savedHeaders)
    this.#saved.restore(record)
  }

  #buffer(record: FlowRecord): void {
    assert(!this.#isFinal || record.windowed, 'only results of windows wait for their windows')
    const store = this.#store
    const keyId = store.keyId(record)
    const start = store.hasWindows ? record.windowStart : 0
    const end = store.hasWindows ? record.windowEnd : 0
    const entry = store.find(keyId, start, end)
    if (this.#isFinal && !record.hasValue) {
      if (entry !== undefined) store.remove(entry)
      return
    }
    const time = this.#isFinal ? end : record.timestamp
    store.update(entry ?? store.add(keyId, start, end, new BufferedRow(time, record.oldValue)), record)
  }

  #isOverCapacity(): boolean {
    const { maxRecords, maxBytes } = this.#options
    return this.#store.size > maxRecords || this.#store.bytes > maxBytes
  }

  #makeRoom(record: FlowRecord): void {
    const { maxRecords, maxBytes, whenFull } = this.#options
    const { size, bytes } = this.#store
    if (whenFull === 'shut-down') {
      throw new MillraceError(
        'BUFFER_FULL',
        size > maxRecords
          ? `The updates of ${size} rows wait, where those of ${maxRecords} may`
          : `The updates of ${size} rows that wait take ${bytes} bytes, where ${maxBytes} may`,
        {
          at: { operator: this.#context.name, store: this.#options.store },
          remedy: 'Raise maxRecords or maxBytes, and start again: nothing is lost.',
        },
      )
    }
    while (this.#isOverCapacity()) this.#emitFirst(record)
  }

  #emitFirst(record: FlowRecord): void {
    const store = this.#store
    const entry = store.first()
    this.#forward(record, entry, entry.value as BufferedRow)
    store.remove(entry)
  }

  #forward(record: FlowRecord, entry: SuppressEntry, row: BufferedRow): void {
    const store = this.#store
    store.keys.load(entry.keyId, record)
    if (store.hasWindows) record.setWindow(entry.start, entry.end)
    record.setValue(row.value)
    record.setHeaders(row.headers)
    record.takeOrigin(row)
    record.oldValue = row.prior
    record.timestamp = entry.timestamp
    this.#context.output.process(record)
  }
}
