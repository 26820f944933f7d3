import { describe, expect, it } from 'vitest'
import { LineReader, maxLineBytes } from '../line-reader.ts'
import { scratchFile } from './scratch.ts'

function linesOf(text: string): { line: string; number: number; tooLong: boolean }[] {
  const reader = new LineReader(scratchFile(text))
  const lines: { line: string; number: number; tooLong: boolean }[] = []
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    lines.push({ line, number: reader.lineNumber, tooLong: reader.tooLong })
  }
  reader.close()
  return lines
}

function textsOf(text: string): string[] {
  return linesOf(text).map(({ line }) => line)
}

describe('LineReader', () => {
  it('gives lines with or without a line end at the end of the file', () => {
    expect(textsOf('a\nb\n')).toEqual(['a', 'b'])
    expect(textsOf('a\nb')).toEqual(['a', 'b'])
    expect(textsOf('')).toEqual([])
    expect(textsOf('\n\na')).toEqual(['', '', 'a'])
  })

  it('takes carriage returns off the ends of lines only', () => {
    expect(textsOf('a\r\nb\rc\r\n\r\nd\r')).toEqual(['a', 'b\rc', '', 'd'])
  })

  it('gives the same lines wherever the edges of its buffer fall', () => {
    for (let shift = 0; shift < 40; shift++) {
      const lines = Array.from({ length: 9_000 }, (_, i) => `${'é'.repeat((i + shift) % 17)}${i}`)
      const text = `${'x'.repeat(shift)}\n${lines.join('\n')}\n`
      expect(textsOf(text).slice(1)).toEqual(lines)
    }
  })

  it('gives a line of the greatest length whole', () => {
    const longest = 'y'.repeat(maxLineBytes - 1)
    expect(linesOf(`a\n${longest}\nb`).map(({ line, tooLong }) => [line.length, tooLong])).toEqual([
      [1, false],
      [maxLineBytes - 1, false],
      [1, false],
    ])
  })

  it('cuts a longer line, says so, and goes on after its end with the right number', () => {
    for (const extra of [0, 1, maxLineBytes, 3 * maxLineBytes + 7]) {
      const lines = linesOf(`a\n${'y'.repeat(maxLineBytes + 1 + extra)}\nb\n`)
      expect(lines.map(({ number, tooLong }) => [number, tooLong])).toEqual([
        [1, false],
        [2, true],
        [3, false],
      ])
      expect(lines[2]?.line).toBe('b')
      expect(lines[1]?.line.length).toBeLessThan(200)
    }
  })

  it('ends after a last line that was too long', () => {
    expect(linesOf(`a\n${'y'.repeat(2 * maxLineBytes)}`).map(({ tooLong }) => tooLong)).toEqual([false, true])
  })
})
