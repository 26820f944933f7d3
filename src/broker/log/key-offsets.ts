import { murmur2 } from '../../record/partitioner.ts'

/** What an entry takes beside its key: slot (twice, for a table half full), place and length of the key, offset. */
const entryOverheadBytes = 24
const firstSlots = 1_024

/**
 * For keys as bytes the last offset that they were seen at, in a bounded number of bytes. Keys are held whole, so that no
 * two are ever taken for one.
 */
export class KeyOffsets {
  readonly #maxBytes: number
  /** One above the number of the entry; 0 where there is none. Always a power of two long. */
  #slots = new Int32Array(firstSlots)
  #keys = Buffer.allocUnsafeSlow(firstSlots * 16)
  #keysEnd = 0
  #starts = new Float64Array(firstSlots / 2)
  #lengths = new Int32Array(firstSlots / 2)
  #offsets = new Float64Array(firstSlots / 2)
  #size = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#size
  }

  /** False where there is no room for the key. An empty map has room for any. */
  put(bytes: Buffer, start: number, end: number, offset: number): boolean {
    let slot = this.#find(bytes, start, end)
    const entry = (this.#slots[slot] as number) - 1
    if (entry >= 0) {
      this.#offsets[entry] = offset
      return true
    }
    const length = end - start
    const neededBytes = this.#keysEnd + length + (this.#size + 1) * entryOverheadBytes
    if (this.#size > 0 && neededBytes > this.#maxBytes) return false
    if ((this.#size + 1) * 2 > this.#slots.length) {
      this.#growTable()
      slot = this.#find(bytes, start, end)
    }
    if (this.#keysEnd + length > this.#keys.length) this.#growKeys(this.#keysEnd + length)
    bytes.copy(this.#keys, this.#keysEnd, start, end)
    this.#starts[this.#size] = this.#keysEnd
    this.#lengths[this.#size] = length
    this.#offsets[this.#size] = offset
    this.#keysEnd += length
    this.#size++
    this.#slots[slot] = this.#size
    return true
  }

  /** -1 where the key is not there. */
  get(bytes: Buffer, start: number, end: number): number {
    const entry = (this.#slots[this.#find(bytes, start, end)] as number) - 1
    return entry < 0 ? -1 : (this.#offsets[entry] as number)
  }

  /** The slot of the key, or the empty one where it belongs. */
  #find(bytes: Buffer, start: number, end: number): number {
    const mask = this.#slots.length - 1
    let slot = murmur2(bytes, start, end) & mask
    for (;;) {
      const entry = (this.#slots[slot] as number) - 1
      if (entry < 0 || this.#isKey(entry, bytes, start, end)) return slot
      slot = (slot + 1) & mask
    }
  }

  #isKey(entry: number, bytes: Buffer, start: number, end: number): boolean {
    const length = this.#lengths[entry] as number
    if (length !== end - start) return false
    const keyStart = this.#starts[entry] as number
    return bytes.compare(this.#keys, keyStart, keyStart + length, start, end) === 0
  }

  #growTable(): void {
    this.#starts = withRoom(this.#starts, new Float64Array(this.#slots.length))
    this.#offsets = withRoom(this.#offsets, new Float64Array(this.#slots.length))
    this.#lengths = withRoom(this.#lengths, new Int32Array(this.#slots.length))
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let entry = 0; entry < this.#size; entry++) {
      const start = this.#starts[entry] as number
      const slot = this.#find(this.#keys, start, start + (this.#lengths[entry] as number))
      this.#slots[slot] = entry + 1
    }
  }

  #growKeys(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#keys.length * 2))
    this.#keys.copy(larger, 0, 0, this.#keysEnd)
    this.#keys = larger
  }
}

function withRoom<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
