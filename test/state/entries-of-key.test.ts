import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntriesOfKey } from '../../src/state/entries-of-key.ts'

const entryOf = fc.record({ start: fc.integer({ min: 0, max: 6 }), end: fc.integer({ min: 0, max: 6 }) })
const stepOf = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), entry: entryOf }) },
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(20) }),
  fc.record({ kind: fc.constant('take' as const) }),
)

describe('EntriesOfKey', () => {
  it('is a list sorted by (end, start), whatever is added and taken', () => {
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 40 }), fc.integer({ min: -1, max: 8 }), (steps, time) => {
        const list = new EntriesOfKey<{ start: number; end: number }>()
        const model: { start: number; end: number }[] = []
        for (const step of steps) {
          if (step.kind === 'add') {
            const entry = { ...step.entry }
            list.add(entry)
            model.push(entry)
            model.sort((a, b) => a.end - b.end || a.start - b.start)
          } else if (model.length > 0) {
            if (step.kind === 'take') expect(list.takeFirst()).toBe(model.shift())
            else list.remove(...(model.splice(step.at % model.length, 1) as [{ start: number; end: number }]))
          }
          expect(list.firstEnd).toBe(model[0]?.end ?? Number.POSITIVE_INFINITY)
        }
        expect([...list.entries]).toEqual(model)
        expect(list.entries.every((entry, i) => entry === model[i])).toBe(true)
        expect(list.indexOfEnd(time)).toBe(model.filter(({ end }) => end < time).length)
        expect(list.length).toBe(model.length)
      }),
    )
  })
})
