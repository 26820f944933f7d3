import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonSerde } from '../../src/serde/json-serde.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { type KeyRange, keyValueStore, timestampedKeyValueStore } from '../../src/stores/key-value-store.ts'
import { newEngine } from '../state/store-fixtures.ts'
import { engines } from './engines.ts'
import { OpenedStore } from './opened-store.ts'
import { happeningOf, keyOf, latin1, ModelledContents, numberOf } from './store-commands.ts'

const serdes = { key: latin1, value: jsonSerde<number>() }

function opened(hotEntries = 1_000, openEngine: () => StoreEngine = newEngine) {
  return new OpenedStore(keyValueStore('numbers', { ...serdes, hotEntries }), openEngine)
}

describe('keyValueStore', () => {
  it('puts, gets, deletes, and says what was there', () => {
    const { typed: store } = opened()
    expect(store.get('a')).toBeUndefined()
    store.put('a', 1)
    expect(store.putIfAbsent('a', 2)).toBe(1)
    expect(store.putIfAbsent('b', 2)).toBeUndefined()
    store.putAll([
      ['c', 3],
      ['a', null],
    ])
    expect([...store.all()]).toEqual([
      ['b', 2],
      ['c', 3],
    ])
    expect(store.delete('b')).toBe(2)
    expect(store.delete('b')).toBeUndefined()
    expect([...store.all()]).toEqual([['c', 3]])
  })

  it('logs the timestamp of the record that is processed', () => {
    const store = opened()
    store.now = 7
    store.typed.put('a', 1)
    store.commit()
    store.now = 9
    store.typed.put('a', null)
    store.commit()
    expect(store.changelog.lines).toEqual(['61 1 7', '61 null 9'])
  })

  it('includes both bounds of a range, and is empty where they are the wrong way round', () => {
    const { typed: store } = opened()
    for (const key of ['a', 'ab', 'b', 'c']) store.put(key, 1)
    const keys = (range: Parameters<typeof store.range>[0]) => [...store.range(range).map(([key]) => key)]
    expect(keys({ from: 'a', to: 'b' })).toEqual(['a', 'ab', 'b'])
    expect(keys({ from: 'ab' })).toEqual(['ab', 'b', 'c'])
    expect(keys({ to: 'ab', reverse: true })).toEqual(['ab', 'a'])
    expect(keys({ from: 'b', to: 'a' })).toEqual([])
  })

  it('may be changed while it is iterated over', () => {
    for (const isCommitted of [false, true]) {
      const store = opened()
      for (let i = 0; i < 50; i++) store.typed.put(`k${String(i).padStart(2, '0')}`, i)
      if (isCommitted) store.commit()
      const seen: number[] = []
      for (const [key, value] of store.typed.all()) {
        seen.push(value)
        store.typed.delete(key)
        store.typed.delete(`k${String(value + 1).padStart(2, '0')}`)
        store.typed.put('k48', 480)
      }
      expect(seen).toEqual([...Array.from({ length: 24 }, (_, i) => i * 2), 480, 49])
    }
  })

  it('refuses to go on with an iteration after a commit', () => {
    const store = opened()
    store.typed.put('a', 1)
    store.typed.put('b', 2)
    const iteration = store.typed.all()
    iteration.next()
    store.commit()
    expect(() => iteration.next()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })

  it('refuses a key that is null', () => {
    const { typed: store } = opened()
    for (const key of [null, undefined] as unknown as string[]) {
      expect(() => store.get(key)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      expect(() => store.put(key, 1)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })

  it('cannot be written where it was opened to be read', () => {
    const store = opened()
    store.typed.put('a', 1)
    expect(store.readOnly.get('a')).toBe(1)
    expect('put' in store.readOnly).toBe(false)
  })
})

it('timestampedKeyValueStore keeps the timestamp that is given with a value', () => {
  const store = new OpenedStore(timestampedKeyValueStore('numbers', serdes))
  store.now = 100
  store.typed.put('a', { value: 1, timestamp: 5 })
  store.commit()
  expect(store.changelog.lines).toEqual(['61 1 5'])
  store.restore()
  expect(store.typed.get('a')).toEqual({ value: 1, timestamp: 5 })
  expect([...store.typed.all()]).toEqual([['a', { value: 1, timestamp: 5 }]])
  const wrong = { value: 1, timestamp: -1 }
  expect(() => store.typed.put('a', wrong)).toThrow(expect.objectContaining({ code: 'INVALID_TIMESTAMP' }))
})

const commandOf = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key: keyOf, value: numberOf }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('putIfAbsent' as const), key: keyOf, value: numberOf }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: keyOf }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('range' as const),
      from: fc.option(keyOf, { nil: undefined }),
      to: fc.option(keyOf, { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prefix' as const), prefix: keyOf }) },
  { weight: 2, arbitrary: fc.record({ kind: happeningOf }) },
)

describe.each(engines)('a key-value store in %s', (_, openEngine, numRuns) => {
  it('is a sorted map of which the committed part survives', () => {
    fc.assert(
      fc.property(fc.array(commandOf, { maxLength: 60 }), fc.constantFrom(1_000, 3), (commands, hotEntries) => {
        const store = opened(hotEntries, openEngine)
        const model = new ModelledContents(new Map<string, number>(), (map) => new Map(map))
        for (const command of commands) run(command, store, model)
        expect([...store.typed.all()]).toEqual(listed(model.now))
        store.commit()
        expect(store.typed.approximateNumEntries()).toBe(model.now.size)
        store.restore()
        expect([...store.typed.all({ reverse: true })]).toEqual(listed(model.now).reverse())
      }),
      { numRuns },
    )
  })
})

type Command = typeof commandOf extends fc.Arbitrary<infer C> ? C : never

function run(command: Command, store: ReturnType<typeof opened>, model: ModelledContents<Map<string, number>>): void {
  const { typed } = store
  const map = model.now
  switch (command.kind) {
    case 'put':
      typed.put(command.key, command.value)
      set(map, command.key, command.value)
      break
    case 'putIfAbsent':
      expect(typed.putIfAbsent(command.key, command.value)).toBe(map.get(command.key))
      if (!map.has(command.key)) set(map, command.key, command.value)
      break
    case 'delete':
      expect(typed.delete(command.key)).toBe(map.get(command.key))
      map.delete(command.key)
      break
    case 'range': {
      const { from = '', to, reverse } = command
      const within = listed(map).filter(([key]) => key >= from && (to === undefined || key <= to))
      const { kind: _, ...range } = command
      expect([...typed.range(range as KeyRange<string>)]).toEqual(reverse ? within.reverse() : within)
      break
    }
    case 'prefix': {
      const within = listed(map).filter(([key]) => key.startsWith(command.prefix))
      expect([...typed.prefixScan(command.prefix, latin1)]).toEqual(within)
      break
    }
    default:
      model.happen(command.kind, store)
  }
  for (const key of ['', 'a', '\xff']) expect(store.typed.get(key)).toBe(model.now.get(key))
}

function set(map: Map<string, number>, key: string, value: number | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}

function listed(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}
