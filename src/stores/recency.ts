import type { StateStore } from '../state/state-store.ts'

/** What was used last, of the entries of a store: keys by their bytes, the least recently used first. */
export class Recency<K> {
  readonly #keys = new Map<string, K>()

  get size(): number {
    return this.#keys.size
  }

  /** The key is the one used last. */
  touch(bytes: Buffer, key: K): void {
    const id = bytes.toString('latin1')
    this.#keys.delete(id)
    this.#keys.set(id, key)
  }

  forget(bytes: Buffer): void {
    this.#keys.delete(bytes.toString('latin1'))
  }

  /** The key that was not used for longest; there is one. */
  eldest(): K {
    const [key] = this.#keys.values()
    return key as K
  }
}

/** One for each store of a task, whoever opens it. */
const ofStores = new WeakMap<StateStore, Recency<unknown>>()

/** What is known of a store's use; `read` gives its entries where that is not known yet, the least recently used first. */
export function recencyOf<K>(store: StateStore, read: () => Iterable<readonly [bytes: Buffer, key: K]>): Recency<K> {
  let known = ofStores.get(store) as Recency<K> | undefined
  if (known === undefined) {
    known = new Recency<K>()
    for (const [bytes, key] of read()) known.touch(bytes, key)
    ofStores.set(store, known as Recency<unknown>)
  }
  return known
}
