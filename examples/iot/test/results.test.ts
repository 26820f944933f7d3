import { describe, expect, it } from 'vitest'
import { FinalResults } from '../results.ts'
import { addValue, emptyStats, type Stats } from '../stats.ts'

function statsOf(...values: number[]): Stats {
  return values.reduce(addValue, emptyStats())
}

describe('FinalResults', () => {
  it('keeps the last value of each window, so that updates may come twice', () => {
    const results = new FinalResults()
    for (const values of [[1], [1, 2], [1, 2, 6], [1, 2], [1, 2, 6]]) results.put('a', 0, 10, statsOf(...values))
    results.put('a', 10, 20, statsOf(9))
    expect(results.sorted()).toEqual([
      { sensor: 'a', start: 0, end: 10, count: 3, min: 1, max: 6, mean: 3 },
      { sensor: 'a', start: 10, end: 20, count: 1, min: 9, max: 9, mean: 9 },
    ])
  })

  it('forgets a session that was deleted, whether its deletion comes before the grown one or after', () => {
    for (const deletedFirst of [true, false]) {
      const results = new FinalResults()
      results.put('a', 0, 0, statsOf(1))
      results.put('a', 9, 9, statsOf(1))
      if (deletedFirst) results.remove('a', 0, 0)
      results.put('a', 0, 5, statsOf(1, 1))
      if (!deletedFirst) results.remove('a', 0, 0)
      results.remove('a', 9, 9)
      results.remove('b', 0, 5)
      expect(results.sorted().map(({ start, end }) => [start, end])).toEqual([[0, 5]])
    }
  })

  it('sorts by the bytes of the name, then by time as a number', () => {
    const results = new FinalResults()
    // In UTF-16 the last of these would sort before the one above it; in bytes it does not.
    const names = ['Z', 'a', 'a/b', 'é', '\uFF5E', '\u{1F600}']
    for (const name of names.toReversed()) {
      for (const start of [1_000, 900, 10_000]) results.put(name, start, start + 5, statsOf(1))
    }
    const rows = results.sorted()
    expect(rows.map(({ sensor }) => sensor)).toEqual(names.flatMap((name) => [name, name, name]))
    expect(rows.slice(0, 3).map(({ start }) => start)).toEqual([900, 1_000, 10_000])
  })
})
