import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlidingWindows } from '../../src/dsl/sliding-windows.ts'
import { UnlimitedWindows } from '../../src/dsl/unlimited-windows.ts'
import { SessionWindows, TimeWindows } from '../../src/dsl/windows.ts'

describe('TimeWindows', () => {
  it('tumble without grace unless told otherwise', () => {
    expect(TimeWindows.of('1m')).toMatchObject({ sizeMs: 60_000, advanceMs: 60_000, graceMs: 0 })
    expect(TimeWindows.of('1h').advanceBy('15m').grace('30s')).toMatchObject({
      sizeMs: 3_600_000,
      advanceMs: 900_000,
      graceMs: 30_000,
    })
  })

  it('stay as they are when others are made from them', () => {
    const windows = TimeWindows.of(10)
    windows.advanceBy(5)
    windows.grace(5)
    expect(windows).toMatchObject({ sizeMs: 10, advanceMs: 10, graceMs: 0 })
  })

  it('hold a timestamp in exactly the aligned windows around it', () => {
    const shapes = fc
      .record({ size: fc.integer({ min: 1, max: 60 }), advance: fc.integer({ min: 1, max: 60 }), at: fc.nat(500) })
      .filter(({ size, advance }) => advance <= size)
    fc.assert(
      fc.property(shapes, ({ size, advance, at }) => {
        const windows = TimeWindows.of(size).advanceBy(advance)
        const starts = Array.from(
          { length: windows.windowCount(at) },
          (_, i) => windows.firstStart(at) + i * windows.advanceMs,
        )
        const expected = Array.from({ length: at + 1 }, (_, start) => start).filter(
          (start) => start % advance === 0 && start <= at && at < start + size,
        )
        expect(starts).toEqual(expected)
      }),
    )
  })

  it.each([
    ['a size of 0', () => TimeWindows.of(0), 'The window size is 0 ms. Give at least 1 ms.'],
    ['an advance of 0', () => TimeWindows.of(10).advanceBy(0), 'The window advance is 0 ms. Give at least 1 ms.'],
    [
      'gaps between windows',
      () => TimeWindows.of('1s').advanceBy('2s'),
      'Windows of 1000 ms that advance by 2000 ms leave gaps between them. Advance by at most the size of the window.',
    ],
    ['a negative size', () => TimeWindows.of(-1), "'-1' is not a window size."],
    ['a fraction of a millisecond', () => TimeWindows.of(10).grace(0.5), "'0.5' is not a grace period."],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('SessionWindows', () => {
  it('have a gap and no grace unless told otherwise', () => {
    expect(SessionWindows.withGap('30m')).toMatchObject({ gapMs: 1_800_000, graceMs: 0 })
    expect(SessionWindows.withGap('30m').grace('1m')).toMatchObject({ gapMs: 1_800_000, graceMs: 60_000 })
  })

  it('refuse a gap of 0', () => {
    expect(() => SessionWindows.withGap(0)).toThrow('The session gap is 0 ms. Give at least 1 ms.')
  })
})

describe('SlidingWindows', () => {
  it('take no late records unless told otherwise', () => {
    expect(SlidingWindows.of('10s')).toMatchObject({ differenceMs: 10_000, graceMs: 0 })
    expect(SlidingWindows.of('10s').grace('1m')).toMatchObject({ differenceMs: 10_000, graceMs: 60_000 })
  })

  it('refuse a difference of nothing', () => {
    expect(() => SlidingWindows.of(0)).toThrow('The time difference is 0 ms')
  })
})

describe('UnlimitedWindows', () => {
  it('begin at 1970 unless told otherwise, and never end', () => {
    expect(UnlimitedWindows.of()).toMatchObject({ startMs: 0, sizeMs: Number.POSITIVE_INFINITY, graceMs: 0 })
    expect(UnlimitedWindows.of().startOn(5).firstStart()).toBe(5)
  })

  it('refuse a start that is no time', () => {
    for (const start of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => UnlimitedWindows.of().startOn(start)).toThrow(`The window starts at ${start}`)
    }
  })
})
