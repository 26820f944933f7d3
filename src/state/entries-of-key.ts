interface Bounded {
  readonly start: number
  readonly end: number
}

/**
 * The entries of one key, ordered by (end, start). The ends are beside them in an array of their own: looking for those that a
 * record needs reads a few neighbouring numbers, and no entry that it does not need.
 */
export class EntriesOfKey<E extends Bounded> {
  readonly entries: E[] = []
  readonly #ends: number[] = []

  get length(): number {
    return this.entries.length
  }

  /** The earliest end; infinite where there is no entry. */
  get firstEnd(): number {
    return this.#ends.length === 0 ? Number.POSITIVE_INFINITY : this.#ends[0]
  }

  /** The index of the first entry that ends at the time or later. Searched from the end, because records are late seldom. */
  indexOfEnd(time: number): number {
    const ends = this.#ends
    let index = ends.length
    while (index > 0 && ends[index - 1] >= time) index--
    return index
  }

  add(entry: E): void {
    const { entries } = this
    const ends = this.#ends
    const { start, end } = entry
    let at = ends.length
    entries.push(entry)
    ends.push(end)
    for (; at > 0; at--) {
      const before = ends[at - 1]
      if (before < end || (before === end && entries[at - 1].start <= start)) break
      entries[at] = entries[at - 1]
      ends[at] = before
    }
    entries[at] = entry
    ends[at] = end
  }

  /** Takes out an entry that is there: nearly always one of the last. */
  remove(entry: E): void {
    const { entries } = this
    const ends = this.#ends
    for (let i = entries.lastIndexOf(entry) + 1; i < entries.length; i++) {
      entries[i - 1] = entries[i]
      ends[i - 1] = ends[i]
    }
    entries.pop()
    ends.pop()
  }

  /** Takes out the first entry; there is one. */
  takeFirst(): E {
    this.#ends.shift()
    return this.entries.shift() as E
  }
}
