import { describe, expect, it } from 'vitest'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { type SuppressStore, suppressStore } from '../../src/state/suppress-store.ts'
import { engineRows, hex8, ListedChangelog, newEngine, serdes } from './store-fixtures.ts'

function storeOver(engine: StoreEngine): SuppressStore {
  return suppressStore({ name: 'buffer', ...serdes })(engine)
}

function put(store: SuppressStore, key: string, start: number, end: number, value: unknown, timestamp = start): void {
  store.put(store.keys.idOfKey(key), start, end, value, timestamp)
}

function evicted(store: SuppressStore, until: number): string[] {
  const lines: string[] = []
  store.evict(until, ({ keyId, start, end, value, timestamp }) =>
    lines.push(`${store.keys.key(keyId)}@[${start},${end}]=${value} at ${timestamp}`),
  )
  return lines
}

describe('SuppressStore', () => {
  it('hands out the last values up to a time, by window end, key bytes and start', () => {
    const store = storeOver(newEngine())
    put(store, 'b', 0, 10, 1)
    put(store, 'ab', 0, 10, 2)
    put(store, 'a', 3, 10, 3)
    put(store, 'a', 0, 10, 4)
    put(store, 'z', 0, 9, 5)
    put(store, 'a', 0, 11, 6)
    put(store, 'b', 0, 10, 7, 8)
    expect(store.earliestEnd).toBe(9)
    expect(evicted(store, 10)).toEqual([
      'z@[0,9]=5 at 0',
      'a@[0,10]=4 at 0',
      'a@[3,10]=3 at 3',
      'ab@[0,10]=2 at 0',
      'b@[0,10]=7 at 8',
    ])
    expect([store.size, store.earliestEnd]).toEqual([1, 11])
    expect(evicted(store, 11)).toEqual(['a@[0,11]=6 at 0'])
    expect([store.size, store.earliestEnd]).toEqual([0, Number.POSITIVE_INFINITY])
  })

  it('forgets what is taken away', () => {
    const store = storeOver(newEngine())
    put(store, 'a', 0, 10, 1)
    store.remove(store.keys.idOfKey('a'), 0, 10)
    store.remove(store.keys.idOfKey('b'), 0, 10)
    expect(evicted(store, 100)).toEqual([])
  })

  it('logs what is still held, and takes it back when it was handed out', () => {
    const engine = newEngine()
    const store = storeOver(engine)
    const changelog = new ListedChangelog()
    put(store, 'a', 0, 10, 1, 5)
    put(store, 'b', 0, 20, 2, 6)
    put(store, 'c', 0, 5, 'gone before the flush')
    evicted(store, 5)
    expect(changelog.commit(store)).toEqual([`61${hex8(10)}${hex8(0)} 1 5`, `62${hex8(20)}${hex8(0)} 2 6`])
    evicted(store, 10)
    expect(changelog.commit(store)).toEqual([`61${hex8(10)}${hex8(0)} null 5`])
    expect(engineRows(engine)).toEqual([`${hex8(20)}62${hex8(0)} 6 2`])
  })

  it('holds the same after it was opened again', () => {
    const engine = newEngine()
    const store = storeOver(engine)
    put(store, 'a', 0, 10, 1, 5)
    put(store, 'b', 0, 20, 2, 6)
    new ListedChangelog().commit(store)
    const reopened = storeOver(engine)
    reopened.ready(2)
    expect(evicted(reopened, 20)).toEqual(['a@[0,10]=1 at 5', 'b@[0,20]=2 at 6'])
  })

  it('forgets keys at a commit when nothing is held for most of them, but not those of changes since the flush', () => {
    const store = storeOver(newEngine())
    const changelog = new ListedChangelog()
    for (let i = 0; i < 3_000; i++) put(store, `key-${i}`, 0, 10 + (i % 3), i)
    store.flush(changelog)
    evicted(store, 11)
    store.commit(3_000)
    expect(store.keys.size).toBe(3_000)
    changelog.commit(store)
    expect(store.keys.size).toBe(1_000)
    put(store, 'key-1', 0, 12, 'again')
    const rest = evicted(store, 12)
    expect(rest).toHaveLength(1_001)
    expect(rest).toContain('key-1@[0,12]=again at 0')
    expect(rest).toContain('key-2@[0,12]=2 at 0')
    expect(changelog.commit(store)).toHaveLength(1_000)
  })

  it('logs a deletion under the right key also when keys were forgotten in between', () => {
    const store = storeOver(newEngine())
    const changelog = new ListedChangelog()
    for (let i = 0; i < 1_500; i++) put(store, `key-${i}`, 0, 10, i)
    changelog.commit(store)
    evicted(store, 10)
    store.flush(changelog)
    put(store, 'late', 0, 5, 1)
    store.flush(changelog)
    evicted(store, 5)
    store.commit(changelog.records.length)
    expect(store.keys.size).toBe(1)
    expect(changelog.commit(store)).toEqual([`${Buffer.from('late').toString('hex')}${hex8(5)}${hex8(0)} null 0`])
  })
})
