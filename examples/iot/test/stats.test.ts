import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addValue, emptyStats, meanOf, mergeStats, type Stats } from '../stats.ts'

function statsOf(values: readonly number[]): Stats {
  return values.reduce(addValue, emptyStats())
}

describe('Stats', () => {
  it('counts, and keeps the least, the greatest and the mean', () => {
    const stats = statsOf([3, -1, 7, 3])
    expect([stats.count, stats.min, stats.max, meanOf(stats)]).toEqual([4, -1, 7, 3])
  })

  it('does not lose small values beside large ones', () => {
    expect(meanOf(statsOf([1e16, 1, -1e16, 1]))).toBe(0.5)
    expect(meanOf(statsOf(Array.from({ length: 100_000 }, () => 0.1)))).toBeCloseTo(0.1, 16)
  })

  it('is the same however the values are split and merged', () => {
    // Multiples of 1/1024 below 2^30 are summed exactly by any order of additions.
    const value = fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map((n) => n / 1_024)
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (a, b) => {
        const merged = mergeStats(statsOf(a), statsOf(b))
        const whole = statsOf([...a, ...b])
        expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max])
        if (whole.count > 0) expect(meanOf(merged)).toBe(meanOf(whole))
      }),
      { numRuns: 200 },
    )
  })

  it('merges without losing what either side carries beside its sum', () => {
    const merged = mergeStats(statsOf([1e16, 1]), statsOf([-1e16, 1]))
    expect(meanOf(merged)).toBe(0.5)
  })
})
