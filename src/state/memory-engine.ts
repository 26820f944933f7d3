import { KeyDictionary } from './key-dictionary.ts'
import { KeyOrder } from './key-order.ts'
import { OperationList } from './operation-list.ts'
import type { EngineBatch, EngineEntry, EngineOperation, StoreEngine, StoreEngineFactory } from './store-engine.ts'
import { ValueSlab } from './value-slab.ts'

/**
 * Keeps a store in memory only: keys and values as bytes in large buffers, found by a hash of the key, so that a row is no
 * object. The order of the keys is made when a range is first asked for.
 */
export const memoryEngine: StoreEngineFactory = {
  name: 'memory',
  durable: false,
  open: () => new MemoryEngine(),
}

/** Keys that are gone are forgotten when they are this many and outnumber the others. */
const leastForgottenKeys = 1_024
/** Sorting is worth it for a deletion where fewer keys than one in so many are new. */
const unsortedShare = 16

class MemoryEngine implements StoreEngine {
  /** Has the keys that are gone too, until there are too many. */
  #keys = new KeyDictionary()
  #values = new ValueSlab()
  #order = this.#newOrder()
  #size = 0
  #position = 0

  get(key: Uint8Array): Buffer | undefined {
    const id = this.#keys.find(key, 0, key.length)
    return id < 0 ? undefined : this.#values.get(id)
  }

  *range(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    options: { reverse?: boolean } = {},
  ): Generator<EngineEntry> {
    const first = this.#indexOf(from, 0)
    const end = this.#indexOf(to, this.#order.sorted().length)
    const sorted = this.#order.sorted()
    for (let i = first; i < end; i++) {
      const id = sorted[options.reverse === true ? end - 1 - (i - first) : i]
      const value = this.#values.get(id)
      if (value !== undefined) yield { key: this.#keyOf(id), value: Buffer.from(value) }
    }
  }

  write(batch: EngineBatch): void {
    const { operations } = batch
    if (operations instanceof OperationList) this.#applyList(operations)
    else for (const operation of operations) this.#apply(operation)
    this.#position = batch.position
    if (this.#keys.size - this.#size >= Math.max(leastForgottenKeys, this.#size)) this.#forgetKeys()
  }

  position(): number {
    return this.#position
  }

  size(): number {
    return this.#size
  }

  isEmpty(): boolean {
    return this.#size === 0
  }

  clear(): void {
    this.#empty()
    this.#position = 0
  }

  close(): void {
    this.#empty()
  }

  /** As one by one, but without views of the rows' bytes. */
  #applyList(operations: OperationList): void {
    // There will be so many keys at least: an engine that was empty grows once, and not by and by.
    this.#reserve(operations.putCount)
    const bytes = operations.out.buffer
    for (let i = 0; i < operations.length; i++) {
      const middle = operations.middleOf(i)
      if (operations.kindOf(i) !== 'put') this.#apply(operations.at(i))
      else this.#put(bytes, operations.startOf(i), middle, bytes, middle, operations.endOf(i))
    }
  }

  #reserve(keyCount: number): void {
    this.#keys.reserve(keyCount)
    this.#values.reserve(keyCount)
    this.#order.reserve(keyCount)
  }

  #apply(operation: EngineOperation): void {
    if (operation.kind === 'put') {
      const { key, value } = operation
      this.#put(key, 0, key.length, value, 0, value.length)
    } else if (operation.kind === 'delete') this.#delete(this.#keys.find(operation.key, 0, operation.key.length))
    else this.#deleteRange(operation.from, operation.to)
  }

  #put(key: Buffer, keyStart: number, keyEnd: number, value: Buffer, valueStart: number, valueEnd: number): void {
    const id = this.#keys.idOf(key, keyStart, keyEnd)
    if (!this.#values.has(id)) {
      this.#size++
      this.#order.add(id)
    }
    this.#values.set(id, value, valueStart, valueEnd)
  }

  /** `id` is -1 where the key was never there. */
  #delete(id: number): void {
    if (id < 0 || !this.#values.has(id)) return
    this.#values.delete(id)
    this.#size--
  }

  #deleteRange(from: Buffer, to: Buffer): void {
    if (this.#order.unsorted * unsortedShare > this.#size) {
      this.#deleteWithin(from, to)
      return
    }
    const first = this.#indexOf(from, 0)
    const end = this.#indexOf(to, 0)
    const sorted = this.#order.sorted()
    for (let i = first; i < end; i++) this.#delete(sorted[i])
  }

  /** Looks at every key: so much is new that this is cheaper than to put it in order. */
  #deleteWithin(from: Buffer, to: Buffer): void {
    for (let id = 0; id < this.#keys.size; id++) {
      if (this.#keys.compareWith(id, to) < 0 && this.#keys.compareWith(id, from) >= 0) this.#delete(id)
    }
  }

  #indexOf(key: Uint8Array | undefined, otherwise: number): number {
    if (key === undefined) return otherwise
    return this.#order.indexOf((id) => this.#keys.compareWith(id, key) < 0)
  }

  #keyOf(id: number): Buffer {
    return Buffer.from(this.#keys.arena.subarray(this.#keys.startOf(id), this.#keys.endOf(id)))
  }

  /** Gives the keys that are there new ids, in their order where it is known. */
  #forgetKeys(): void {
    const keys = this.#keys
    const values = this.#values
    const ids = this.#order.all()
    this.#empty()
    for (const id of ids) {
      const value = values.get(id)
      if (value !== undefined) this.#put(keys.arena, keys.startOf(id), keys.endOf(id), value, 0, value.length)
    }
  }

  #empty(): void {
    this.#keys = new KeyDictionary()
    this.#values = new ValueSlab()
    this.#order = this.#newOrder()
    this.#size = 0
  }

  #newOrder(): KeyOrder {
    return new KeyOrder(
      (left, right) => this.#keys.compare(left, right),
      (id) => this.#values.has(id),
    )
  }
}
