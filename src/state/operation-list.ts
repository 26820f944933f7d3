import { ByteWriter } from '../bytes/byte-writer.ts'
import type { EngineOperation } from './store-engine.ts'

type Kind = EngineOperation['kind']

/** Numbers that tell an operation: its kind, and where its two parts end, of which a deletion of one key has the first alone. */
const numbersPerOperation = 3
const kinds: readonly Kind[] = ['put', 'delete', 'delete-range']
/** A list that was larger is given back when it is cleared. */
const keptBytes = 16 * 1024 * 1024

/**
 * Operations for an engine as bytes in one buffer, so that the hundred thousand rows of a commit are not as many objects. The list is
 * cleared and used again: what it hands out is lent until then.
 */
export class OperationList implements Iterable<EngineOperation> {
  /** Where the parts of the operation that was begun are written. */
  out: ByteWriter = new ByteWriter(256)
  #operations = new Uint32Array(16 * numbersPerOperation)
  #count = 0
  #putCount = 0
  /** Where the bytes of complete operations end. */
  #end = 0

  get length(): number {
    return this.#count
  }

  /** How many of the operations are puts. */
  get putCount(): number {
    return this.#putCount
  }

  /** Begins an operation: its first part is what is written to `out` from here on. Returns where that begins. */
  begin(): number {
    // What was begun and not completed, because a serde threw, is dropped.
    this.out.length = this.#end
    return this.#end
  }

  /** Completes the operation: its first part ends at `firstEnd`, its second one where `out` ends now. */
  complete(kind: Kind, firstEnd: number): void {
    const at = this.#count * numbersPerOperation
    if (at === this.#operations.length) this.#grow()
    this.#operations[at] = kinds.indexOf(kind)
    this.#operations[at + 1] = firstEnd
    this.#operations[at + 2] = this.out.length
    this.#end = this.out.length
    this.#count++
    if (kind === 'put') this.#putCount++
  }

  /** Copies an operation in. */
  add(operation: EngineOperation): void {
    this.begin()
    this.out.writeBytes(operation.kind === 'delete-range' ? operation.from : operation.key)
    const firstEnd = this.out.length
    if (operation.kind === 'put') this.out.writeBytes(operation.value)
    else if (operation.kind === 'delete-range') this.out.writeBytes(operation.to)
    this.complete(operation.kind, firstEnd)
  }

  clear(): void {
    this.#count = 0
    this.#putCount = 0
    this.#end = 0
    this.out.clear()
    if (this.out.buffer.length > keptBytes) this.out = new ByteWriter(256)
  }

  kindOf(index: number): Kind {
    return kinds[this.#operations[index * numbersPerOperation]]
  }

  /** Where in `out.buffer` the operation's first part begins, */
  startOf(index: number): number {
    return index === 0 ? 0 : this.endOf(index - 1)
  }

  /** where it ends and the second one begins, */
  middleOf(index: number): number {
    return this.#operations[index * numbersPerOperation + 1]
  }

  /** and where that ends. */
  endOf(index: number): number {
    return this.#operations[index * numbersPerOperation + 2]
  }

  *[Symbol.iterator](): Generator<EngineOperation, undefined> {
    for (let i = 0; i < this.#count; i++) yield this.at(i)
    return undefined
  }

  /** The operation, with views of its bytes. */
  at(index: number): EngineOperation {
    const bytes = this.out.buffer
    const kind = this.kindOf(index)
    const first = bytes.subarray(this.startOf(index), this.middleOf(index))
    const second = bytes.subarray(this.middleOf(index), this.endOf(index))
    if (kind === 'put') return { kind, key: first, value: second }
    return kind === 'delete' ? { kind, key: first } : { kind, from: first, to: second }
  }

  #grow(): void {
    const operations = new Uint32Array(this.#operations.length * 2)
    operations.set(this.#operations)
    this.#operations = operations
  }
}
