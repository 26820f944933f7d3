import { BTree } from './b-tree.ts'
import { compareText } from './byte-text.ts'

/**
 * The entries that the engine does not have yet, or has an older value of, in the order of the engine's keys: what a range
 * over the engine must be merged with. Made at the first range, so that stores that are never iterated do not pay for it.
 */
export class UncommittedRows<E> {
  readonly #tree = new BTree<string, E>(undefined, compareText, 64)
  /** Counts changes, so that who iterates knows when to look here again. */
  changes = 0

  get(key: string): E | undefined {
    return this.#tree.get(key)
  }

  set(key: string, entry: E): void {
    this.#tree.set(key, entry)
    this.changes++
  }

  clear(): void {
    this.#tree.clear()
    this.changes++
  }

  /** The entries with `low <= key < high` as they are at the call: the tree copies what is changed later. */
  range(low: string, high: string | undefined, isReverse: boolean): Iterator<[string, E]> {
    const tree = this.#tree.clone()
    return isReverse ? downwards(tree, low, high) : upwards(tree, low, high)
  }
}

function* upwards<E>(tree: BTree<string, E>, low: string, high: string | undefined): Generator<[string, E]> {
  for (const pair of tree.entries(low)) {
    if (high !== undefined && pair[0] >= high) return
    yield pair
  }
}

function* downwards<E>(tree: BTree<string, E>, low: string, high: string | undefined): Generator<[string, E]> {
  for (const pair of tree.entriesReversed(high, undefined, true)) {
    if (pair[0] < low) return
    yield pair
  }
}
