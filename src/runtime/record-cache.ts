import { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { HotEntry } from '../state/changelog-layer.ts'
import type { LayeredStore } from '../state/layered-store.ts'
import { FlowRecord } from '../topology/flow-record.ts'
import type { Processor } from '../topology/processor.ts'
import type { Windowed } from '../windowed.ts'
import type { CacheBound } from './cache-bound.ts'
import { placed } from './task-input.ts'
import { type WaitingUpdate, WaitingUpdates } from './waiting-updates.ts'

export interface RecordCacheOptions {
  /** The store whose rows' updates wait; of which kind it is makes no difference. */
  readonly store: LayeredStore<HotEntry>
  /** Whether updates are handed on with the value before. They always come with it. */
  readonly sendsOldValues: boolean
  /** Where they go in the end. */
  readonly output: Processor
  /** The operator's name, for error messages. */
  readonly operator: string
  readonly bound: CacheBound
}

/** Kafka Streams' measure of an update beside key, value, topic and headers: times, places in lists, offset and partition. */
const fixedBytes = 8 + 8 + 8 + 1 + 8 + 8 + 4
/** So many updates of a row are measured each. */
const measuredUpdates = 8

/**
 * The caching layer, the same for every kind of store: stands between an operator and its children, and has updates of its rows
 * wait there. Of each row the last one is handed on, with the value that was handed on before it, at a commit or when the
 * bound is exceeded; rows that came and went in between are not. The store itself has each update at once. After Kafka
 * Streams' ThreadCache, NamedCache and caching stores, whose order this is: by the last update of each row.
 */
export class RecordCache implements Processor {
  readonly #store: LayeredStore<HotEntry>
  readonly #sendsOldValues: boolean
  readonly #output: Processor
  readonly #operator: string
  readonly #bound: CacheBound
  readonly #waiting = new WaitingUpdates()
  readonly #record = new FlowRecord()
  /** The bytes of the keys that wait. */
  readonly #keys = new ByteWriter(1024)
  #bytes = 0
  #isFlushing = false

  constructor({ store, sendsOldValues, output, operator, bound }: RecordCacheOptions) {
    this.#store = store
    this.#sendsOldValues = sendsOldValues
    this.#output = output
    this.#operator = operator
    this.#bound = bound
  }

  /** How many rows wait. */
  get size(): number {
    return this.#waiting.size
  }

  process(record: FlowRecord): void {
    const { hasWindows, keys } = this.#store
    const keyId = hasWindows ? keys.idOfInner(record) : keys.idOf(record)
    const start = hasWindows ? record.windowStart : 0
    const end = hasWindows ? record.windowEnd : 0
    let update = this.#waiting.find(keyId, start, end)
    if (update === undefined) update = this.#add(record, keyId, start, end)
    else this.#waiting.postpone(update)
    this.#set(update, record)
    if (this.#bound.isExceeded) this.flush()
  }

  /** Hands on everything that waits. */
  flush(): void {
    // Who comes back here from further down finds an empty cache, and what it adds waits for the next time.
    if (this.#isFlushing || this.#waiting.size === 0) return
    this.#isFlushing = true
    this.#bound.usedBytes -= this.#bytes
    this.#bytes = 0
    const keyBytes = this.#keys.toBuffer()
    this.#keys.clear()
    let update = this.#waiting.takeAll()
    while (update !== undefined) {
      if (update.value !== null || update.before !== undefined) this.#handOn(update, keyBytes)
      update = this.#waiting.release(update)
    }
    this.#isFlushing = false
  }

  #add(record: FlowRecord, keyId: number, start: number, end: number): WaitingUpdate {
    const update = this.#waiting.add(keyId, start, end)
    update.before = record.oldValue
    update.updates = 0
    update.valueBytes = -1
    update.bytes = 0
    update.windowed = record.windowed
    update.windowStart = record.windowStart
    update.windowEnd = record.windowEnd
    update.keySerde = record.keySerde
    update.keyStart = -1
    if (record.keyStart < 0) update.key = record.windowed ? (record.key() as Windowed<unknown>).key : record.key()
    else {
      update.keyStart = this.#keys.length
      this.#keys.writeRange(record.keyBytes, record.keyStart, record.keyEnd)
      update.keyEnd = this.#keys.length
    }
    return update
  }

  #set(update: WaitingUpdate, record: FlowRecord): void {
    update.value = record.value()
    update.timestamp = record.timestamp
    update.topic = record.topic
    update.partition = record.partition
    update.offset = record.offset
    update.headers = record.headerCount === 0 ? undefined : record.headers()
    update.updates++
    const bytes = this.#bytesOf(update)
    this.#bytes += bytes - update.bytes
    this.#bound.usedBytes += bytes - update.bytes
    update.bytes = bytes
  }

  #bytesOf(update: WaitingUpdate): number {
    const { keys, measure } = this.#store
    let bytes = fixedBytes + keys.endOf(update.keyId) - keys.startOf(update.keyId) + measure.keyBytes
    bytes += update.topic.length
    if (update.headers !== undefined) {
      for (const { key, value } of update.headers) bytes += key.length + (value === null ? 0 : value.length)
    }
    if (update.value === null) return bytes
    // Encoding costs more than all else here: of a row that is updated often, it is done whenever the updates have doubled.
    const { updates } = update
    if (update.valueBytes < 0 || updates <= measuredUpdates || (updates & (updates - 1)) === 0) {
      update.valueBytes = measure.valueBytes + this.#store.bytesOf(update.value)
    }
    return bytes + update.valueBytes
  }

  #handOn(update: WaitingUpdate, keyBytes: Buffer): void {
    const record = this.#record
    if (update.keyStart < 0) record.setKey(update.key)
    else record.loadKey(keyBytes, update.keyStart, update.keyEnd, update.keySerde as Serde<unknown>)
    if (update.windowed) record.setWindow(update.windowStart, update.windowEnd)
    record.setValue(update.value)
    record.oldValue = this.#sendsOldValues ? update.before : undefined
    record.timestamp = update.timestamp
    record.setHeaders(update.headers ?? noHeaders)
    const { topic, partition, offset } = update
    record.topic = topic
    record.partition = partition
    record.offset = offset
    record.operator = this.#operator
    try {
      this.#output.process(record)
    } catch (error) {
      throw placed(error, { topic, partition, offset, operator: record.operator })
    }
  }
}

const noHeaders = Object.freeze([])
