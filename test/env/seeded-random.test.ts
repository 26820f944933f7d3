import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import { describeRandom } from './environment-conformance.ts'

describeRandom('seeded', () => new SeededRandom(2026))

describe('seeded random', () => {
  it('is xoshiro128** 1.1', () => {
    // The numbers that the authors' program prints from this state, which other libraries also test against.
    const random = new SeededRandom([1, 2, 3, 4])
    expect(Array.from({ length: 10 }, () => random.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ])
  })

  it('begins differently for every seed', () => {
    const firsts = Array.from({ length: 1000 }, (_, seed) => new SeededRandom(seed).uint32())
    expect(new Set(firsts).size).toBe(1000)
  })
})
