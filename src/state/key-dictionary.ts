import { assert } from '../errors.ts'
import type { KeysAhead } from '../record/keys-ahead.ts'

/** Keys that a new dictionary takes before it grows. */
const initialKeys = 512
/** Slots per key at least: half of them stay empty, so that a probe rarely takes a second step. */
const slotsPerKey = 2
/** In the arena a key's bytes come after its id and its length, and begin at a multiple of four. */
const headBytes = 8
/** Positions in the arena are kept as unsigned 32-bit integers. */
const largestArena = 2 ** 32 - 1
/** In a slot: no key. */
const empty = 0

/**
 * Gives each distinct key (a range of bytes) a small integer, its id: 0 for the first, then 1, 2, ... State is kept by
 * id, so a record costs one lookup of bytes and no object. Open addressing in typed arrays; the keys lie one after the
 * other in one buffer, the arena. What a lookup waits for is memory, so it touches two places: the slot, and in the arena the id
 * beside the bytes. Growing doubles, so that its cost per key stays constant.
 *
 * Invariants: `#slots` holds pairs of (hash, position of the key's head in the arena / 4 + 1), where 0 is an empty slot; the
 * arena has for each key `id4 ‖ length4 ‖ bytes`, filled up to a multiple of four; keys are never removed one by one, only
 * all of them by `clear`.
 */
export class KeyDictionary {
  /** The bytes of all keys; replaced when it grows, so read it anew after adding. */
  arena: Buffer = Buffer.allocUnsafeSlow(initialKeys * 32)
  #arenaView = viewOf(this.arena)
  #arenaEnd = 0
  /** By id, where the key's bytes begin in the arena. */
  #starts = new Uint32Array(initialKeys)
  #slots = new Int32Array(initialKeys * slotsPerKey * 2)
  #mask = initialKeys * slotsPerKey - 1
  #size = 0
  #byteLength = 0
  /** The bytes that keys were looked up in last: for the records of a fetch they are the same. */
  #source: Uint8Array = this.arena
  #sourceView = this.#arenaView

  /** How many keys there are; their ids are 0 to `size - 1`. */
  get size(): number {
    return this.#size
  }

  /** How many bytes the keys take. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** The id of the key in `bytes[start..end)`, which is added where it is new. */
  idOf(bytes: Uint8Array, start: number, end: number): number {
    const view = this.#viewOf(bytes)
    const hash = hashOf(view, start, end)
    const found = this.#probe(hash, view, start, end)
    return found >= 0 ? found : this.#add(hash, view, start, end)
  }

  /** The id of the key in `bytes[start..end)`, or -1 where there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const view = this.#viewOf(bytes)
    return this.#probe(hashOf(view, start, end), view, start, end)
  }

  /**
   * Looks at the memory in which the keys will be looked for, all slots first and then all keys, so that it is waited for at once. Puts into `ids`
   * for each the id that its search comes by first, which is nearly always its own; -1 where there is none.
   */
  expect({ bytes, starts, ends, count }: KeysAhead, ids: Int32Array): void {
    const view = this.#viewOf(bytes)
    const slots = this.#slots
    const mask = this.#mask
    for (let i = 0; i < count; i++) ids[i] = slots[(hashOf(view, starts[i], ends[i]) & mask) * 2 + 1]
    const arena = this.#arenaView
    for (let i = 0; i < count; i++) {
      const place = ids[i]
      ids[i] = place === empty ? -1 : arena.getInt32(headAt(place), true)
    }
  }

  /** Where the key's bytes begin in the arena. */
  startOf(id: number): number {
    return this.#starts[id] as number
  }

  /** Where the key's bytes end in the arena. */
  endOf(id: number): number {
    const start = this.#starts[id] as number
    return start + this.#arenaView.getInt32(start - 4, true)
  }

  /** The order of two keys' bytes (unsigned, a prefix first): negative, 0 or positive. */
  compare(left: number, right: number): number {
    const arena = this.arena
    return compareRanges(arena, this.startOf(left), this.endOf(left), arena, this.startOf(right), this.endOf(right))
  }

  /** The order of a key and other bytes. */
  compareWith(id: number, bytes: Uint8Array): number {
    return compareRanges(this.arena, this.startOf(id), this.endOf(id), bytes, 0, bytes.length)
  }

  /** Makes room for so many keys, those that are there included; their bytes find it when they come. */
  reserve(keyCount: number): void {
    let slotCount = this.#mask + 1
    while (keyCount * slotsPerKey > slotCount - 1) slotCount *= 2
    if (slotCount > this.#mask + 1) this.#growTable(slotCount)
  }

  /** Forgets all keys and gives the memory back. */
  clear(): void {
    this.#setArena(Buffer.allocUnsafeSlow(initialKeys * 32))
    this.#arenaEnd = 0
    this.#starts = new Uint32Array(initialKeys)
    this.#slots = new Int32Array(initialKeys * slotsPerKey * 2)
    this.#mask = initialKeys * slotsPerKey - 1
    this.#size = 0
    this.#byteLength = 0
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#source) {
      this.#source = bytes
      this.#sourceView = viewOf(bytes)
    }
    return this.#sourceView
  }

