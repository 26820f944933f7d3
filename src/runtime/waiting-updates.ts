import { ByteWriter } from '../bytes/byte-writer.ts'
import type { RecordHeader } from '../record/headers.ts'
import type { Serde } from '../serde/serde.ts'
import type { FlowRecord } from '../topology/flow-record.ts'
import type { Windowed } from '../windowed.ts'

const fewest = 16
const none = -1
const noHeaders: readonly RecordHeader[] = Object.freeze([])

/** The numbers of a row, one after the other: what is used together lies together. */
const keyIdAt = 0
/** The window where the store has windows, otherwise 0. */
const startAt = 1
const endAt = 2
const earlierAt = 3
const laterAt = 4
const timestampAt = 5
const bytesAt = 6
const updatesAt = 7
const valueBytesAt = 8
const offsetAt = 9
const partitionAt = 10
/** The bytes of the key as it is handed on; `none` where it had none. */
const keyFromAt = 11
const keyToAt = 12
/** The window that the key is handed on in; `none` where it has none of its own. */
const windowStartAt = 13
const windowEndAt = 14
const beforeTimestampAt = 15
const rowNumbers = 16

/** And what else there is of a row. */
const valueAt = 0
const beforeAt = 1
const topicAt = 2
const headersAt = 3
const keySerdeAt = 4
/** The key itself where it had no bytes. */
const keyAt = 5
const rowObjects = 6

/**
 * For each row that waits its last update, and what the row was when it was last handed on. There are many of them, and they come and
 * go all at once: so they are numbers in arrays, not objects. Rows are counted from 0 on, found by key and window (open
 * addressing, at most half full), and listed in the order in which they were updated last.
 */
export class WaitingUpdates {
  #size = 0
  #capacity = fewest
  #first = none
  #last = none
  /** Rows, and `none`. */
  #slots = new Int32Array(fewest * 2).fill(none)
  #numbers = new Float64Array(fewest * rowNumbers)
  readonly #objects: unknown[] = []
  readonly #keyBytes = new ByteWriter(1_024)

  /** How many rows wait. */
  get size(): number {
    return this.#size
  }

  /** The row of the key and window, or -1. */
  find(keyId: number, start: number, end: number): number {
    const slots = this.#slots
    const numbers = this.#numbers
    const mask = slots.length - 1
    for (let slot = hashOf(keyId, start, end) & mask; ; slot = (slot + 1) & mask) {
      const row = slots[slot]
      if (row < 0) return row
      const at = row * rowNumbers
      if (numbers[at] === keyId && numbers[at + startAt] === start && numbers[at + endAt] === end) return row
    }
  }

