import fc from 'fast-check'
import type { Serde } from '../../src/serde/serde.ts'
import { serde } from '../../src/serde/serdes.ts'
import type { OpenedStore } from './opened-store.ts'

/** Text of one byte a character, so that keys can be any bytes. */
export const latin1: Serde<string> = serde.of<string>({
  name: 'latin1',
  encode: (text) => Buffer.from(text, 'latin1'),
  decode: (bytes) => Buffer.from(bytes).toString('latin1'),
})

/** What happens to a store between operations on it. */
export type Happening = 'flush' | 'commit' | 'restart' | 'restore'

export const happeningOf: fc.Arbitrary<Happening> = fc.constantFrom('flush', 'commit', 'commit', 'restart', 'restore')

/** Keys of few bytes, so that they meet: with all-high bytes, prefixes of one another, and the empty one. */
export const keyOf: fc.Arbitrary<string> = fc
  .array(fc.constantFrom('\0', '\x01', 'a', '\xff'), { maxLength: 3 })
  .map((parts) => parts.join(''))

export const numberOf: fc.Arbitrary<number | null> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.nat(9) },
)

/** Contents as a test thinks of them, of which the last committed ones come back at a restart. */
export class ModelledContents<C> {
  now: C
  #committed: C
  readonly #copy: (contents: C) => C

  constructor(empty: C, copy: (contents: C) => C) {
    this.now = empty
    this.#copy = copy
    this.#committed = copy(empty)
  }

  happen<S, R>(what: Happening, store: OpenedStore<S, R>): void {
    if (what === 'commit') this.#committed = this.#copy(this.now)
    else if (what !== 'flush') this.now = this.#copy(this.#committed)
    store[what]()
  }
}
