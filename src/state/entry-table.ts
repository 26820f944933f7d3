const initialSlots = 16

/** Entries by key id: open addressing, at most half full. Entries are added and never removed; the whole table is dropped. */
export class EntryTable<E extends { readonly keyId: number }> {
  #slots: (E | undefined)[]
  #shift: number
  #size = 0

  /** Has room for so many entries without growing: a window has about as many as the one before it. */
  constructor(expected = 0) {
    let bits = Math.log2(initialSlots)
    while (2 ** bits < expected * 2 && bits < 30) bits++
    this.#slots = new Array<E | undefined>(2 ** bits).fill(undefined)
    this.#shift = 32 - bits
  }

  get size(): number {
    return this.#size
  }

  get(keyId: number): E | undefined {
    const slots = this.#slots
    const mask = slots.length - 1
    // Multiplying by the golden ratio spreads runs of neighbouring ids evenly over the slots.
    let slot = Math.imul(keyId, 0x9e3779b1) >>> this.#shift
    for (;;) {
      const entry = slots[slot]
      if (entry === undefined || entry.keyId === keyId) return entry
      slot = (slot + 1) & mask
    }
  }

  /** Puts all entries into `found`, in no order. */
  collect(found: E[]): void {
    const slots = this.#slots
    for (let i = 0; i < slots.length; i++) {
      const entry = slots[i]
      if (entry !== undefined) found.push(entry)
    }
  }

  /** Adds an entry whose key is not in the table. */
  add(entry: E): void {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow()
    this.#insert(entry)
    this.#size++
  }

  #insert(entry: E): void {
    const slots = this.#slots
    let slot = Math.imul(entry.keyId, 0x9e3779b1) >>> this.#shift
    while (slots[slot] !== undefined) slot = (slot + 1) & (slots.length - 1)
    slots[slot] = entry
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Array<E | undefined>(old.length * 2).fill(undefined)
    this.#shift--
    for (let i = 0; i < old.length; i++) {
      const entry = old[i]
      if (entry !== undefined) this.#insert(entry)
    }
  }
}
