import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonSerde } from '../../src/serde/json-serde.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { type SessionKeyRange, sessionStore } from '../../src/stores/session-store.ts'
import { newEngine } from '../state/store-fixtures.ts'
import { engines } from './engines.ts'
import { OpenedStore } from './opened-store.ts'
import { happeningOf, keyOf, latin1, ModelledContents, numberOf } from './store-commands.ts'

const serdes = { key: latin1, value: jsonSerde<number>() }
const minute = 60_000
/** Segments of the engine are a minute long, so that sessions of this unit lie in several. */
const unit = 30_000
const retention = 4 * minute

function opened(hotEntries = 1_000, openEngine: () => StoreEngine = newEngine) {
  return new OpenedStore(sessionStore('sessions', { ...serdes, retention, hotEntries }), openEngine)
}

function session(key: string, start: number, end: number) {
  return { key, window: { start, end } }
}

describe('sessionStore', () => {
  it('finds the sessions of a key that end late enough and start early enough', () => {
    const { typed: store } = opened()
    for (const [start, end] of [
      [0, 10],
      [5, 10],
      [20, 30],
      [40, 40],
    ] as const)
      store.put(session('a', start, end), end)
    store.put(session('b', 0, 50), 50)
    const found = (range: { earliestEnd?: number; latestStart?: number; reverse?: boolean }) =>
      [...store.findSessions('a', range)].map(([{ window }]) => `${window.start}-${window.end}`)
    expect(found({})).toEqual(['0-10', '5-10', '20-30', '40-40'])
    expect(found({ earliestEnd: 10, latestStart: 20 })).toEqual(['0-10', '5-10', '20-30'])
    expect(found({ earliestEnd: 11, latestStart: 40, reverse: true })).toEqual(['40-40', '20-30'])
    expect(store.fetchSession('a', 5, 10)).toBe(10)
    expect(store.fetchSession('a', 5, 11)).toBeUndefined()
  })

  it('replaces and removes sessions by their bounds', () => {
    const { typed: store } = opened()
    store.put(session('a', 0, 10), 1)
    store.put(session('a', 0, 10), 2)
    expect([...store.fetch('a')]).toEqual([[session('a', 0, 10), 2]])
    store.remove(session('a', 0, 11))
    store.put(session('a', 0, 10), null)
    expect([...store.fetch('a')]).toEqual([])
  })

  it('does not show a removed session whose object became another one while it is iterated over', () => {
    const { typed: store } = opened()
    for (const end of [1, 2, 3]) store.put(session('a', end, end), end)
    const seen: string[] = []
    for (const [{ window }, value] of store.fetch('a')) {
      seen.push(`${window.end}=${value}`)
      if (window.end > 1) continue
      store.remove(session('a', 2, 2))
      store.put(session('b', 9, 9), 9)
    }
    expect(seen).toEqual(['1=1', '3=3'])
  })

  it("logs Kafka Streams' keys", () => {
    const store = opened()
    store.typed.put(session('k', 1, 2), 7)
    store.commit()
    expect(store.changelog.lines).toEqual(['6b00000000000000020000000000000001 7 2'])
  })

  it('refuses sessions that end before they start, and counts those that are expired', () => {
    const store = opened()
    expect(() => store.typed.put(session('a', 2, 1), 0)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    store.typed.put(session('a', 0, 5 * minute), 1)
    store.typed.put(session('a', 0, 1 * minute), 1)
    store.typed.put(session('a', 0, 1 * minute + 1), 2)
    expect(store.expired).toBe(1)
    expect([...store.typed.fetchAll()].map(([, value]) => value)).toEqual([2, 1])
  })
})

const boundsOf = fc
  .tuple(fc.nat(12), fc.nat(3))
  .map(([start, length]) => [start * unit, (start + length) * unit] as const)
const timeOf = fc.option(
  fc.nat(15).map((time) => time * unit),
  { nil: undefined },
)
const commandOf = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), key: keyOf, value: numberOf, bounds: boundsOf }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fetch' as const),
      key: fc.option(keyOf, { nil: undefined }),
      keyFrom: fc.option(keyOf, { nil: undefined }),
      keyTo: fc.option(keyOf, { nil: undefined }),
      earliestEnd: timeOf,
      latestStart: timeOf,
      latestEnd: timeOf,
      reverse: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: happeningOf }) },
)

describe.each(engines)('a session store in %s', (_, openEngine, numRuns) => {
  it('is a list of sessions of which the committed part survives, and the latest ones are kept', () => {
    fc.assert(
      fc.property(fc.array(commandOf, { maxLength: 60 }), fc.constantFrom(1_000, 3), (commands, hotEntries) => {
        const store = opened(hotEntries, openEngine)
        const model = new ModelledContents<Model>({ latest: -1, sessions: [] }, copied)
        for (const command of commands) run(command, store, model)
        expect([...store.typed.fetchAll()]).toEqual(fetched(model.now, {}))
        store.commit()
        store.restore()
        expect([...store.typed.fetchAll({ reverse: true })]).toEqual(fetched(model.now, { reverse: true }))
      }),
      { numRuns },
    )
  })
})

type Command = typeof commandOf extends fc.Arbitrary<infer C> ? C : never
type Range = { [P in keyof SessionKeyRange<string>]?: SessionKeyRange<string>[P] | undefined }
interface Model {
  latest: number
  sessions: { key: string; start: number; end: number; value: number }[]
}

function run(command: Command, store: ReturnType<typeof opened>, model: ModelledContents<Model>): void {
  if (command.kind === 'put') {
    const { key, value, bounds } = command
    const [start, end] = bounds
    // Without the session that ends last a restart does not know that it let others expire.
    if (value === null && end >= model.now.latest) return
    store.typed.put(session(key, start, end), value)
    const { now } = model
    const isThere = (each: Model['sessions'][number]) => each.key === key && each.start === start && each.end === end
    now.latest = Math.max(now.latest, end)
    now.sessions = now.sessions.filter((each) => !isThere(each))
    if (value !== null) now.sessions.push({ key, start, end, value })
    now.sessions = now.sessions.filter((each) => each.end > now.latest - retention)
  } else if (command.kind === 'fetch') {
    const { kind: _, key, latestEnd, ...range } = command
    if (key === undefined) {
      const all = { ...range, latestEnd }
      expect([...store.typed.fetchAll(all as SessionKeyRange<string>)]).toEqual(fetched(model.now, all))
    } else {
      const found = [...store.typed.findSessions(key, range as SessionKeyRange<string>)]
      expect(found).toEqual(fetched(model.now, { ...range, keyFrom: key, keyTo: key }))
    }
  } else {
    model.happen(command.kind, store)
  }
}

function fetched({ sessions }: Model, range: Range) {
  const { keyFrom = '', keyTo, earliestEnd = 0, latestStart = Infinity, latestEnd = Infinity, reverse } = range
  const within = sessions
    .filter(({ key }) => key >= keyFrom && (keyTo === undefined || key <= keyTo))
    .filter(({ start, end }) => end >= earliestEnd && start <= latestStart && end <= latestEnd)
    .sort((a, b) => (a.key === b.key ? a.end - b.end || a.start - b.start : a.key < b.key ? -1 : 1))
    .map(({ key, start, end, value }) => [session(key, start, end), value] as const)
  return reverse === true ? within.reverse() : within
}

function copied({ latest, sessions }: Model): Model {
  return { latest, sessions: [...sessions] }
}
