import { type JoinRows, JoinStore } from '../../state/join-store.ts'
import type { StoredValue } from '../../state/stored-value.ts'
import { type UnjoinedEntry, UnjoinedStore } from '../../state/unjoined-store.ts'
import type { FlowRecord, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { JoinWindows } from '../join-windows.ts'
import { connectedStore } from './connected-store.ts'
import { EmitThrottle } from './emit-throttle.ts'
import { emptySavedValue, SavedRecord } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'

/** Makes a value of both records', of which one is null where the join allows it. */
export type StreamJoiner = (left: unknown, right: unknown, key: unknown) => unknown

export interface StreamJoinSide {
  readonly joiner: StreamJoiner
  readonly windows: JoinWindows
  /** How often records that found no match are searched for at most, by the clock on the wall; 0 for no bound. */
  readonly emitEveryMs: number
  /** Whether the records that it takes are those of the left stream. */
  readonly isLeft: boolean
  /** Whether records of this side that find no match are handed on alone. */
  readonly isOuter: boolean
  /** The name of the other side's JoinStore. */
  readonly otherStore: string
  /** The name of the UnjoinedStore that both sides share, where at least one of them is outer. */
  readonly unjoined: string | undefined
}

/**
 * One side of a join of two streams: joins each record with all records of the other side that were kept within the window,
 * by their time. The result's timestamp is the later one of both.
 *
 * A record of an outer side that finds no match waits for one until event time, of both sides together, is past the end of its window and
 * the grace period, and is then handed on alone, with its own timestamp; such records come by (time, right before
 * left, key bytes), ahead of what the record gives that moved event time. One whose window is over already is handed on at once, and so is one without a key. Records without a value are dropped and counted, those
 * without a key on a side that is not outer. Matches ask only whether the other record is still kept, not whether this one is late. After Kafka Streams' KStreamKStreamJoin.
 */
export function streamStreamJoin(side: StreamJoinSide): () => Processor {
  return () => new StreamStreamJoin(side)
}

class StreamStreamJoin implements Processor {
  readonly #side: StreamJoinSide
  readonly #readsKey: boolean
  /** How far before and after a record of this side one of the other side may be. */
  readonly #beforeMs: number
  readonly #afterMs: number
  readonly #throttle: EmitThrottle
  readonly #saved = new SavedRecord()
  readonly #savedValue: SavedValue = emptySavedValue()
  readonly #closed: UnjoinedEntry[] = []
  #context!: ProcessorContext
  #name = ''
  #output!: Processor
  #other!: JoinStore
  #unjoined: UnjoinedStore | undefined

  constructor(side: StreamJoinSide) {
    const { beforeMs, afterMs } = side.windows
    this.#side = side
    this.#readsKey = takesParameter(side.joiner, 2)
    this.#throttle = new EmitThrottle(side.emitEveryMs)
    this.#beforeMs = side.isLeft ? beforeMs : afterMs
    this.#afterMs = side.isLeft ? afterMs : beforeMs
  }

  init(context: ProcessorContext): void {
    const { otherStore, unjoined } = this.#side
    this.#context = context
    this.#name = context.name
    this.#output = context.output
    this.#other = connectedStore(context, otherStore, JoinStore)
    if (unjoined === undefined) return
    this.#unjoined = connectedStore(context, unjoined, UnjoinedStore)
    this.#unjoined.streamTime = Math.max(this.#unjoined.streamTime, context.streamTime.observed)
  }

  process(record: FlowRecord): void {
    const unjoined = this.#unjoined
    if (unjoined !== undefined) this.#advance(unjoined, record.timestamp)
    if (!record.hasKey && record.hasValue && this.#side.isOuter) {
      this.#forwardAlone(record)
      return
    }
    if (!record.hasKey || !record.hasValue) {
      this.#context.drop(record.hasKey ? 'null-value' : 'null-key')
      return
    }
    if (unjoined !== undefined && record.timestamp === unjoined.streamTime) this.#forwardClosed(unjoined, record)
    if (this.#joinAll(record) || !this.#side.isOuter || unjoined === undefined) return
    if (Math.max(0, record.timestamp + this.#afterMs) < unjoined.streamTime) this.#forwardAlone(record)
    else unjoined.put(record, this.#side.isLeft)
  }

  #advance(unjoined: UnjoinedStore, timestamp: number): void {
    const own = this.#context.streamTime
    if (timestamp > own.observed) own.observed = timestamp
    if (timestamp > unjoined.streamTime) unjoined.streamTime = timestamp
  }

  /** Joins the record with all that match; whether there was any. */
  #joinAll(record: FlowRecord): boolean {
    const other = this.#other
    const rows = other.rowsOf(record)
    if (rows === undefined) return false
    const { timestamp } = record
    const until = Math.max(0, timestamp + this.#afterMs)
    const first = rows.indexAt(Math.max(0, timestamp - this.#beforeMs, other.liveFrom))
    if (first >= rows.times.length || rows.times[first] > until) return false
    this.#joinFrom(record, rows, first, until)
    return true
  }

  #joinFrom(record: FlowRecord, rows: JoinRows, first: number, until: number): void {
    const { joiner, isLeft } = this.#side
    const { timestamp } = record
    const { entries, times } = rows
    const own = record.value()
    const key = this.#readsKey ? record.key() : undefined
    record.saveValue(this.#savedValue)
    for (let i = first; i < times.length && times[i] <= until; i++) {
      const entry = entries[i]
      this.#unjoined?.match(record, entry.timestamp, !isLeft)
      const other = (entry.value as StoredValue).value()
      record.operator = this.#name
      const joined = isLeft ? joiner(own, other, key) : joiner(other, own, key)
      record.setValue(joined)
      record.timestamp = Math.max(timestamp, entry.timestamp)
      this.#output.process(record)
    }
    record.restoreValue(this.#savedValue)
    record.timestamp = timestamp
  }

  /** Hands on all records of both sides whose windows are over. */
  #forwardClosed(unjoined: UnjoinedStore, record: FlowRecord): void {
    const { beforeMs, afterMs, graceMs } = this.#side.windows
    const { streamTime } = unjoined
    // Kafka Streams' check before the search: with this side's end of the window, for records of either side.
    const isEmpty = unjoined.earliest === Number.POSITIVE_INFINITY
    // Where nothing waits its earliest time is the greatest long, whose sum with the window overflows: an interval begins all the same.
    const mayBeClosed = isEmpty ? this.#afterMs + graceMs > 0 : unjoined.earliest + this.#afterMs + graceMs < streamTime
    if (!mayBeClosed) return
    if (!this.#throttle.isDue(this.#context.task, unjoined) || isEmpty) return
    const closed = this.#closed
    unjoined.findClosed(streamTime - afterMs - graceMs - 1, streamTime - beforeMs - graceMs - 1, closed)
    if (closed.length === 0) return
    this.#saved.save(record)
    for (let i = 0; i < closed.length; i++) this.#forwardUnjoined(unjoined, closed[i], record)
    this.#saved.restore(record)
    closed.length = 0
  }

  #forwardUnjoined(unjoined: UnjoinedStore, entry: UnjoinedEntry, record: FlowRecord): void {
    const { joiner } = this.#side
    const { values } = entry
    unjoined.keys.load(entry.keyId, record)
    record.timestamp = entry.timestamp
    const key = this.#readsKey ? unjoined.keys.key(entry.keyId) : undefined
    for (let i = 0; i < values.length; i++) {
      const value = values[i].value()
      record.operator = this.#name
      record.setValue(entry.isLeft ? joiner(value, null, key) : joiner(null, value, key))
      this.#output.process(record)
    }
    unjoined.remove(entry)
  }

  #forwardAlone(record: FlowRecord): void {
    const { joiner, isLeft } = this.#side
    const own = record.value()
    const key = this.#readsKey ? record.key() : undefined
    this.#saved.save(record)
    record.operator = this.#name
    record.setValue(isLeft ? joiner(own, null, key) : joiner(null, own, key))
    this.#output.process(record)
    this.#saved.restore(record)
  }
}
