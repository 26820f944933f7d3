import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputLines } from '../../../src/cli/kafka/input-lines.ts'

describe('lines of what comes in pieces', () => {
  it('are those of the whole, wherever it is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '\r', '\n'), maxLength: 40 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (whole, cuts) => {
        const bytes = Buffer.from(whole)
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const lines = new InputLines()
        const found = places.slice(1).flatMap((end, i) => lines.take(bytes.subarray(places[i], end)))
        const expected = whole.split('\n')
        if (expected.at(-1) === '') expected.pop()
        expect([...found, ...lines.end()].map(String)).toEqual(expected.map((line) => line.replace(/\r$/, '')))
      }),
    )
  })

  it('must end', () => {
    const lines = new InputLines()
    const piece = new Uint8Array(16 * 1024 * 1024)
    for (let i = 0; i < 4; i++) lines.take(piece)
    expect(() => lines.take(new Uint8Array(1))).toThrow(/does not end after 67108864 bytes \(line 1\)/)
  })
})
