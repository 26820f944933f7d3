import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KeyValueEntry, type KeyValueStore, keyValueStore } from '../../src/state/key-value-store.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { CountingEngine, engineRows, ListedChangelog, newEngine, serdes } from './store-fixtures.ts'

function storeOver(engine: StoreEngine, hotEntries = 1_000): KeyValueStore {
  return keyValueStore({ name: 'values', ...serdes, hotEntries })(engine)
}

function put(store: KeyValueStore, key: string, value: unknown, timestamp: number): void {
  store.update(store.entry(store.keys.idOfKey(key)), value, timestamp)
}

it("logs the key's own bytes, and keeps the timestamp before the value in the engine", () => {
  const engine = newEngine()
  const store = storeOver(engine)
  const changelog = new ListedChangelog()
  put(store, 'a', 1, 5)
  put(store, '', 2, 6)
  expect(changelog.commit(store)).toEqual(['61 1 5', ' 2 6'])
  put(store, '', null, 7)
  expect(changelog.commit(store)).toEqual([' null 7'])
  expect(engineRows(engine)).toEqual(['61 5 1'])
})

it('keeps every timestamp that a record may have', () => {
  const entry = new KeyValueEntry(0)
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeNat(), fc.constantFrom(-1, 0, 2 ** 31, 2 ** 32, 2 ** 53 - 1)), (timestamp) => {
      entry.timestamp = timestamp
      expect(entry.timestamp).toBe(timestamp)
    }),
  )
})

it('asks the engine once for each key, and not at all where it was empty at the start', () => {
  const engine = new CountingEngine()
  const store = storeOver(engine)
  store.ready(0)
  for (const key of ['a', 'b', 'a']) put(store, key, 1, 1)
  new ListedChangelog().commit(store)
  expect(engine.gets).toBe(0)
  const reopened = storeOver(engine)
  reopened.ready(2)
  expect(reopened.get('a')?.value).toBe(1)
  expect(reopened.get('a')?.value).toBe(1)
  expect(reopened.get('c')).toBeUndefined()
  expect(engine.gets).toBe(2)
})

it('forgets keys beyond its bound at a commit, but not what changed since the flush', () => {
  const store = storeOver(newEngine(), 10)
  store.ready(0)
  const changelog = new ListedChangelog()
  for (let i = 0; i < 20; i++) put(store, `key-${i}`, i, i)
  store.flush(changelog)
  put(store, 'key-5', 'changed since', 100)
  put(store, 'key-6', null, 100)
  store.commit(20)
  expect(store.keys.size).toBe(2)
  expect(store.get('key-5')).toEqual({ value: 'changed since', timestamp: 100 })
  expect(store.get('key-6')).toBeUndefined()
  expect(store.get('key-19')).toEqual({ value: 19, timestamp: 19 })
})
