import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Duration, formatDuration, toMilliseconds } from '../src/duration.ts'

describe('toMilliseconds', () => {
  it.each<[Duration, number]>([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['0.001s', 1],
    ['365d', 31_536_000_000],
    [1_500, 1_500],
    ['0ms', 0],
  ])('reads %s', (duration, ms) => {
    expect(toMilliseconds(duration)).toBe(ms)
  })

  it.each(['', '5', '-1s', '1w', '1 s', '0.5ms', '1e3s', 'Infinitys'])('refuses %j', (text) => {
    expect(() => toMilliseconds(text as Duration, 'window size')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('window size') }),
    )
  })

  it.each(['age', 'interval', 'window size'])('says with the right article that it is not such a thing: %s', (what) => {
    expect(() => toMilliseconds(-1, what)).toThrow(`'-1' is not ${what === 'window size' ? 'a' : 'an'} ${what}`)
  })

  it('refuses numbers that are no whole, positive milliseconds', () => {
    for (const ms of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => toMilliseconds(ms)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })
})

describe('formatDuration', () => {
  it('takes the largest unit that divides', () => {
    expect([0, 999, 1_000, 90_000, 3_600_000, 172_800_000].map(formatDuration)).toEqual([
      '0ms',
      '999ms',
      '1s',
      '90s',
      '1h',
      '2d',
    ])
  })

  it('is read back as the same time', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), (ms) => {
        expect(toMilliseconds(formatDuration(ms) as Duration)).toBe(ms)
      }),
    )
  })
})
