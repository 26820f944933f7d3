import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JoinStore, joinStore } from '../../src/state/join-store.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import type { StoredValue } from '../../src/state/stored-value.ts'
import { FlowRecord } from '../../src/topology/flow-record.ts'
import { engineRows, hex8, ListedChangelog, newEngine, serdes } from './store-fixtures.ts'

const minute = 60_000
const retentionMs = 4 * minute
const keys = ['k', 'kk', 'l', '']

function storeOver(engine: StoreEngine, hotEntries = 1_000, retention = retentionMs): JoinStore {
  return joinStore({ name: 'records', ...serdes, retentionMs: retention, hotEntries })(engine)
}

function recordOf(key: string, value: unknown, timestamp: number): FlowRecord {
  const record = new FlowRecord()
  record.setKey(key)
  record.setValue(value)
  record.timestamp = timestamp
  return record
}

function listed(store: JoinStore, key: string): string[] {
  const rows = store.rowsOf(recordOf(key, null, 0))
  if (rows === undefined) return []
  const live = rows.entries.slice(rows.indexAt(store.liveFrom))
  return live.map(({ timestamp, sequence, value }) => `${timestamp}/${sequence}=${(value as StoredValue).value()}`)
}

describe('JoinStore', () => {
  it('keeps all records of a key, by time and then as they came, until time has passed them', () => {
    const store = storeOver(newEngine())
    for (const [value, time] of [...'abcd'].map((text, i) => [text, [5, 3, 5, 4][i]] as const)) {
      store.put(recordOf('k', value, time))
    }
    store.put(recordOf('kk', 'other', 4))
    expect(listed(store, 'k')).toEqual(['3/1=b', '4/1=d', '5/1=a', '5/2=c'])
    store.expireBefore(5)
    store.put(recordOf('k', 'late', 4))
    expect(listed(store, 'k')).toEqual(['5/1=a', '5/2=c'])
    expect(listed(store, 'none')).toEqual([])
  })

  it('has at any time, and logs at each commit, what a plain list of records would, however many expire in between', () => {
    const stepOf = fc.record({
      key: fc.constantFrom(...keys),
      ahead: fc.integer({ min: 0, max: 4 }),
      commits: fc.nat(9),
    })
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 80 }), fc.constantFrom(3, 1_000), (steps, hotEntries) => {
        const retention = 6
        const store = storeOver(newEngine(), hotEntries, retention)
        const changelog = new ListedChangelog()
        const model: { key: string; time: number; value: number; isLogged: boolean }[] = []
        let now = 10
        for (const [value, { key, ahead, commits }] of steps.entries()) {
          now += ahead
          store.expireBefore(now - retention)
          store.put(recordOf(key, value, now))
          model.push({ key, time: now, value, isLogged: false })
          const isLive = ({ time }: { time: number }): boolean => time >= now - retention
          const values = listed(store, key).map((line) => line.split('=')[1])
          expect(values).toEqual(
            model.filter((each) => each.key === key && isLive(each)).map((each) => `${each.value}`),
          )
          if (commits > 0) continue
          const fresh = model.filter((each) => !each.isLogged && isLive(each))
          const logged = changelog.commit(store).map((line) => line.split(' ').slice(1).join(' '))
          expect(logged.sort()).toEqual(fresh.map((each) => `${each.value} ${each.time}`).sort())
          for (const each of model) each.isLogged = true
        }
      }),
    )
  })

  it("logs Kafka's bytes, and what has expired before it was flushed not at all", () => {
    const engine = newEngine()
    const store = storeOver(engine)
    const changelog = new ListedChangelog()
    store.put(recordOf('k', 'a', 5))
    store.put(recordOf('k', 'b', minute))
    store.put(recordOf('k', 'c', minute))
    store.expireBefore(6)
    expect(changelog.commit(store)).toEqual([
      `6b${hex8(minute)}00000001 "b" ${minute}`,
      `6b${hex8(minute)}00000002 "c" ${minute}`,
    ])
    // The first segment of two minutes, and the length of the segments.
    expect(engineRows(engine).slice(0, 2)).toEqual([
      `${hex8(0)}000000016b${hex8(minute)}00000001 ${minute} "b"`,
      `${hex8(0)}000000016b${hex8(minute)}00000002 ${minute} "c"`,
    ])
    store.expireBefore(3 * minute)
    store.put(recordOf('k', 'd', 3 * minute))
    changelog.commit(store)
    expect(engineRows(engine)).toHaveLength(2)
  })

  it('forgets what it need not have in memory, and has it again', () => {
    const store = storeOver(newEngine(), 2)
    const changelog = new ListedChangelog()
    for (let i = 0; i < 10; i++) store.put(recordOf(keys[i % 3], i, i * 1_000))
    changelog.commit(store)
    expect(store.keys.size).toBe(0)
    expect(listed(store, 'kk')).toEqual(['1000/1=1', '4000/1=4', '7000/1=7'])
    store.put(recordOf('kk', 'again', 4_000))
    expect(listed(store, 'kk')).toEqual(['1000/1=1', '4000/1=4', '4000/2=again', '7000/1=7'])
  })

  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ put: fc.constantFrom(...keys), later: fc.integer({ min: -90, max: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ expires: fc.constant(true) }) },
    { weight: 2, arbitrary: fc.record({ commits: fc.constant(true) }) },
    { weight: 1, arbitrary: fc.record({ reopens: fc.constantFrom('engine', 'changelog') }) },
  )

  it('has what was put, whatever is committed, forgotten, expired and opened again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(2, 5, 1_000), (steps, hotEntries) => {
        let engine = newEngine()
        let store = storeOver(engine, hotEntries)
        const changelog = new ListedChangelog()
        let put: { key: string; time: number; value: number }[] = []
        let committed: typeof put = []
        let time = 0
        let liveFrom = 0
        for (const [i, each] of steps.entries()) {
          if ('put' in each) {
            time = Math.max(0, time + each.later * 1_000)
            store.put(recordOf(each.put, i, time))
            if (time >= liveFrom) put.push({ key: each.put, time, value: i })
          } else if ('expires' in each) {
            liveFrom = Math.max(liveFrom, time - retentionMs + 1)
            store.expireBefore(liveFrom)
          } else if ('commits' in each) {
            changelog.commit(store)
            committed = [...put]
          } else {
            if (each.reopens === 'changelog') engine = newEngine()
            store = storeOver(engine, hotEntries)
            if (each.reopens === 'changelog') for (const record of changelog.records) store.restore(record)
            store.ready(changelog.records.length)
            store.expireBefore(liveFrom)
            put = [...committed]
          }
          for (const key of keys) {
            const expected = put
              .filter((record) => record.key === key && record.time >= liveFrom)
              .sort((a, b) => a.time - b.time)
            expect(listed(store, key).map((text) => text.replace(/\/\d+/, ''))).toEqual(
              expected.map((record) => `${record.time}=${record.value}`),
            )
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
