/**
 * Ids of keys in the order of the keys. Nothing is sorted before the first range is asked for, and then what was added since
 * is sorted and merged in: who never asks does not pay, and who asks pays at most once for each batch of changes.
 */
export class KeyOrder {
  readonly #compare: (left: number, right: number) => number
  readonly #isPresent: (id: number) => boolean
  #sorted = new Uint32Array(0)
  #added: number[] = []
  /** By id: whether it is in one of the two, where ids stay until they are merged although their keys are gone. */
  #isKnown = new Uint8Array(512)

  constructor(compare: (left: number, right: number) => number, isPresent: (id: number) => boolean) {
    this.#compare = compare
    this.#isPresent = isPresent
  }

  add(id: number): void {
    if (id >= this.#isKnown.length) {
      const isKnown = new Uint8Array(Math.max(id + 1, this.#isKnown.length * 2))
      isKnown.set(this.#isKnown)
      this.#isKnown = isKnown
    }
    if (this.#isKnown[id] === 1) return
    this.#isKnown[id] = 1
    this.#added.push(id)
  }

  /** The ids in order; some of them may have gone since they were last merged. Valid until the next `add`. */
  sorted(): Uint32Array {
    if (this.#added.length > 0) this.#merge()
    return this.#sorted
  }

  /** How many ids would have to be sorted before a range. */
  get unsorted(): number {
    return this.#added.length
  }

  /** The ids, in order where it was asked for before. */
  all(): Uint32Array {
    return this.#sorted.length === 0 ? Uint32Array.from(this.#added) : this.sorted()
  }

  /** Where in `sorted()` the first key is for which `isBefore` is false; it is true for all before that. */
  indexOf(isBefore: (id: number) => boolean): number {
    const sorted = this.sorted()
    let from = 0
    let to = sorted.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (isBefore(sorted[middle])) from = middle + 1
      else to = middle
    }
    return from
  }

  clear(): void {
    this.#sorted = new Uint32Array(0)
    this.#added = []
    this.#isKnown.fill(0)
  }

  #merge(): void {
    const added = Uint32Array.from(this.#added).sort(this.#compare)
    const before = this.#sorted
    const merged = new Uint32Array(before.length + added.length)
    let count = 0
    for (let i = 0, j = 0; i < before.length || j < added.length; ) {
      const takesAdded = i === before.length || (j < added.length && this.#compare(added[j], before[i]) < 0)
      const id = takesAdded ? added[j++] : before[i++]
      if (this.#isPresent(id)) merged[count++] = id
      else this.#isKnown[id] = 0
    }
    this.#sorted = merged.subarray(0, count)
    this.#added = []
  }
}
