import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonSerde } from '../../src/serde/json-serde.ts'
import { keyValueStore } from '../../src/stores/key-value-store.ts'
import { OpenedStore } from './opened-store.ts'
import { keyOf, latin1, numberOf } from './store-commands.ts'

function opened(maxEntries: number) {
  return new OpenedStore(keyValueStore('few', { key: latin1, value: jsonSerde<number>(), maxEntries }))
}

const keysOf = (store: ReturnType<typeof opened>) => [...store.typed.all()].map(([key]) => key)

describe('keyValueStore({ maxEntries })', () => {
  it('deletes what was not read or written for longest, and logs that', () => {
    const store = opened(2)
    store.typed.put('a', 1)
    store.typed.put('b', 2)
    store.typed.get('a')
    store.commit()
    store.typed.put('c', 3)
    expect(keysOf(store)).toEqual(['a', 'c'])
    store.commit()
    expect(store.changelog.lines).toEqual(['61 1 0', '62 2 0', '62 null 0', '63 3 0'])
  })

  it('takes what is only looked at, or is not there, for no use', () => {
    const store = opened(2)
    store.typed.putAll([
      ['a', 1],
      ['b', 2],
    ])
    expect([store.readOnly.get('a'), store.typed.get('x'), store.typed.putIfAbsent('y', null)]).toEqual([
      1,
      undefined,
      undefined,
    ])
    expect(store.typed.putIfAbsent('c', 3)).toBeUndefined()
    expect(keysOf(store)).toEqual(['b', 'c'])
    expect(store.typed.putIfAbsent('b', 9)).toBe(2)
    store.typed.put('d', 4)
    expect(keysOf(store)).toEqual(['b', 'd'])
  })

  it('goes by the times of what was written after a restart', () => {
    const store = opened(2)
    for (const [time, key] of [
      [5, 'b'],
      [3, 'a'],
    ] as const) {
      store.now = time
      store.typed.put(key, time)
    }
    store.commit()
    store.restore()
    store.typed.put('c', 1)
    expect(keysOf(store)).toEqual(['b', 'c'])
  })

  it('refuses a bound that is none', () => {
    for (const bound of [0, -1, 1.5, Number.POSITIVE_INFINITY]) {
      expect(() => opened(bound)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })

  it('is a list of the entries in the order of their use, cut at its end', () => {
    const command = fc.record({ kind: fc.constantFrom('put', 'get', 'delete'), key: keyOf, value: numberOf })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), (commands, maxEntries) => {
        const store = opened(maxEntries)
        let used: { key: string; value: number }[] = []
        for (const { kind, key, value } of commands) {
          const before = used.find((entry) => entry.key === key)
          if (kind === 'get') expect(store.typed.get(key)).toBe(before?.value)
          else if (kind === 'put') store.typed.put(key, value)
          else expect(store.typed.delete(key)).toBe(before?.value)
          const now = kind === 'get' ? before : kind === 'put' && value !== null ? { key, value } : undefined
          used = used.filter((entry) => entry !== before)
          if (now !== undefined) used = [now, ...used].slice(0, maxEntries)
          const expected = used.map((entry) => [entry.key, entry.value]).sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
          expect([...store.typed.all()]).toEqual(expected)
        }
      }),
    )
  })
})
