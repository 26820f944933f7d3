import type { Random } from './environment.ts'

type State = readonly [number, number, number, number]

/**
 * The generator xoshiro128** 1.1 of Blackman and Vigna: the same seed gives the same numbers on every machine. Not for
 * secrets.
 */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed an integer, of which 53 bits count; or the generator's four words of state, not all zero */
  constructor(seed: number | State) {
    const [a, b, c, d] = typeof seed === 'number' ? stateFrom(seed) : seed
    this.#a = a
    this.#b = b
    this.#c = c
    this.#d = d
  }

  uint32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9)
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotateLeft(this.#d, 11)
    return scrambled >>> 0
  }

  uuid(): string {
    // RFC 9562: the first digit of the third group is the version, the first two bits of the fourth are the variant.
    const second = (this.uint32() & 0xffff0fff) | 0x4000
    const third = (this.uint32() & 0x3fffffff) | 0x80000000
    const digits = hex(this.uint32()) + hex(second) + hex(third) + hex(this.uint32())
    const groups = [
      digits.slice(0, 8),
      digits.slice(8, 12),
      digits.slice(12, 16),
      digits.slice(16, 20),
      digits.slice(20),
    ]
    return groups.join('-')
  }
}

/** Spreads a seed over the state by splitmix32, so that seeds that differ in one bit share nothing. */
function stateFrom(seed: number): State {
  const high = Math.floor(seed / 2 ** 32)
  let counter = (seed ^ Math.imul(high, 0x9e3779b1)) | 0
  const next = () => {
    counter = (counter + 0x9e3779b9) | 0
    let mixed = counter ^ (counter >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
  const a = next()
  const b = next()
  const c = next()
  // The set bit keeps the state from being all zero, from where the generator never gets away.
  return [a, b, c, next() | 1]
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
