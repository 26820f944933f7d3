import { describe, expect, it } from 'vitest'
import { RangeCopier } from '../../src/bytes/range-copier.ts'

describe('a range copier', () => {
  it('copies ranges of every length to every place, and nothing beside them', () => {
    const copier = new RangeCopier()
    const source = Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 167 + 13) % 256))
    for (let length = 0; length <= 250; length++) {
      const start = length % 11
      const at = length % 7
      const target = Buffer.alloc(300, 0xee)
      const expected = Buffer.alloc(300, 0xee)
      source.copy(expected, at, start, start + length)
      expect(copier.copy(source, start, start + length, target, at)).toBe(at + length)
      expect(target.equals(expected), `${length} bytes`).toBe(true)
    }
  })

  it('keeps every bit of what would be a number that is none', () => {
    const copier = new RangeCopier()
    const source = Buffer.from('fff8000000000001fff000000000000ff7ff0000', 'hex')
    const target = Buffer.alloc(source.length)
    copier.copy(source, 0, source.length, target, 0)
    expect(target.toString('hex')).toBe(source.toString('hex'))
  })

  it('takes other buffers from one call to the next', () => {
    const copier = new RangeCopier()
    const [a, b] = [Buffer.from('one text'), Buffer.from('and another one')]
    const [toA, toB] = [Buffer.alloc(8), Buffer.alloc(15)]
    for (let i = 0; i < 2; i++) {
      copier.copy(a, 0, 8, toA, 0)
      copier.copy(b, 0, 15, toB, 0)
    }
    expect([toA.toString(), toB.toString()]).toEqual(['one text', 'and another one'])
  })
})