  /** Adds a row that does not wait yet, as the last one, with the record's key and the value before. */
  add(keyId: number, start: number, end: number, record: FlowRecord): number {
    const row = this.#size
    if (row === this.#capacity) this.#grow()
    this.#size++
    const numbers = this.#numbers
    const at = row * rowNumbers
    numbers[at + keyIdAt] = keyId
    numbers[at + startAt] = start
    numbers[at + endAt] = end
    numbers[at + bytesAt] = 0
    numbers[at + updatesAt] = 0
    numbers[at + valueBytesAt] = none
    numbers[at + beforeTimestampAt] = record.oldTimestamp
    this.#objects[row * rowObjects + beforeAt] = record.oldValue
    this.#setKey(row, record)
    this.#insert(row)
    this.#append(row)
    return row
  }

  /** Makes the row the last one. */
  postpone(row: number): void {
    const numbers = this.#numbers
    const later = numbers[row * rowNumbers + laterAt]
    if (later < 0) return
    const earlier = numbers[row * rowNumbers + earlierAt]
    if (earlier < 0) this.#first = later
    else numbers[earlier * rowNumbers + laterAt] = later
    numbers[later * rowNumbers + earlierAt] = earlier
    this.#append(row)
  }

  /** Sets the row's update; returns how many it has had. */
  update(row: number, record: FlowRecord): number {
    const numbers = this.#numbers
    const at = row * rowNumbers
    numbers[at + timestampAt] = record.timestamp
    numbers[at + offsetAt] = record.offset
    numbers[at + partitionAt] = record.partition
    const objects = this.#objects
    const from = row * rowObjects
    objects[from + valueAt] = record.value()
    objects[from + topicAt] = record.topic
    objects[from + headersAt] = record.headerCount === 0 ? undefined : record.headers()
    return ++numbers[at + updatesAt]
  }

  /** What the row counts in the bound; 0 until it is said. */
  bytesOf(row: number): number {
    return this.#numbers[row * rowNumbers + bytesAt]
  }

  setBytes(row: number, bytes: number): void {
    this.#numbers[row * rowNumbers + bytesAt] = bytes
  }

  /** Of the row's value when it was last measured; -1 where it was not. */
  valueBytesOf(row: number): number {
    return this.#numbers[row * rowNumbers + valueBytesAt]
  }

  setValueBytes(row: number, bytes: number): void {
    this.#numbers[row * rowNumbers + valueBytesAt] = bytes
  }

  /** The row that waits longest, or -1. */
  get first(): number {
    return this.#first
  }

  /** The row that was updated next, or -1. */
  after(row: number): number {
    return this.#numbers[row * rowNumbers + laterAt]
  }

  /** What the row was when it was handed on last; undefined where it was not there. */
  beforeOf(row: number): unknown {
    return this.#objects[row * rowObjects + beforeAt]
  }

  beforeTimestampOf(row: number): number {
    return this.#numbers[row * rowNumbers + beforeTimestampAt]
  }

  /** Has the row not be found any more. */
  hide(row: number): void {
    this.#numbers[row * rowNumbers + keyIdAt] = none
  }

  /** Whether the row came and went while it waited, so that there is nothing to hand on. */
  isNothing(row: number): boolean {
    const from = row * rowObjects
    return this.#objects[from + valueAt] === null && this.#objects[from + beforeAt] === undefined
  }

  /** Has the record be the row's update, with the value before. */
  load(row: number, record: FlowRecord): void {
    const numbers = this.#numbers
    const objects = this.#objects
    const at = row * rowNumbers
    const from = row * rowObjects
    const keyFrom = numbers[at + keyFromAt]
    if (keyFrom < 0) record.setKey(objects[from + keyAt])
    else {
      const serde = objects[from + keySerdeAt] as Serde<unknown>
      record.loadKey(this.#keyBytes.buffer, keyFrom, numbers[at + keyToAt], serde)
    }
    if (numbers[at + windowStartAt] >= 0) record.setWindow(numbers[at + windowStartAt], numbers[at + windowEndAt])
    record.setValue(objects[from + valueAt])
    record.oldValue = objects[from + beforeAt]
    record.timestamp = numbers[at + timestampAt]
    record.topic = objects[from + topicAt] as string
    record.partition = numbers[at + partitionAt]
    record.offset = numbers[at + offsetAt]
    record.setHeaders((objects[from + headersAt] as readonly RecordHeader[] | undefined) ?? noHeaders)
  }

  /** Forgets all rows, and keeps room for about as many. */
  clear(): void {
    if (this.#capacity > fewest && this.#size * 8 < this.#capacity) {
      this.#setCapacity(this.#capacity / 2)
      this.#objects.length = Math.min(this.#objects.length, this.#capacity * rowObjects)
    } else this.#slots.fill(none)
    this.#objects.fill(undefined)
    this.#size = 0
    this.#first = none
    this.#last = none
    this.#keyBytes.clear()
  }

  #setKey(row: number, record: FlowRecord): void {
    const numbers = this.#numbers
    const at = row * rowNumbers
    const hasBytes = record.keyStart >= 0
    numbers[at + keyFromAt] = hasBytes ? this.#keyBytes.length : none
    if (hasBytes) this.#keyBytes.writeRange(record.keyBytes, record.keyStart, record.keyEnd)
    numbers[at + keyToAt] = this.#keyBytes.length
    numbers[at + windowStartAt] = record.windowed ? record.windowStart : none
    numbers[at + windowEndAt] = record.windowEnd
    const objects = this.#objects
    const from = row * rowObjects
    objects[from + keySerdeAt] = record.keySerde
    objects[from + keyAt] = hasBytes ? undefined : innerKeyOf(record)
  }

  #append(row: number): void {
    const numbers = this.#numbers
    const last = this.#last
    numbers[row * rowNumbers + earlierAt] = last
    numbers[row * rowNumbers + laterAt] = none
    if (last < 0) this.#first = row
    else numbers[last * rowNumbers + laterAt] = row
    this.#last = row
  }

  #insert(row: number): void {
    const slots = this.#slots
    const numbers = this.#numbers
    const at = row * rowNumbers
    const mask = slots.length - 1
    let slot = hashOf(numbers[at + keyIdAt], numbers[at + startAt], numbers[at + endAt]) & mask
    while (slots[slot] >= 0) slot = (slot + 1) & mask
    slots[slot] = row
  }

  #grow(): void {
    const numbers = this.#numbers
    this.#setCapacity(this.#capacity * 2)
    this.#numbers.set(numbers)
    for (let row = 0; row < this.#size; row++) this.#insert(row)
  }

  #setCapacity(capacity: number): void {
    this.#capacity = capacity
    this.#slots = new Int32Array(capacity * 2).fill(none)
    this.#numbers = new Float64Array(capacity * rowNumbers)
  }
}

/** The key without its window. */
function innerKeyOf(record: FlowRecord): unknown {
  return record.windowed ? (record.key() as Windowed<unknown>).key : record.key()
}

/** Ids are neighbours already; times are multiples of much. */
function hashOf(keyId: number, start: number, end: number): number {
  const hash = Math.imul(start, 0x85ebca6b) ^ Math.imul(end, 0xc2b2ae35)
  return keyId + (hash ^ (hash >>> 15))
}
