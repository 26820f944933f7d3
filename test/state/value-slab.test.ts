import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ValueSlab } from '../../src/state/value-slab.ts'

const smallSize = fc.integer({ min: 0, max: 40 })
/** Also such that have a chunk of their own, and make what is given up be more than what is used. */
const anySize = fc.oneof({ weight: 8, arbitrary: smallSize }, fc.integer({ min: 60_000, max: 300_000 }))
const stepOf = fc.record({ id: fc.integer({ min: 0, max: 900 }), size: fc.option(anySize), fill: fc.nat(255) })

describe('ValueSlab', () => {
  it('has for each id what was set last, whatever was set and deleted', () => {
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 60 }), (steps) => {
        const slab = new ValueSlab()
        const model = new Map<number, Buffer>()
        for (const { id, size, fill } of steps) {
          expect(slab.has(id)).toBe(model.has(id))
          if (size !== null) {
            model.set(id, Buffer.alloc(size, fill))
            slab.set(id, Buffer.concat([Buffer.alloc(3), Buffer.alloc(size, fill), Buffer.alloc(1)]), 3, 3 + size)
          } else if (model.delete(id)) slab.delete(id)
        }
        for (const [id, value] of model) expect(slab.get(id)?.equals(value)).toBe(true)
        expect(slab.get(901)).toBeUndefined()
      }),
      { numRuns: 100 },
    )
  })

  it('takes room for what it has, not for what it had', () => {
    const slab = new ValueSlab()
    for (let round = 0; round < 200; round++) {
      for (let id = 0; id < 100; id++) slab.set(id, Buffer.alloc(1_000 + round * 8, id), 0, 1_000 + round * 8)
    }
    expect(slab.byteLength).toBeLessThan(3_000_000)
    for (let id = 0; id < 100; id++) expect(slab.get(id)?.equals(Buffer.alloc(1_000 + 199 * 8, id))).toBe(true)
  })
})
