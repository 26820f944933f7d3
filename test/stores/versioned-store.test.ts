import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonSerde } from '../../src/serde/json-serde.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { versionedKeyValueStore } from '../../src/stores/versioned-store.ts'
import { newEngine } from '../state/store-fixtures.ts'
import { engines } from './engines.ts'
import { OpenedStore } from './opened-store.ts'
import { happeningOf, keyOf, latin1, ModelledContents, numberOf } from './store-commands.ts'

const historyRetention = 30

function opened(hotEntries = 1_000, openEngine: () => StoreEngine = newEngine) {
  const options = { key: latin1, value: jsonSerde<number>(), historyRetention, hotEntries }
  return new OpenedStore(versionedKeyValueStore('versions', options), openEngine)
}

describe('versionedKeyValueStore', () => {
  it('has for each time the version that held then, whatever the order in which they were put', () => {
    const { typed: store } = opened()
    expect(store.put('a', 20, 20)).toBe(Infinity)
    expect(store.put('a', 10, 10)).toBe(20)
    expect(store.put('a', null, 30)).toBe(Infinity)
    expect(store.put('a', 25, 25)).toBe(30)
    expect(store.get('a')).toBeUndefined()
    expect(store.get('a', 9)).toBeUndefined()
    expect(store.get('a', 19)).toEqual({ value: 10, timestamp: 10, validTo: 20 })
    expect(store.get('a', 24)).toEqual({ value: 20, timestamp: 20, validTo: 25 })
    expect(store.get('a', 30)).toBeUndefined()
    store.put('a', 40, 40)
    expect(store.get('a')).toEqual({ value: 40, timestamp: 40, validTo: undefined })
    expect([...store.versions('a')].map(({ value }) => value)).toEqual([10, 20, 25, 40])
    expect([...store.versions('a', { from: 22, to: 39, reverse: true })].map(({ value }) => value)).toEqual([25, 20])
  })

  it('replaces a version of the same time, and deletes from a time on', () => {
    const { typed: store } = opened()
    store.put('a', 1, 10)
    expect(store.put('a', 2, 10)).toBe(Infinity)
    expect(store.get('a', 10)?.value).toBe(2)
    expect(store.delete('a', 15)).toEqual({ value: 2, timestamp: 10, validTo: undefined })
    expect(store.get('a')).toBeUndefined()
    expect(store.get('a', 14)).toEqual({ value: 2, timestamp: 10, validTo: 15 })
  })

  it('neither takes nor shows versions beyond its history, but for the latest', () => {
    const store = opened()
    store.typed.put('a', 1, 10)
    store.typed.put('b', 1, 10)
    store.typed.put('b', 2, 90)
    store.typed.put('c', 1, 100)
    expect(store.typed.put('a', 2, 69)).toBeUndefined()
    expect(store.typed.delete('a', 69)).toBeUndefined()
    expect(store.expired).toBe(2)
    expect(store.typed.get('a', 69)).toEqual({ value: 1, timestamp: 10, validTo: undefined })
    expect(store.typed.get('b', 69)).toBeUndefined()
    expect(store.typed.get('b', 70)?.value).toBe(1)
    expect(store.typed.put('a', 3, 70)).toBe(Infinity)
  })

  it('logs every version under its key, with its timestamp', () => {
    const store = opened()
    store.typed.put('k', 1, 10)
    store.typed.put('k', null, 20)
    store.typed.put('k', 3, 15)
    store.commit()
    store.typed.put('k', 4, 15)
    store.commit()
    expect(store.changelog.lines).toEqual(['6b 1 10', '6b null 20', '6b 3 15', '6b 4 15'])
  })

  it('says what was committed of a version: the value that held then', () => {
    const declared = versionedKeyValueStore('v', { key: latin1, value: jsonSerde<number>(), historyRetention })
    const state = declared.create(newEngine())
    state.ready(0)
    const typed = declared.open(state, { timestamp: () => 0, expired: () => {} })
    typed.put('k', 1, 10)
    typed.put('k', null, 20)
    state.flush({ append: () => {} })
    state.commit(2)
    typed.put('k', 9, 12)
    const committed = (timestamp: number) => state.committed(Buffer.from('k'), timestamp)?.value?.toString()
    expect([5, 10, 15, 20].map(committed)).toEqual([undefined, '1', '1', undefined])
  })
})

const timeOf = fc.nat(20).map((time) => time * 5)
const commandOf = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key: keyOf, value: numberOf, time: timeOf }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), key: keyOf, asOf: timeOf }) },
  { weight: 2, arbitrary: fc.record({ kind: happeningOf }) },
)
type Command = typeof commandOf extends fc.Arbitrary<infer C> ? C : never
interface Model {
  latest: number
  versions: { key: string; time: number; value: number | null }[]
}

describe.each(engines)('a versioned store in %s', (_, openEngine, numRuns) => {
  it('is a list of all versions, of which the committed part survives', () => {
    fc.assert(
      fc.property(fc.array(commandOf, { maxLength: 60 }), fc.constantFrom(1_000, 2), (commands, hotEntries) => {
        const store = opened(hotEntries, openEngine)
        const model = new ModelledContents<Model>({ latest: -1, versions: [] }, copied)
        for (const command of commands) run(command, store, model)
      }),
      { numRuns },
    )
  })
})

function run(command: Command, store: ReturnType<typeof opened>, model: ModelledContents<Model>): void {
  const { now } = model
  if (command.kind === 'put') {
    const { key, value, time } = command
    const validTo = store.typed.put(key, value, time)
    if (time < now.latest - historyRetention) {
      expect(validTo).toBeUndefined()
      return
    }
    now.latest = Math.max(now.latest, time)
    now.versions = now.versions.filter((each) => each.key !== key || each.time !== time)
    const later = now.versions.filter((each) => each.key === key && each.time > time).map((each) => each.time)
    expect(validTo).toBe(Math.min(Infinity, ...later))
    now.versions.push({ key, time, value })
  } else if (command.kind === 'get') {
    const { key, asOf } = command
    expect(store.typed.get(key)?.value).toBe(found(now, key, Infinity))
    const isLatest = now.versions.every((each) => each.key !== key || each.time <= asOf)
    const isKnown = asOf >= now.latest - historyRetention || isLatest
    expect(store.typed.get(key, asOf)?.value).toBe(isKnown ? found(now, key, asOf) : undefined)
  } else model.happen(command.kind, store)
}

function found({ versions }: Model, key: string, asOf: number): number | undefined {
  const held = versions.filter((each) => each.key === key && each.time <= asOf)
  return held.sort((a, b) => a.time - b.time).at(-1)?.value ?? undefined
}

function copied({ latest, versions }: Model): Model {
  return { latest, versions: [...versions] }
}
