import { SeededRandom } from '../../../src/env/seeded-random.ts'

/** Draws by chance, the same for the same seed. */
export class Draw {
  readonly #random: SeededRandom

  constructor(seed: number) {
    this.#random = new SeededRandom(seed)
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + (this.#random.uint32() % (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.#random.uint32() < probability * 2 ** 32
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)]
  }

  /** One of the choices, each as often as its weight says; the weights must not all be 0. */
  weighted<T>(choices: readonly T[], weightOf: (choice: T) => number): T {
    const weights = choices.map(weightOf)
    let left = (this.#random.uint32() / 2 ** 32) * weights.reduce((sum, each) => sum + each, 0)
    for (let i = 0; i < choices.length; i++) {
      left -= weights[i]
      if (left < 0) return choices[i]
    }
    return choices[choices.length - 1]
  }
}
