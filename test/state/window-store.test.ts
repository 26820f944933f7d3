import { describe, expect, it } from 'vitest'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { type WindowStore, windowStore } from '../../src/state/window-store.ts'
import { CountingEngine, engineRows, hex8, ListedChangelog, newEngine, serdes } from './store-fixtures.ts'

function storeOver(engine: StoreEngine, hotEntries = 1_000): WindowStore {
  return windowStore({ name: 'windows', ...serdes, sizeMs: 10, retentionMs: 20, hotEntries })(engine)
}

function put(store: WindowStore, key: string, start: number, value: unknown, timestamp = start): void {
  store.update(store.entry(start, store.keys.idOfKey(key)), value, timestamp)
}

const a = '61'

describe('WindowStore', () => {
  it("logs Kafka's bytes, each changed entry once, and nothing before the flush", () => {
    const store = storeOver(newEngine())
    const changelog = new ListedChangelog()
    for (const value of [1, 2, 3]) put(store, 'a', 10, value, 10 + value)
    expect(changelog.commit(store)).toEqual([`${a}${hex8(10)}00000000 3 13`])
    expect(changelog.commit(store)).toEqual([])
  })

  it('writes to the engine at the commit only, with windows as ranges', () => {
    const engine = newEngine()
    const store = storeOver(engine)
    const changelog = new ListedChangelog()
    put(store, 'a', 20, 'later', 25)
    put(store, 'b', 10, 'early', 12)
    store.flush(changelog)
    expect(engineRows(engine)).toEqual([])
    store.commit(2)
    expect(engineRows(engine)).toEqual([`${hex8(10)}62 12 "early"`, `${hex8(20)}61 25 "later"`])
    expect(store.position()).toBe(2)
  })

  it('logs a deletion once, and none for what never was logged', () => {
    const store = storeOver(newEngine())
    const changelog = new ListedChangelog()
    put(store, 'a', 10, 1)
    put(store, 'b', 10, 1)
    put(store, 'b', 10, null)
    changelog.commit(store)
    put(store, 'a', 10, undefined)
    expect(changelog.commit(store)).toEqual([`${a}${hex8(10)}00000000 null 10`])
    put(store, 'a', 10, null, 11)
    expect(changelog.commit(store)).toEqual([])
    expect(store.get('a', 10)).toBeUndefined()
  })

  it('does not ask the engine about a window that it has no rows of', () => {
    const engine = new CountingEngine()
    const store = storeOver(engine)
    for (const key of ['a', 'b', 'c']) put(store, key, 10, 1)
    new ListedChangelog().commit(store)
    expect(engine.gets).toBe(0)
    const reopened = storeOver(engine)
    expect(reopened.get('a', 10)).toEqual({ value: 1, timestamp: 10 })
    expect(reopened.get('d', 10)).toBeUndefined()
    expect(engine.gets).toBe(2)
  })

  it('drops windows whole when they expire, by one deletion at the next commit', () => {
    const engine = new CountingEngine()
    const store = storeOver(engine)
    const changelog = new ListedChangelog()
    for (const start of [0, 10]) put(store, 'a', start, start + 1)
    changelog.commit(store)
    put(store, 'b', 10, 'never needed')
    put(store, 'c', 30, 'expires those that start at 10')
    expect(store.get('a', 10)).toBeUndefined()
    expect(engineRows(engine)).toHaveLength(2)
    expect(changelog.commit(store)).toHaveLength(1)
    expect(engineRows(engine)).toEqual([`${hex8(30)}63 30 "expires those that start at 10"`])
    expect(engine.batches.at(-1)).toEqual(['put', 'delete-range'])
  })

  it('holds no more in memory after a commit than it may, and reads the rest back', () => {
    const engine = new CountingEngine()
    const store = storeOver(engine, 100)
    const changelog = new ListedChangelog()
    for (let i = 0; i < 150; i++) put(store, `key-${i}`, 10, i)
    store.flush(changelog)
    put(store, 'key-7', 10, 'changed since')
    store.commit(changelog.records.length)
    expect(store.keys.size).toBe(1)
    expect(store.get('key-7', 10)?.value).toBe('changed since')
    expect(engine.gets).toBe(0)
    expect(store.get('key-149', 10)?.value).toBe(149)
    expect(engine.gets).toBe(1)
  })

  it('restores from the changelog in batches, and tells what is committed at any time', () => {
    const changelog = new ListedChangelog()
    const first = storeOver(newEngine())
    for (let i = 0; i < 2_500; i++) put(first, `key-${i}`, 10, i)
    changelog.commit(first)

    const engine = new CountingEngine()
    const store = storeOver(engine)
    for (const record of changelog.records) store.restore(record)
    const last = changelog.records.at(-1) as { key: Buffer }
    expect(store.committed(last.key)).toEqual({ value: Buffer.from('2499'), timestamp: 10 })
    expect(store.position()).toBe(0)
    store.ready(2_500)
    expect(store.position()).toBe(2_500)
    expect(engine.batches.every((kinds) => kinds.length <= 1_000)).toBe(true)
    expect(store.get('key-2000', 10)).toEqual({ value: 2_000, timestamp: 10 })
    expect(store.committed(Buffer.from('no such window of a key'))).toBeUndefined()
  })

  it('says which changelog has keys that cannot be its own', () => {
    const store = storeOver(newEngine())
    const record = { key: Buffer.from('short'), value: null, timestamp: 0 }
    expect(() => store.restore(record)).toThrow(expect.objectContaining({ code: 'SERDE_FAILED' }))
  })

  it('says which store holds a value that its serde cannot write', () => {
    const store = storeOver(newEngine())
    put(store, 'a', 10, 1n)
    const flush = () => store.flush(new ListedChangelog())
    expect(flush).toThrow(expect.objectContaining({ code: 'SERDE_FAILED' }))
  })
})
