import { assert } from '../errors.ts'

/** Keys that a new dictionary takes before it grows. */
const initialKeys = 512
/** Slots per key at least: half of them stay empty, so that a probe rarely takes a second step. */
const slotsPerKey = 2
/** Positions in the arena are kept as unsigned 32-bit integers. */
const largestArena = 2 ** 32 - 1

/**
 * Gives each distinct key (a range of bytes) a small integer, its id: 0 for the first, then 1, 2, ... State is kept by
 * id, so a record costs one lookup of bytes and no object. Open addressing in typed arrays; the keys' bytes lie one
 * after the other in one buffer, the arena. Growing doubles, so that its cost per key stays constant.
 *
 * Invariants: `#slots` holds pairs of (hash, id + 1), where 0 is an empty slot; the bytes of `id` are
 * `arena[#starts[id]..#starts[id + 1])`; keys are never removed one by one, only all of them by `clear`.
 */
export class KeyDictionary {
  /** The bytes of all keys; replaced when it grows, so read it anew after adding. */
  arena: Buffer = Buffer.allocUnsafeSlow(initialKeys * 16)
  #starts = new Uint32Array(initialKeys + 1)
  #slots = new Int32Array(initialKeys * slotsPerKey * 2)
  #mask = initialKeys * slotsPerKey - 1
  #size = 0

  /** How many keys there are; their ids are 0 to `size - 1`. */
  get size(): number {
    return this.#size
  }

  /** How many bytes the keys take. */
  get byteLength(): number {
    return this.#starts[this.#size] as number
  }

  /** The id of the key in `bytes[start..end)`, which is added where it is new. */
  idOf(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end)
    const found = this.#probe(hash, bytes, start, end)
    return found >= 0 ? found : this.#add(hash, bytes, start, end)
  }

  /** The id of the key in `bytes[start..end)`, or -1 where there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#probe(hashOf(bytes, start, end), bytes, start, end)
  }

  /** Where the key's bytes begin in the arena. */
  startOf(id: number): number {
    return this.#starts[id] as number
  }

  /** Where the key's bytes end in the arena. */
  endOf(id: number): number {
    return this.#starts[id + 1] as number
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

  /** Forgets all keys and gives the memory back. */
  clear(): void {
    this.arena = Buffer.allocUnsafeSlow(initialKeys * 16)
    this.#starts = new Uint32Array(initialKeys + 1)
    this.#slots = new Int32Array(initialKeys * slotsPerKey * 2)
    this.#mask = initialKeys * slotsPerKey - 1
    this.#size = 0
  }

  #probe(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots
    const mask = this.#mask
    const length = end - start
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = (slots[slot * 2 + 1] as number) - 1
      if (id < 0) return -1
      if (slots[slot * 2] !== hash) continue
      const from = this.#starts[id] as number
      if ((this.#starts[id + 1] as number) - from === length && this.#equals(from, bytes, start, end)) return id
    }
  }

  #equals(from: number, bytes: Uint8Array, start: number, end: number): boolean {
    const arena = this.arena
    for (let i = start, j = from; i < end; i++, j++) {
      if (bytes[i] !== arena[j]) return false
    }
    return true
  }

  #add(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const id = this.#size
    if ((id + 1) * slotsPerKey > this.#mask) this.#growTable()
    const from = this.#starts[id] as number
    const to = from + end - start
    if (to > this.arena.length) this.#growArena(to)
    const arena = this.arena
    for (let i = start, j = from; i < end; i++, j++) arena[j] = bytes[i] as number
    this.#starts[id + 1] = to
    this.#size = id + 1
    insert(this.#slots, this.#mask, hash, id + 1)
    return id
  }

  #growTable(): void {
    const slotCount = (this.#mask + 1) * 2
    const slots = new Int32Array(slotCount * 2)
    const old = this.#slots
    for (let i = 0; i < old.length; i += 2) {
      const next = old[i + 1] as number
      if (next !== 0) insert(slots, slotCount - 1, old[i] as number, next)
    }
    const starts = new Uint32Array(slotCount / slotsPerKey + 1)
    starts.set(this.#starts)
    this.#slots = slots
    this.#mask = slotCount - 1
    this.#starts = starts
  }

  #growArena(needed: number): void {
    assert(needed <= largestArena, 'the keys of one store in memory take less than 4 GiB')
    const larger = Buffer.allocUnsafeSlow(Math.min(largestArena, Math.max(needed, this.arena.length * 2)))
    this.arena.copy(larger, 0, 0, this.byteLength)
    this.arena = larger
  }
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

function insert(slots: Int32Array, mask: number, hash: number, idPlusOne: number): void {
  let slot = hash & mask
  while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask
  slots[slot * 2] = hash
  slots[slot * 2 + 1] = idPlusOne
}

/** Four bytes at a time, mixed by a multiplication and a fold of the high bits; the last mix spreads the low bits that pick the slot. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  let i = start
  for (; i + 4 <= end; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x85ebca6b)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}
