import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonSerde } from '../../src/serde/json-serde.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { type WindowKeyRange, windowStore } from '../../src/stores/window-store.ts'
import { newEngine } from '../state/store-fixtures.ts'
import { engines } from './engines.ts'
import { OpenedStore } from './opened-store.ts'
import { happeningOf, keyOf, latin1, ModelledContents } from './store-commands.ts'

const retention = 30

function opened(hotEntries = 1_000, openEngine: () => StoreEngine = newEngine) {
  const options = { key: latin1, value: jsonSerde<number>(), size: 10, retention, hotEntries, retainDuplicates: true }
  return new OpenedStore(windowStore('windows', options), openEngine)
}

describe('a window store that retains duplicates', () => {
  it('keeps all values of a key and window, in the order in which they were put', () => {
    const store = opened()
    for (const value of [3, 1, 2]) store.typed.put('a', value, 10)
    store.typed.put('a', 9, 20)
    store.typed.put('ab', 7, 10)
    const ofA = [
      [10, 3],
      [10, 1],
      [10, 2],
      [20, 9],
    ]
    expect([...store.typed.fetch('a', {})]).toEqual(ofA)
    expect([...store.typed.fetch('a', { reverse: true })]).toEqual(ofA.toReversed())
    expect(store.typed.fetch('a', 10)).toBe(2)
    expect(store.typed.fetch('b', 10)).toBeUndefined()
    expect([...store.typed.fetchAll({ keyFrom: 'ab' })]).toEqual([[{ key: 'ab', window: { start: 10, end: 20 } }, 7]])
  })

  it('deletes nothing, as nothing says which', () => {
    const { typed: store } = opened()
    store.put('a', 1, 10)
    store.put('a', null, 10)
    expect([...store.fetch('a', {})]).toEqual([[10, 1]])
    expect(() => store.put(null as unknown as string, 1, 10)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  it("logs Kafka Streams' keys, and goes on counting after a restart", () => {
    const store = opened()
    store.now = 12
    store.typed.put('k', 7, 10)
    store.commit()
    store.restore()
    store.typed.put('k', 7, 10)
    store.commit()
    expect(store.changelog.lines).toEqual(['6b000000000000000a00000001 7 12', '6b000000000000000a00000002 7 12'])
  })

  it('counts what is expired when it is put', () => {
    const store = opened()
    store.typed.put('a', 1, 100)
    store.typed.put('a', 2, 70)
    expect([store.expired, [...store.typed.all()].length]).toEqual([1, 1])
  })
})

const startOf = fc.nat(9).map((tenth) => tenth * 10)
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const commandOf = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), key: keyOf, value: fc.nat(9), start: startOf }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fetch' as const),
      key: optional(keyOf),
      keyFrom: optional(keyOf),
      keyTo: optional(keyOf),
      from: optional(startOf),
      to: optional(startOf),
      reverse: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: happeningOf }) },
)
type Command = typeof commandOf extends fc.Arbitrary<infer C> ? C : never

interface Model {
  latest: number
  puts: { key: string; start: number; value: number; number: number }[]
}

describe.each(engines)('a window store that retains duplicates in %s', (_, openEngine, numRuns) => {
  it('is a list of what was put, of which the committed part survives, and the latest windows are kept', () => {
    fc.assert(
      fc.property(fc.array(commandOf, { maxLength: 60 }), fc.constantFrom(1_000, 3), (commands, hotEntries) => {
        const store = opened(hotEntries, openEngine)
        const model = new ModelledContents<Model>({ latest: -1, puts: [] }, ({ latest, puts }) => {
          return { latest, puts: [...puts] }
        })
        for (const command of commands) run(command, store, model)
        store.commit()
        store.restore()
        expect([...store.typed.all({ reverse: true })]).toEqual(fetched(model.now, { reverse: true }))
      }),
      { numRuns },
    )
  })
})

function run(command: Command, store: ReturnType<typeof opened>, model: ModelledContents<Model>): void {
  const { now } = model
  if (command.kind === 'put') {
    const { key, value, start } = command
    store.typed.put(key, value, start)
    now.latest = Math.max(now.latest, start)
    const before = now.puts.filter((put) => put.key === key && put.start === start)
    now.puts.push({ key, start, value, number: before.length + 1 })
    now.puts = now.puts.filter((put) => put.start > now.latest - retention)
  } else if (command.kind === 'fetch') {
    const { kind: _, key, ...range } = command
    if (key === undefined) {
      expect([...store.typed.fetchAll(range as WindowKeyRange<string>)]).toEqual(fetched(now, range))
    } else {
      const expected = fetched(now, { ...range, keyFrom: key, keyTo: key })
      const found = [...store.typed.fetch(key, range as WindowKeyRange<string>)]
      expect(found).toEqual(expected.map(([{ window }, value]) => [window.start, value]))
    }
  } else model.happen(command.kind, store)
}

/** By start, then by the bytes of key and number. */
function fetched(
  { puts }: Model,
  range: { [P in keyof WindowKeyRange<string>]?: WindowKeyRange<string>[P] | undefined },
) {
  const { keyFrom = '', keyTo, from = 0, to = Number.POSITIVE_INFINITY, reverse } = range
  const within = puts
    .filter(({ key, start }) => key >= keyFrom && (keyTo === undefined || key <= keyTo) && start >= from && start <= to)
    .sort((a, b) => a.start - b.start || (rowOf(a) < rowOf(b) ? -1 : 1))
    .map(({ key, start, value }) => [{ key, window: { start, end: start + 10 } }, value] as const)
  return reverse === true ? within.reverse() : within
}

function rowOf({ key, number }: { key: string; number: number }): string {
  return `${key}\0\0\0${String.fromCharCode(number)}`
}
