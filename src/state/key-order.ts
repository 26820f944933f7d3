/** States of an id: none, to be sorted at the next range, or in order. */
const unknown = 0
const isAdded = 1
const isSorted = 2

/**
 * Ids of keys in the order of the keys. Nothing is sorted before the first range is asked for, and then what was added since
 * is sorted and merged in: who never asks does not pay, and who asks pays at most once for each batch of changes.
 */
export class KeyOrder {
  readonly #compare: (left: number, right: number) => number
  readonly #isPresent: (id: number) => boolean
  #sorted = new Uint32Array(0)
  /** By id: one of the three states; ids stay in theirs until they are merged although their keys are gone. */
  #states = new Uint8Array(512)
  #addedCount = 0

  constructor(compare: (left: number, right: number) => number, isPresent: (id: number) => boolean) {
    this.#compare = compare
    this.#isPresent = isPresent
  }

  add(id: number): void {
    if (id >= this.#states.length) this.reserve(Math.max(id + 1, this.#states.length * 2))
    if (this.#states[id] !== unknown) return
    this.#states[id] = isAdded
    this.#addedCount++
  }

  /** Makes room for the ids below `count`. */
  reserve(count: number): void {
    if (count <= this.#states.length) return
    const states = new Uint8Array(count)
    states.set(this.#states)
    this.#states = states
  }

  /** The ids in order; some of them may have gone since they were last merged. Valid until the next `add`. */
  sorted(): Uint32Array {
    if (this.#addedCount > 0) this.#merge()
    return this.#sorted
  }

  /** How many ids would have to be sorted before a range. */
  get unsorted(): number {
    return this.#addedCount
  }

  /** The ids, in order where it was asked for before. */
  all(): Uint32Array {
    return this.#sorted.length === 0 ? this.#added() : this.sorted()
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
    this.#addedCount = 0
    this.#states.fill(unknown)
  }

  #merge(): void {
    const added = this.#added().sort(this.#compare)
    const before = this.#sorted
    const merged = new Uint32Array(before.length + added.length)
    let count = 0
    for (let i = 0, j = 0; i < before.length || j < added.length; ) {
      const takesAdded = i === before.length || (j < added.length && this.#compare(added[j], before[i]) < 0)
      const id = takesAdded ? added[j++] : before[i++]
      const isPresent = this.#isPresent(id)
      this.#states[id] = isPresent ? isSorted : unknown
      if (isPresent) merged[count++] = id
    }
    this.#sorted = merged.subarray(0, count)
    this.#addedCount = 0
  }

  #added(): Uint32Array<ArrayBuffer> {
    const added = new Uint32Array(this.#addedCount)
    const states = this.#states
    for (let id = 0, count = 0; count < added.length; id++) if (states[id] === isAdded) added[count++] = id
    return added
  }
}
