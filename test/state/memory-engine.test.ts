import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryEngine } from '../../src/state/memory-engine.ts'
import { OperationList } from '../../src/state/operation-list.ts'
import type { EngineOperation, StoreEngine } from '../../src/state/store-engine.ts'
import { put, rows, storeEngineConformance } from './store-engine-conformance.ts'

const newEngine = (): StoreEngine => memoryEngine.open({ directory: undefined, store: 'counts' })

describe('memoryEngine', () => {
  storeEngineConformance(
    () => memoryEngine,
    () => '',
  )

  it('keeps what it has when the keys that are gone outnumber it, in order or not', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1, max: 5 }), (isOrdered, kept) => {
        const engine = newEngine()
        const keys = Array.from({ length: 4_000 }, (_, i) => `key-${String((i * 7919) % 4_000).padStart(4, '0')}`)
        engine.write({ operations: keys.map((key) => put(key, `value of ${key}`)), position: 1 })
        if (isOrdered) expect(rows(engine)).toHaveLength(4_000)
        const isKept = (i: number): boolean => i % (kept * 3) === 0
        const operations = keys.flatMap((key, i): EngineOperation[] =>
          isKept(i) ? [] : [{ kind: 'delete', key: Buffer.from(key) }],
        )
        engine.write({ operations, position: 2 })
        engine.write({ operations: [put('key-new', '.')], position: 3 })
        const left = keys.filter((_, i) => isKept(i))
        const expected = [...left.map((key) => `${key}=value of ${key}`), 'key-new=.'].sort()
        expect(rows(engine)).toEqual(expected)
        expect(rows(engine, undefined, undefined, true)).toEqual(expected.toReversed())
        expect(engine.size()).toBe(expected.length)
        expect(engine.get(Buffer.from(left[0] as string))?.toString()).toBe(`value of ${left[0]}`)
      }),
      { numRuns: 12 },
    )
  })

  it('takes a list of operations as it takes an array of them', () => {
    const operations: EngineOperation[] = [
      put('a', '1'),
      put('b', '2'),
      put('c', '3'),
      { kind: 'delete', key: Buffer.from('b') },
      put('d', '4'.repeat(100)),
      { kind: 'delete-range', from: Buffer.from('c'), to: Buffer.from('d') },
      put('a', '5'),
    ]
    const list = new OperationList()
    for (const operation of operations) list.add(operation)
    const engine = newEngine()
    engine.write({ operations: list, position: 1 })
    list.clear()
    list.add(put('overwrites', 'what was lent'))
    const other = newEngine()
    other.write({ operations, position: 1 })
    expect(rows(engine)).toEqual(rows(other))
    expect(rows(engine)).toEqual(['a=5', `d=${'4'.repeat(100)}`])
  })

  it('has a key that came back between two ranges once', () => {
    const engine = newEngine()
    engine.write({ operations: [put('a', '1'), put('b', '1'), put('c', '1')], position: 1 })
    expect(rows(engine)).toEqual(['a=1', 'b=1', 'c=1'])
    engine.write({ operations: [{ kind: 'delete', key: Buffer.from('b') }, put('d', '1')], position: 2 })
    engine.write({ operations: [put('b', '2')], position: 3 })
    expect(rows(engine)).toEqual(['a=1', 'b=2', 'c=1', 'd=1'])
    engine.write({ operations: [{ kind: 'delete', key: Buffer.from('b') }, put('e', '1')], position: 4 })
    expect(rows(engine)).toEqual(['a=1', 'c=1', 'd=1', 'e=1'])
    engine.write({ operations: [put('b', '3')], position: 5 })
    expect(rows(engine)).toEqual(['a=1', 'b=3', 'c=1', 'd=1', 'e=1'])
  })
})