  #probe(hash: number, view: DataView, start: number, end: number): number {
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = slots[slot * 2 + 1] as number
      if (place === empty) return -1
      if (slots[slot * 2] !== hash) continue
      const head = headAt(place)
      if (this.#equals(head, view, start, end)) return this.#arenaView.getInt32(head, true)
    }
  }

  #equals(head: number, view: DataView, start: number, end: number): boolean {
    const arena = this.#arenaView
    if (arena.getInt32(head + 4, true) !== end - start) return false
    let i = start
    let j = head + headBytes
    for (const last = end - 4; i <= last; i += 4, j += 4) {
      if (view.getInt32(i, true) !== arena.getInt32(j, true)) return false
    }
    for (; i < end; i++, j++) if (view.getUint8(i) !== arena.getUint8(j)) return false
    return true
  }

  #add(hash: number, view: DataView, start: number, end: number): number {
    const id = this.#size
    if ((id + 1) * slotsPerKey > this.#mask) this.#growTable((this.#mask + 1) * 2)
    const head = this.#arenaEnd
    const keyStart = head + headBytes
    const arenaEnd = head + ((headBytes + end - start + 3) & ~3)
    if (arenaEnd > this.arena.length) this.#growArena(arenaEnd)
    const arena = this.#arenaView
    arena.setInt32(head, id, true)
    arena.setInt32(head + 4, end - start, true)
    let i = start
    let j = keyStart
    for (const last = end - 4; i <= last; i += 4, j += 4) arena.setInt32(j, view.getInt32(i, true), true)
    for (; i < end; i++, j++) arena.setUint8(j, view.getUint8(i))
    this.#starts[id] = keyStart
    this.#arenaEnd = arenaEnd
    this.#byteLength += end - start
    this.#size = id + 1
    insert(this.#slots, this.#mask, hash, placeOf(head))
    return id
  }

  #growTable(slotCount: number): void {
    const slots = new Int32Array(slotCount * 2)
    const old = this.#slots
    const mask = slotCount - 1
    const used = this.#usedSlots()
    for (let i = 0; i < used.length; i++) insert(slots, mask, old[used[i]], old[used[i] + 1])
    const starts = new Uint32Array(slotCount / slotsPerKey)
    starts.set(this.#starts)
    this.#slots = slots
    this.#mask = slotCount - 1
    this.#starts = starts
  }

  /** Where in `#slots` there are keys. Found without a branch, which would be mispredicted at every second slot. */
  #usedSlots(): Uint32Array {
    const slots = this.#slots
    const used = new Uint32Array(this.#size + 1)
    for (let i = 0, count = 0; i < slots.length; i += 2) {
      used[count] = i
      const place = slots[i + 1] as number
      count += (place | -place) >>> 31
    }
    return used.subarray(0, this.#size)
  }

  #growArena(needed: number): void {
    assert(needed <= largestArena, 'the keys of one store in memory take less than 4 GiB')
    const larger = Buffer.allocUnsafeSlow(Math.min(largestArena, Math.max(needed, this.arena.length * 2)))
    this.arena.copy(larger, 0, 0, this.#arenaEnd)
    this.#setArena(larger)
  }

  #setArena(arena: Buffer): void {
    this.arena = arena
    this.#arenaView = viewOf(arena)
  }
}

/** A slot's number for the head of a key, which is at a multiple of four below 2^32; 0 stays free. */
function placeOf(head: number): number {
  return head / 4 + 1
}

function headAt(place: number): number {
  return (place - 1) * 4
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function compareRanges(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  let i = leftStart
  let j = rightStart
  for (; i < leftEnd && j < rightEnd; i++, j++) {
    const difference = (left[i] as number) - (right[j] as number)
    if (difference !== 0) return difference
  }
  return leftEnd - i - (rightEnd - j)
}

function insert(slots: Int32Array, mask: number, hash: number, place: number): void {
  let slot = hash & mask
  while (slots[slot * 2 + 1] !== empty) slot = (slot + 1) & mask
  slots[slot * 2] = hash
  slots[slot * 2 + 1] = place
}

/** Four bytes at a time, mixed by a multiplication and a fold of the high bits; the last mix spreads the low bits that pick the slot. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start
  let i = start
  for (const last = end - 4; i <= last; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; i < end; i++) hash = Math.imul(hash ^ view.getUint8(i), 0x85ebca6b)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}
