import { describe, expect, it } from 'vitest'
import type { RecordHeader } from '../../src/record/headers.ts'
import { BufferedRow, bufferedRowSerde } from '../../src/state/buffered-row.ts'
import type { ChangelogRecord } from '../../src/state/state-store.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { type SuppressEntry, type SuppressStore, suppressStore } from '../../src/state/suppress-store.ts'
import { hex8, ListedChangelog, newEngine, serdes } from './store-fixtures.ts'

type Windows = 'time' | 'session' | 'none'

function storeOver(engine: StoreEngine, windows: Windows = 'session', measuresBytes = false): SuppressStore {
  return suppressStore({ name: 'buffer', ...serdes, windows, sizeMs: 10, measuresBytes })(engine)
}

interface Update {
  readonly value: unknown
  readonly timestamp?: number
  readonly time?: number
  readonly oldValue?: unknown
  readonly headers?: readonly RecordHeader[]
}

function update(store: SuppressStore, key: string, start: number, end: number, given: Update): void {
  const { value, timestamp = start, time = end, oldValue, headers = [] } = given
  const keyId = store.keys.idOfKey(key)
  const entry = store.find(keyId, start, end) ?? store.add(keyId, start, end, new BufferedRow(time, oldValue))
  store.update(entry, {
    timestamp,
    oldValue,
    topic: 'topic',
    partition: 2,
    offset: 2 ** 40,
    value: () => value,
    headers: () => headers,
  })
}

function put(store: SuppressStore, key: string, start: number, end: number, value: unknown, timestamp = start): void {
  update(store, key, start, end, { value, timestamp })
}

function evicted(store: SuppressStore, until: number): string[] {
  const lines: string[] = []
  while (store.earliest <= until) {
    const entry = store.first()
    lines.push(describeEntry(store, entry))
    store.remove(entry)
  }
  return lines
}

function describeEntry(store: SuppressStore, { keyId, start, end, value, timestamp }: SuppressEntry): string {
  return `${store.keys.key(keyId)}@[${start},${end}]=${value?.value} at ${timestamp}`
}

/** The keys as hex, the values that wait, and their timestamps. */
function logged(records: readonly ChangelogRecord[]): string[] {
  const serde = bufferedRowSerde(serdes.value)
  return records.map(({ key, value, timestamp }) => {
    const row = value === null ? null : serde.read(value, 0, value.length)
    return `${key.toString('hex')} ${row === null ? null : row.value} ${timestamp}`
  })
}

function committed(store: SuppressStore, changelog: ListedChangelog): string[] {
  const before = changelog.records.length
  changelog.commit(store)
  return logged(changelog.records.slice(before))
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
    expect(store.earliest).toBe(9)
    expect(evicted(store, 10)).toEqual([
      'z@[0,9]=5 at 0',
      'a@[0,10]=4 at 0',
      'a@[3,10]=3 at 3',
      'ab@[0,10]=2 at 0',
      'b@[0,10]=7 at 8',
    ])
    expect([store.size, store.earliest]).toEqual([1, 11])
    expect(evicted(store, 11)).toEqual(['a@[0,11]=6 at 0'])
    expect([store.size, store.earliest]).toEqual([0, Number.POSITIVE_INFINITY])
  })

  it('forgets what is taken away', () => {
    const store = storeOver(newEngine())
    put(store, 'a', 0, 10, 1)
    put(store, 'b', 0, 10, 2)
    put(store, 'c', 0, 10, 3)
    expect(describeEntry(store, store.first())).toBe('a@[0,10]=1 at 0')
    for (const key of ['a', 'b']) store.remove(store.find(store.keys.idOfKey(key), 0, 10) as SuppressEntry)
    put(store, 'b', 0, 10, 4)
    expect(evicted(store, 100)).toEqual(['b@[0,10]=4 at 0', 'c@[0,10]=3 at 0'])
    expect([store.size, store.earliest]).toEqual([0, Number.POSITIVE_INFINITY])
  })

  it('keeps the time and the prior value of the first update that waits, and all else of the last', () => {
    const engine = newEngine()
    const store = storeOver(engine, 'none')
    const headers = [
      { key: 'trace', value: Buffer.from('1') },
      { key: 'none', value: null },
    ]
    update(store, 'a', 0, 0, { value: 2, timestamp: 7, time: 7, oldValue: 1 })
    update(store, 'a', 0, 0, { value: null, timestamp: 9, time: 9, oldValue: 2, headers })
    new ListedChangelog().commit(store)
    const reopened = storeOver(engine, 'none')
    reopened.ready(1)
    for (const opened of [store, reopened]) {
      expect([opened.size, opened.earliest]).toEqual([1, 7])
      const origin = { topic: 'topic', partition: 2, offset: 2 ** 40 }
      expect(opened.first()).toMatchObject({
        timestamp: 9,
        value: { time: 7, value: null, prior: 1, headers, ...origin },
      })
    }
  })

  it('measures what waits as Kafka Streams does, also after it was opened again', () => {
    const engine = newEngine()
    const store = storeOver(engine, 'time', true)
    // 28 for times, offset and partition, the key with its window, the topic's name, and the values once each.
    const fixed = 28 + 1 + 8 + 5
    update(store, 'a', 0, 10, { value: 12 })
    expect(store.bytes).toBe(fixed + 2)
    update(store, 'a', 0, 10, { value: 123, oldValue: 12, headers: [{ key: 'k', value: Buffer.from('vv') }] })
    expect(store.bytes).toBe(fixed + 3 + 2 + 3)
    update(store, 'b', 0, 10, { value: 7, oldValue: 1234 })
    expect(store.bytes).toBe(fixed + 8 + fixed + 1 + 4)
    new ListedChangelog().commit(store)
    const reopened = storeOver(engine, 'time', true)
    reopened.ready(2)
    expect(reopened.bytes).toBe(store.bytes)
    expect(evicted(reopened, 10)).toHaveLength(2)
    expect(reopened.bytes).toBe(0)
  })

  it('has the keys that Kafka Streams has in the changelog', () => {
    const keys = (['time', 'session', 'none'] as const).map((windows) => {
      const store = storeOver(newEngine(), windows)
      put(store, 'a', 1, 11, 5)
      return committed(store, new ListedChangelog())
    })
    expect(keys).toEqual([[`61${hex8(1)} 5 1`], [`61${hex8(11)}${hex8(1)} 5 1`], ['61 5 1']])
  })

  it('logs what is still held, and takes it back when it was handed out', () => {
    const engine = newEngine()
    const store = storeOver(engine)
    const changelog = new ListedChangelog()
    put(store, 'a', 0, 10, 1, 5)
    put(store, 'b', 0, 20, 2, 6)
    put(store, 'c', 0, 5, 'gone before the flush')
    evicted(store, 5)
    expect(committed(store, changelog)).toEqual([`61${hex8(10)}${hex8(0)} 1 5`, `62${hex8(20)}${hex8(0)} 2 6`])
    evicted(store, 10)
    expect(committed(store, changelog)).toEqual([`61${hex8(10)}${hex8(0)} null 5`])
    expect([...engine.range(undefined, undefined)]).toHaveLength(1)
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
    expect(committed(store, changelog)).toEqual([`${Buffer.from('late').toString('hex')}${hex8(5)}${hex8(0)} null 0`])
  })
})
