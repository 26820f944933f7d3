import { describe, expect, it } from 'vitest'
import { FinalResults, type ResultRow } from '../results.ts'

function row(sensor: string, start: number, end: number, count = 1): ResultRow {
  return { sensor, start, end, count, min: 0, max: 0, mean: 0 }
}

describe('FinalResults', () => {
  it('keeps the last value of each window, so that updates may come twice', () => {
    const results = new FinalResults()
    for (const count of [1, 2, 3, 2, 3]) results.put(row('a', 0, 10, count))
    results.put(row('a', 10, 20, 9))
    expect(results.sorted().map(({ start, count }) => [start, count])).toEqual([
      [0, 3],
      [10, 9],
    ])
  })

  it('forgets a session that was deleted, but not one with the same start', () => {
    const results = new FinalResults()
    results.put(row('a', 0, 0))
    results.put(row('a', 0, 5, 2))
    results.remove('a', 0, 0)
    results.remove('b', 0, 0)
    expect(results.sorted()).toEqual([row('a', 0, 5, 2)])
  })

  it('sorts by the bytes of the name, then by time as a number', () => {
    const results = new FinalResults()
    // In UTF-16 the last of these would sort before the one above it; in bytes it does not.
    const names = ['Z', 'a', 'a/b', 'é', '\uFF5E', '\u{1F600}']
    for (const name of names.toReversed())
      for (const start of [1_000, 900, 10_000]) results.put(row(name, start, start + 5))
    expect(results.sorted().map(({ sensor }) => sensor)).toEqual(names.flatMap((name) => [name, name, name]))
    expect(
      results
        .sorted()
        .slice(0, 3)
        .map(({ start }) => start),
    ).toEqual([900, 1_000, 10_000])
  })
})
