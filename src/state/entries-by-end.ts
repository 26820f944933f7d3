import { BTree } from './b-tree.ts'

/** Entries that are still to be handed on, found by their ends. */
export class EntriesByEnd<E extends { readonly end: number }> {
  readonly #byEnd = new BTree<number, Set<E>>()
  #earliestEnd = Number.POSITIVE_INFINITY

  /** Infinite where there is no entry. */
  get earliestEnd(): number {
    return this.#earliestEnd
  }

  add(entry: E): void {
    const { end } = entry
    const sameEnd = this.#byEnd.get(end)
    if (sameEnd === undefined) this.#byEnd.set(end, new Set([entry]))
    else sameEnd.add(entry)
    if (end < this.#earliestEnd) this.#earliestEnd = end
  }

  /** Takes the entry out, where it is in. */
  delete(entry: E): void {
    const sameEnd = this.#byEnd.get(entry.end)
    if (sameEnd === undefined || !sameEnd.delete(entry) || sameEnd.size > 0) return
    this.#byEnd.delete(entry.end)
    if (entry.end === this.#earliestEnd) this.#earliestEnd = this.#byEnd.minKey() ?? Number.POSITIVE_INFINITY
  }

  /** Takes the entries out that end first, all at the same time. */
  takeFirst(): E[] {
    const entries = [...(this.#byEnd.get(this.#earliestEnd) ?? [])]
    for (const entry of entries) this.delete(entry)
    return entries
  }

  all(): E[] {
    return this.#byEnd.valuesArray().flatMap((sameEnd) => [...sameEnd])
  }

  clear(): void {
    this.#byEnd.clear()
    this.#earliestEnd = Number.POSITIVE_INFINITY
  }
}
