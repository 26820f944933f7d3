import { type JoinRows, JoinStore } from '../../state/join-store.ts'
import type { StoredValue } from '../../state/stored-value.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { JoinWindows } from '../join-windows.ts'
import { connectedStore } from './connected-store.ts'
import { SavedRecord } from './saved-record.ts'
import type { StreamJoiner } from './stream-stream-join.ts'
import { takesParameter } from './takes-parameter.ts'

export interface SelfJoinOptions {
  readonly joiner: StreamJoiner
  readonly windows: JoinWindows
  /** The name of the stream's JoinStore, into which a record is put after it was joined. */
  readonly store: string
}

/**
 * Joins the records of a stream with those of the same stream, as the inner join of two streams does: each record as a left
 * one with those before it, then as a right one with them and, in its place among them, with itself. After Kafka Streams'
 * KStreamKStreamSelfJoin.
 */
export function selfJoin(options: SelfJoinOptions): () => Processor {
  return () => new SelfJoin(options)
}

class SelfJoin implements Processor {
  readonly #options: SelfJoinOptions
  readonly #readsKey: boolean
  readonly #saved = new SavedRecord()
  #context!: ProcessorContext
  #name = ''
  #output!: Processor
  #store!: JoinStore

  constructor(options: SelfJoinOptions) {
    this.#options = options
    this.#readsKey = takesParameter(options.joiner, 2)
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.output
    this.#store = connectedStore(context, this.#options.store, JoinStore)
  }

  process(record: FlowRecord): void {
    if (!record.hasKey || !record.hasValue) {
      this.#context.drop(record.hasKey ? 'null-value' : 'null-key')
      return
    }
    const rows = this.#store.rowsOf(record)
    const own = record.value()
    const key = this.#readsKey ? record.key() : undefined
    const { timestamp } = record
    this.#saved.save(record)
    if (rows !== undefined) this.#joinAsLeft(record, rows, own, key, timestamp)
    this.#joinAsRight(record, rows, own, key, timestamp)
    this.#saved.restore(record)
  }

  #joinAsLeft(record: FlowRecord, rows: JoinRows, own: unknown, key: unknown, time: number): void {
    const { beforeMs, afterMs } = this.#options.windows
    const { entries } = rows
    const until = Math.max(0, time + afterMs)
    const first = rows.indexAt(Math.max(0, time - beforeMs, this.#store.liveFrom))
    for (let i = first; i < entries.length && entries[i].timestamp <= until; i++) {
      const entry = entries[i]
      this.#forward(record, own, (entry.value as StoredValue).value(), key, Math.max(time, entry.timestamp))
    }
  }

  #joinAsRight(record: FlowRecord, rows: JoinRows | undefined, own: unknown, key: unknown, time: number): void {
    const { beforeMs, afterMs } = this.#options.windows
    const { liveFrom, retentionMs } = this.#store
    // A right record meets a store that has the left one already, which may have let others expire, or be too late for it.
    const from = Math.max(0, time - afterMs, liveFrom, time - retentionMs + 1)
    const until = Math.max(0, time + beforeMs)
    let hasMetItself = time < from || time > until
    if (rows !== undefined) {
      const { entries } = rows
      for (let i = rows.indexAt(from); i < entries.length && entries[i].timestamp <= until; i++) {
        const entry = entries[i]
        if (!hasMetItself && entry.timestamp > time) {
          hasMetItself = true
          this.#forward(record, own, own, key, time)
        }
        this.#forward(record, (entry.value as StoredValue).value(), own, key, Math.max(time, entry.timestamp))
      }
    }
    if (!hasMetItself) this.#forward(record, own, own, key, time)
  }

  #forward(record: FlowRecord, left: unknown, right: unknown, key: unknown, timestamp: number): void {
    record.operator = this.#name
    record.setValue(this.#options.joiner(left, right, key))
    record.timestamp = timestamp
    this.#output.process(record)
  }
}
