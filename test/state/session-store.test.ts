import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SessionEntry, type SessionStore, sessionStore } from '../../src/state/session-store.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { hex8, ListedChangelog, newEngine, serdes } from './store-fixtures.ts'

const minute = 60_000

function storeOver(engine: StoreEngine, retentionMs = 10 * minute, hotEntries = 1_000): SessionStore {
  return sessionStore({ name: 'sessions', ...serdes, retentionMs, hotEntries })(engine)
}

function put(store: SessionStore, key: string, start: number, end: number, value: unknown): void {
  store.put(store.keys.idOfKey(key), start, end, value)
}

function find(store: SessionStore, key: string, earliestEnd: number, latestStart: number): SessionEntry[] {
  const found: SessionEntry[] = []
  store.find(store.keys.idOfKey(key), earliestEnd, latestStart, found)
  return found
}

function listed(store: SessionStore, key: string, earliestEnd = 0, latestStart = Number.MAX_SAFE_INTEGER): string[] {
  return find(store, key, earliestEnd, latestStart).map(({ start, end, value }) => `${start}-${end}=${value}`)
}

describe('SessionStore', () => {
  it('finds the sessions that overlap, bounds included, by end', () => {
    const store = storeOver(newEngine())
    put(store, 'k', 30, 40, 'c')
    put(store, 'k', 0, 10, 'a')
    put(store, 'k', 15, 20, 'b')
    put(store, 'kk', 0, 40, 'of another key')
    expect(listed(store, 'k')).toEqual(['0-10=a', '15-20=b', '30-40=c'])
    expect(listed(store, 'k', 10, 30)).toEqual(['0-10=a', '15-20=b', '30-40=c'])
    expect(listed(store, 'k', 11, 29)).toEqual(['15-20=b'])
    expect(listed(store, 'none')).toEqual([])
  })

  it('has at any time, and logs at each commit, what a plain list of sessions would, however many expire in between', () => {
    const stepOf = fc.record({
      key: fc.constantFrom('k', 'kk', 'l'),
      ahead: fc.integer({ min: 0, max: 4 }),
      commits: fc.nat(9),
    })
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 60 }), (steps) => {
        const retentionMs = 6
        const store = storeOver(newEngine(), retentionMs)
        const changelog = new ListedChangelog()
        const model: { key: string; end: number; value: number; isLogged: boolean }[] = []
        let now = 10
        for (const [value, { key, ahead, commits }] of steps.entries()) {
          now += ahead
          put(store, key, value, now, value)
          model.push({ key, end: now, value, isLogged: false })
          const isLive = ({ end }: { end: number }): boolean => end > now - retentionMs
          const ofKey = model.filter((each) => each.key === key && isLive(each))
          expect(listed(store, key)).toEqual(ofKey.map((each) => `${each.value}-${each.end}=${each.value}`))
          if (commits > 0) continue
          const fresh = model.filter((each) => !each.isLogged && isLive(each))
          const lines = fresh.map(
            (each) =>
              `${Buffer.from(each.key).toString('hex')}${hex8(each.end)}${hex8(each.value)} ${each.value} ${each.end}`,
          )
          expect(changelog.commit(store).sort()).toEqual(lines.sort())
          for (const each of model) each.isLogged = true
        }
      }),
    )
  })

  it("logs Kafka's bytes: what a session grew through between two flushes leaves no trace", () => {
    const store = storeOver(newEngine())
    const changelog = new ListedChangelog()
    put(store, 'k', 5, 5, 1)
    changelog.commit(store)
    for (const end of [6, 7, 8]) {
      for (const session of find(store, 'k', 0, 100)) store.remove(session)
      put(store, 'k', 5, end, end)
    }
    expect(changelog.commit(store)).toEqual([`6b${hex8(5)}${hex8(5)} null 5`, `6b${hex8(8)}${hex8(5)} 8 8`])
  })

  it('keeps the sessions of keys apart that are prefixes of each other, across all segments, when it is opened again', () => {
    const engine = newEngine()
    const store = storeOver(engine)
    const changelog = new ListedChangelog()
    const keys = ['k', 'k\0', 'k\0\0\0\0\0\0\0\0', '']
    for (const [i, key] of keys.entries()) {
      put(store, key, i, i + 1, i)
      put(store, key, 6 * minute + i, 7 * minute, i)
    }
    changelog.commit(store)
    const reopened = storeOver(engine)
    reopened.ready(changelog.records.length)
    for (const [i, key] of keys.entries()) {
      expect(listed(reopened, key)).toEqual([`${i}-${i + 1}=${i}`, `${6 * minute + i}-${7 * minute}=${i}`])
    }
  })

  it('shows no expired session, and drops them from the engine a segment at a time', () => {
    const engine = newEngine()
    const store = storeOver(engine)
    const changelog = new ListedChangelog()
    put(store, 'k', 0, 1 * minute, 'a')
    put(store, 'k', 0, 4 * minute, 'b')
    changelog.commit(store)
    put(store, 'k', 0, 11 * minute, 'c')
    expect(listed(store, 'k')).toHaveLength(2)
    changelog.commit(store)
    const withMarker = (rows: number) => rows + 1
    expect([...engine.range(undefined, undefined)]).toHaveLength(withMarker(3))
    store.expireBefore(5 * minute)
    changelog.commit(store)
    expect([...engine.range(undefined, undefined)]).toHaveLength(withMarker(1))
    expect(listed(store, 'k')).toEqual([`0-${11 * minute}=c`])
  })

  it('is restored from the changelog where the retention, and with it the layout, changed', () => {
    const engine = newEngine()
    const changelog = new ListedChangelog()
    const before = storeOver(engine)
    put(before, 'k', 0, 5, 'a')
    changelog.commit(before)
    expect(storeOver(engine).position()).toBe(1)
    const after = storeOver(engine, 60 * minute)
    expect(after.position()).toBe(0)
    for (const record of changelog.records) after.restore(record)
    after.ready(1)
    expect(listed(after, 'k')).toEqual(['0-5=a'])
  })

  it('forgets keys beyond its bound at a commit, but no change since the flush, removals included', () => {
    const store = storeOver(newEngine(), 10 * minute, 5)
    const changelog = new ListedChangelog()
    for (let i = 0; i < 10; i++) put(store, `key-${i}`, 0, i, i)
    store.flush(changelog)
    for (const session of find(store, 'key-3', 0, 100)) store.remove(session)
    put(store, 'key-4', 100, 101, 'new')
    store.commit(10)
    expect(store.keys.size).toBe(2)
    expect(listed(store, 'key-3')).toEqual([])
    expect(listed(store, 'key-4')).toEqual(['0-4=4', '100-101=new'])
    expect(listed(store, 'key-9')).toEqual(['0-9=9'])
  })
})
