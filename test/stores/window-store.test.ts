import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonSerde } from '../../src/serde/json-serde.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { timestampedWindowStore, type WindowKeyRange, windowStore } from '../../src/stores/window-store.ts'
import { newEngine } from '../state/store-fixtures.ts'
import { engines } from './engines.ts'
import { OpenedStore } from './opened-store.ts'
import { happeningOf, keyOf, latin1, ModelledContents, numberOf } from './store-commands.ts'

const serdes = { key: latin1, value: jsonSerde<number>() }
const retention = 30

function opened(hotEntries = 1_000, openEngine: () => StoreEngine = newEngine) {
  return new OpenedStore(windowStore('windows', { ...serdes, size: 10, retention, hotEntries }), openEngine)
}

describe('windowStore', () => {
  it('fetches windows of a key from the first to the last bound, both included, in both directions', () => {
    const { typed: store } = opened()
    for (const start of [10, 20, 25, 30]) store.put('a', start, start)
    store.put('b', 99, 20)
    expect(store.fetch('a', 20)).toBe(20)
    expect(store.fetch('a', 21)).toBeUndefined()
    expect([...store.fetch('a', { from: 20, to: 30 })].map(([start]) => start)).toEqual([20, 25, 30])
    expect([...store.fetch('a', { to: 25, reverse: true })].map(([start]) => start)).toEqual([25, 20, 10])
    expect([...store.fetch('a', { from: 31 })]).toEqual([])
    expect([...store.fetch('a', { from: 30, to: 20 })]).toEqual([])
  })

  it('fetches windows of all keys by start and key, each with its end', () => {
    const { typed: store } = opened()
    for (const [key, start] of [
      ['b', 10],
      ['a', 20],
      ['a', 10],
      ['c', 10],
    ] as const)
      store.put(key, start, start)
    const all = [...store.all()].map(([{ key, window }]) => `${key}@${window.start}-${window.end}`)
    expect(all).toEqual(['a@10-20', 'b@10-20', 'c@10-20', 'a@20-30'])
    const some = [...store.fetchAll({ keyFrom: 'b', keyTo: 'c', to: 15, reverse: true })]
    expect(some.map(([{ key }]) => key)).toEqual(['c', 'b'])
  })

  it('does not keep what is expired when it is put, and counts it', () => {
    const store = opened()
    store.typed.put('a', 1, 100)
    store.typed.put('a', 2, 70)
    store.typed.put('a', 3, 71)
    expect(store.expired).toBe(1)
    expect([...store.typed.fetch('a', {})]).toEqual([
      [71, 3],
      [100, 1],
    ])
    store.typed.put('b', 4, 101)
    expect(store.typed.fetch('a', 71)).toBeUndefined()
    store.commit()
    store.restore()
    store.typed.put('a', 5, 71)
    expect(store.expired).toBe(2)
  })

  it("logs Kafka Streams' keys, with the timestamp of the record", () => {
    const store = opened()
    store.now = 12
    store.typed.put('k', 7, 10)
    store.commit()
    expect(store.changelog.lines).toEqual(['6b000000000000000a00000000 7 12'])
  })

  it('refuses times that are none, and to keep windows for less than their size', () => {
    const { typed: store } = opened()
    for (const time of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => store.put('a', 1, time)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      expect(() => store.fetchAll({ from: time })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
    const declare = () => windowStore('short', { ...serdes, size: 10, retention: 9 })
    expect(declare).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

it('timestampedWindowStore keeps the timestamp that is given with a value', () => {
  const store = new OpenedStore(timestampedWindowStore('windows', { ...serdes, size: 10, retention }))
  store.typed.put('k', { value: 7, timestamp: 13 }, 10)
  store.commit()
  expect(store.changelog.lines).toEqual(['6b000000000000000a00000000 7 13'])
  expect(store.typed.fetch('k', 10)).toEqual({ value: 7, timestamp: 13 })
})

const startOf = fc.nat(9).map((tenth) => tenth * 10)
const commandOf = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), key: keyOf, value: numberOf, start: startOf }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fetch' as const),
      key: fc.option(keyOf, { nil: undefined }),
      keyFrom: fc.option(keyOf, { nil: undefined }),
      keyTo: fc.option(keyOf, { nil: undefined }),
      from: fc.option(startOf, { nil: undefined }),
      to: fc.option(startOf, { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: happeningOf }) },
)

describe.each(engines)('a window store in %s', (_, openEngine, numRuns) => {
  it('is a list of windows of which the committed part survives, and the latest ones are kept', () => {
    fc.assert(
      fc.property(fc.array(commandOf, { maxLength: 60 }), fc.constantFrom(1_000, 3), (commands, hotEntries) => {
        const store = opened(hotEntries, openEngine)
        const model = new ModelledContents<Model>({ latest: -1, windows: [] }, copied)
        for (const command of commands) run(command, store, model)
        expect([...store.typed.all()]).toEqual(fetched(model.now, {}))
        store.commit()
        store.restore()
        expect([...store.typed.all({ reverse: true })]).toEqual(fetched(model.now, { reverse: true }))
      }),
      { numRuns },
    )
  })
})

type Command = typeof commandOf extends fc.Arbitrary<infer C> ? C : never
interface Model {
  latest: number
  windows: { key: string; start: number; value: number }[]
}

function run(command: Command, store: ReturnType<typeof opened>, model: ModelledContents<Model>): void {
  if (command.kind === 'put') {
    const { key, value, start } = command
    // Without the latest window a restart does not know that it let others expire.
    if (value === null && start >= model.now.latest) return
    store.typed.put(key, value, start)
    const { now } = model
    now.latest = Math.max(now.latest, start)
    now.windows = now.windows.filter((window) => window.key !== key || window.start !== start)
    if (value !== null) now.windows.push({ key, start, value })
    now.windows = now.windows.filter((window) => window.start > now.latest - retention)
  } else if (command.kind === 'fetch') {
    const { kind: _, key, ...range } = command
    if (key === undefined) {
      expect([...store.typed.fetchAll(range as WindowKeyRange<string>)]).toEqual(fetched(model.now, range))
    } else {
      const expected = fetched(model.now, { ...range, keyFrom: key, keyTo: key })
      const found = [...store.typed.fetch(key, range as WindowKeyRange<string>)]
      expect(found).toEqual(expected.map(([windowed, value]) => [windowed.window.start, value]))
    }
  } else {
    model.happen(command.kind, store)
  }
}

function fetched(
  { windows }: Model,
  range: { [P in keyof WindowKeyRange<string>]?: WindowKeyRange<string>[P] | undefined },
) {
  const { keyFrom = '', keyTo, from = 0, to = Number.POSITIVE_INFINITY, reverse } = range
  const within = windows
    .filter(({ key, start }) => key >= keyFrom && (keyTo === undefined || key <= keyTo) && start >= from && start <= to)
    .sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1))
    .map(({ key, start, value }) => [{ key, window: { start, end: start + 10 } }, value] as const)
  return reverse === true ? within.reverse() : within
}

function copied({ latest, windows }: Model): Model {
  return { latest, windows: [...windows] }
}
