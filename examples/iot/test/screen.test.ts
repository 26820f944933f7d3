import { describe, expect, it } from 'vitest'
import type { ResultRow } from '../results.ts'
import { Board, quantity, Screen } from '../screen.ts'

const wide = { columns: 200, rows: 50 }

function row(sensor: string, start: number, end: number, count: number, value = 1): ResultRow {
  return { sensor, start, end, count, min: value, max: value, mean: value }
}

describe('Board', () => {
  it('shows of each sensor the latest window of each length, sensors in the order of their numbers', () => {
    const board = new Board([1_000, 10_000])
    for (const sensor of ['cpu/10', 'cpu/9', 'memory/used']) {
      board.put(row(sensor, 0, 1_000, 4))
      board.put(row(sensor, 1_000, 2_000, 5))
      board.put(row(sensor, 0, 10_000, 9))
    }
    const [title, groups, header, ...body] = board.render('title', wide)
    expect(title).toBe('title')
    expect(groups).toMatch(/-+ 1 s -+ {2}-+ 10 s -+/)
    expect(header?.trim().split(/\s+/)).toEqual(['count', 'min', 'max', 'mean', 'count', 'min', 'max', 'mean'])
    expect(body.map((line) => line.split(/\s{2,}/).filter((_, at) => at === 0 || at === 1 || at === 5))).toEqual([
      ['cpu/9', '5', '9'],
      ['cpu/10', '5', '9'],
      ['memory/used', '5', '9'],
    ])
  })

  it('is not brought back to an earlier window by a late update', () => {
    const board = new Board([1_000])
    board.put(row('cpu/0', 1_000, 2_000, 5))
    board.put(row('cpu/0', 0, 1_000, 7))
    board.put(row('cpu/0', 1_000, 2_000, 6))
    expect(board.render('', wide).at(-1)).toMatch(/^cpu\/0 +6 /)
  })

  it('keeps its columns in place while values change', () => {
    const board = new Board([1_000])
    board.put(row('cpu/0', 0, 1_000, 1, 0.5))
    const before = board.render('', wide)
    board.put(row('cpu/0', 0, 1_000, 10, 99.9))
    const after = board.render('', wide)
    expect(after.map((line) => line.length)).toEqual(before.map((line) => line.length))
  })

  it('fits any screen, and says how many sensors it leaves out', () => {
    const board = new Board([1_000])
    for (let core = 0; core < 128; core++) board.put(row(`cpu/${core}`, 0, 1_000, 1))
    for (const [columns, rows] of [
      [80, 24],
      [20, 6],
      [2, 1],
      [300, 400],
    ] as const) {
      const lines = board.render('a title that is rather long, longer than a small screen', { columns, rows })
      expect(lines.length).toBeLessThan(Math.max(2, rows))
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(columns)
    }
    expect(board.render('', { columns: 80, rows: 24 }).at(-1)).toBe('... and 109 more sensors')
    expect(board.render('', { columns: 80, rows: 400 }).length).toBe(131)
  })
})

describe('quantity', () => {
  it('shows values in their unit', () => {
    expect(quantity(12.345, 'percent')).toBe('12.3 %')
    expect(quantity(0.4567, 'ms')).toBe('0.46 ms')
    expect(quantity(1_023, 'bytes/s')).toBe('1023 B/s')
    expect(quantity(1_024, 'bytes/s')).toBe('1.0 KiB/s')
    expect(quantity(1_048_575, 'bytes')).toBe('1.0 MiB')
    expect(quantity(3.25 * 2 ** 30, 'bytes')).toBe('3.3 GiB')
    expect(quantity(1 / 3, undefined)).toBe('0.333333')
  })
})

describe('Screen', () => {
  function screenOf(rows: number): { screen: Screen; written: string[] } {
    const written: string[] = []
    return { screen: new Screen({ columns: 40, rows, write: (text) => written.push(text) }), written }
  }

  it('goes back over the lines of the last drawing and clears what they leave', () => {
    const { screen, written } = screenOf(24)
    screen.draw(['a', 'b', 'c'])
    screen.draw(['d'])
    screen.draw(['e'])
    expect(written).toEqual([
      '\ra\u001b[K\nb\u001b[K\nc\u001b[K\n\u001b[J',
      '\u001b[3A\rd\u001b[K\n\u001b[J',
      '\u001b[1A\re\u001b[K\n\u001b[J',
    ])
  })

  it('never goes up further than the screen is high', () => {
    const { screen, written } = screenOf(3)
    screen.draw(['a', 'b', 'c', 'd', 'e'])
    screen.draw(['f'])
    expect(written[1]?.startsWith('\u001b[2A\r')).toBe(true)
  })

  it('takes 80 by 24 where the terminal does not tell its size', () => {
    expect(new Screen({ write: () => true }).size).toEqual({ columns: 80, rows: 24 })
    expect(new Screen({ columns: 0, rows: 0, write: () => true }).size).toEqual({ columns: 80, rows: 24 })
  })
})
