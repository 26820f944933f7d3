import { describe, expect, it } from 'vitest'
import { BadLines } from '../bad-lines.ts'

const bad = { path: 'nab/taxi.csv', line: 17, reason: '"x" is not a finite number' }

describe('BadLines', () => {
  it('stops at the first, with file, line, reason and what to do', () => {
    expect(() => new BadLines('fail').take(bad)).toThrow(
      'Cannot read "nab/taxi.csv" (line 17): "x" is not a finite number. Correct the line, or leave such lines out with --on-bad-line skip.',
    )
  })

  it('counts all and shows the first few', () => {
    const lines = new BadLines('skip')
    expect(lines.report()).toEqual([])
    lines.take(bad)
    expect(lines.report()).toEqual(['1 line was left out:', '  "nab/taxi.csv" (line 17): "x" is not a finite number'])
    for (let line = 18; line < 30; line++) lines.take({ ...bad, line })
    expect(lines.count).toBe(13)
    expect(lines.report().at(0)).toBe('13 lines were left out:')
    expect(lines.report().at(-1)).toBe('  ... and 8 more')
    expect(lines.report().length).toBe(7)
  })
})
