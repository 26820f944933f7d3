import type { RecordHeader } from '../record/headers.ts'
import type { Serde } from '../serde/serde.ts'

/** The last update of a row, and what the row was when it was last handed on. */
export class WaitingUpdate {
  keyId = 0
  /** Of the row's window, where the store has windows; otherwise 0. */
  start = 0
  end = 0

  /** The key as it was handed on: bytes in the cache's arena, or the key itself where it had none (`keyStart` -1). */
  key: unknown = undefined
  keyStart = -1
  keyEnd = -1
  keySerde: Serde<unknown> | undefined = undefined
  windowed = false
  windowStart = 0
  windowEnd = 0

  value: unknown = undefined
  before: unknown = undefined
  timestamp = 0
  topic = ''
  partition = -1
  offset = -1
  headers: readonly RecordHeader[] | undefined = undefined

  /** How often the row was updated since it waits. */
  updates = 0
  /** Of the value when it was last measured; -1 where it was not. */
  valueBytes = -1
  /** What all of it counts in the bound. */
  bytes = 0
  earlier: WaitingUpdate | undefined = undefined
  later: WaitingUpdate | undefined = undefined
}

const fewestSlots = 16

/**
 * Updates by key and window, in the order in which their rows were updated last. They are taken out all at once. Open
 * addressing, at most half full; objects are used again.
 */
export class WaitingUpdates {
  #slots: (WaitingUpdate | undefined)[] = emptySlots(fewestSlots)
  #size = 0
  #first: WaitingUpdate | undefined = undefined
  #last: WaitingUpdate | undefined = undefined
  #spare: WaitingUpdate | undefined = undefined

  get size(): number {
    return this.#size
  }

  find(keyId: number, start: number, end: number): WaitingUpdate | undefined {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = hashOf(keyId, start, end) & mask; ; slot = (slot + 1) & mask) {
      const update = slots[slot]
      if (update === undefined) return undefined
      if (update.keyId === keyId && update.start === start && update.end === end) return update
    }
  }

  /** Adds an update, as the last one, of a row that has none yet. */
  add(keyId: number, start: number, end: number): WaitingUpdate {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow()
    const update = this.#spare ?? new WaitingUpdate()
    this.#spare = update.later
    update.keyId = keyId
    update.start = start
    update.end = end
    insert(this.#slots, update)
    this.#size++
    this.#append(update)
    return update
  }

  /** Makes the update the last one. */
  postpone(update: WaitingUpdate): void {
    const { earlier, later } = update
    if (later === undefined) return
    if (earlier === undefined) this.#first = later
    else earlier.later = later
    later.earlier = earlier
    this.#append(update)
  }

  /** Takes all updates out, and returns the first; each leads to the next by `later`. `release` takes each back when it is done. */
  takeAll(): WaitingUpdate | undefined {
    const first = this.#first
    this.#slots = emptySlots(slotsFor(this.#size))
    this.#size = 0
    this.#first = undefined
    this.#last = undefined
    return first
  }

  /** Takes an update back that was taken out; the one after it. */
  release(update: WaitingUpdate): WaitingUpdate | undefined {
    const { later } = update
    update.key = undefined
    update.value = undefined
    update.before = undefined
    update.headers = undefined
    update.later = this.#spare
    this.#spare = update
    return later
  }

  #append(update: WaitingUpdate): void {
    const last = this.#last
    update.earlier = last
    update.later = undefined
    if (last === undefined) this.#first = update
    else last.later = update
    this.#last = update
  }

  #grow(): void {
    const slots = emptySlots(this.#slots.length * 2)
    for (let update = this.#first; update !== undefined; update = update.later) insert(slots, update)
    this.#slots = slots
  }
}

/** Room for about as many as there were. */
function slotsFor(count: number): number {
  let slots = fewestSlots
  while (slots < count * 2) slots *= 2
  return slots
}

function emptySlots(count: number): (WaitingUpdate | undefined)[] {
  return new Array<WaitingUpdate | undefined>(count).fill(undefined)
}

function insert(slots: (WaitingUpdate | undefined)[], update: WaitingUpdate): void {
  const mask = slots.length - 1
  let slot = hashOf(update.keyId, update.start, update.end) & mask
  while (slots[slot] !== undefined) slot = (slot + 1) & mask
  slots[slot] = update
}

/** Times are multiples of much, and ids neighbours: multiplying and folding spreads both. */
function hashOf(keyId: number, start: number, end: number): number {
  const hash = Math.imul(keyId, 0x9e3779b1) ^ Math.imul(start, 0x85ebca6b) ^ Math.imul(end, 0xc2b2ae35)
  return hash ^ (hash >>> 15)
}
