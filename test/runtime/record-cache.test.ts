import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { run, StreamsBuilder, serde, type Topology, topic } from '../../src/index.ts'
import { CacheBound } from '../../src/runtime/cache-bound.ts'
import { RecordCache } from '../../src/runtime/record-cache.ts'
import { WaitingUpdates } from '../../src/runtime/waiting-updates.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { KeyValueStore } from '../../src/state/key-value-store.ts'
import { memoryEngine } from '../../src/state/memory-engine.ts'
import { SessionStore } from '../../src/state/session-store.ts'
import { FlowRecord } from '../../src/topology/flow-record.ts'
import type { Processor } from '../../src/topology/processor.ts'
import { all, inMemory, put } from './readings.ts'

const engine = () => memoryEngine.open({ directory: undefined, store: 's' })
const text = serde.string as Serde<unknown>
const parts = { name: 's', key: text, value: text }

describe('WaitingUpdates', () => {
  it('are a map by key and window, in the order of last updates', () => {
    const row = fc.tuple(fc.nat(40), fc.constantFrom(0, 10, 60_000), fc.constantFrom(0, 20))
    const step = fc.oneof({ weight: 20, arbitrary: row }, { weight: 1, arbitrary: fc.constant('take all' as const) })
    const property = fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const updates = new WaitingUpdates()
      const record = new FlowRecord()
      const model = new Map<string, number>()
      for (const [number, what] of steps.entries()) {
        if (what === 'take all') {
          const taken: [string, unknown][] = []
          for (let row = updates.first; row >= 0; row = updates.after(row)) {
            updates.load(row, record)
            taken.push([record.key() as string, record.value()])
          }
          expect(taken).toEqual([...model])
          updates.clear()
          model.clear()
          continue
        }
        const key = what.join(' ')
        const found = updates.find(...what)
        expect(found >= 0).toBe(model.has(key))
        record.setKey(key)
        record.setValue(number)
        if (found >= 0) updates.postpone(found)
        updates.update(found >= 0 ? found : updates.add(...what, record), record)
        model.delete(key)
        model.set(key, number)
        expect(updates.size).toBe(model.size)
      }
    })
    fc.assert(property)
  })
})

/** A cache whose results are written as texts, and a record to hand it. */
function cacheOver(store: KeyValueStore | SessionStore, bound: CacheBound, sendsOldValues = true) {
  const seen: string[] = []
  const output: Processor = {
    process: (record) => {
      seen.push(`${JSON.stringify(record.key())} ${record.value()} < ${record.oldValue} @${record.timestamp}`)
    },
  }
  const cache = new RecordCache(store as never, bound)
  cache.serve({ output, operator: 'o', sendsOldValues })
  const record = new FlowRecord()
  return { cache, record, seen }
}

describe('RecordCache', () => {
  it('takes keys that have no bytes, and keys in windows of either kind', () => {
    const { cache, record, seen } = cacheOver(
      new SessionStore({ ...parts, retentionMs: 10 }, engine()),
      new CacheBound(1e6),
    )
    const bytes = Buffer.from('k')
    for (const [end, value] of [
      [5, 'x'],
      [7, 'y'],
      [5, 'z'],
    ] as const) {
      record.loadKey(bytes, 0, 1, serde.string)
      record.setWindow(1, end)
      record.setValue(value)
      record.timestamp = end
      cache.process(record)
    }
    // The bytes that a key came in are used again for the next fetch.
    bytes.write('?')
    cache.flush()
    expect(seen).toEqual([
      '{"key":"k","window":{"start":1,"end":7}} y < undefined @7',
      '{"key":"k","window":{"start":1,"end":5}} z < undefined @5',
    ])

    const plain = cacheOver(new KeyValueStore(parts, engine()), new CacheBound(1e6))
    plain.record.setKey('made')
    for (const value of ['x', 'y']) {
      plain.record.setValue(value)
      plain.cache.process(plain.record)
    }
    plain.cache.flush()
    expect(plain.seen).toEqual(['"made" y < undefined @0'])
  })

  it('hands on the value before only where it is to be sent, and knows by it what there was', () => {
    for (const sends of [true, false]) {
      const { cache, record, seen } = cacheOver(new KeyValueStore(parts, engine()), new CacheBound(1e6), sends)
      record.setKey('k')
      record.setValue(null)
      record.oldValue = undefined
      cache.process(record)
      cache.flush()
      record.oldValue = 'old'
      cache.process(record)
      record.oldValue = 'later'
      cache.process(record)
      cache.flush()
      expect(seen).toEqual([`"k" null < ${sends ? 'old' : undefined} @0`])
    }
  })

  it('measures a value again when its updates have doubled, and gives its bytes back', () => {
    const bound = new CacheBound(1e6)
    const { cache, record } = cacheOver(new KeyValueStore(parts, engine()), bound)
    record.setKey('k')
    const sizes: number[] = []
    for (let length = 1; length <= 18; length++) {
      record.setValue('x'.repeat(length))
      cache.process(record)
      sizes.push(bound.usedBytes)
    }
    const lengths = sizes.map((size) => size - (sizes[0] as number) + 1)
    expect(lengths).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16])
    record.setValue(null)
    cache.process(record)
    expect(bound.usedBytes).toBeLessThan(sizes[0] as number)
    cache.flush()
    expect(bound.usedBytes).toBe(0)
  })

  it('tells what was handed on of rows that wait, also of those that are about to be in the same flush', () => {
    const bound = new CacheBound(1e6)
    const store = new KeyValueStore(parts, engine())
    const cache = new RecordCache(store as never, bound)
    const ids = ['a', 'b'].map((key) => store.keys.idOfKey(key))
    const look = () =>
      ids.map((id) => {
        const row = cache.find(id, 0, 0)
        return row < 0 ? 'present' : `${cache.handedOn(row)}@${cache.handedOnTimestamp(row)}`
      })
    const seen: string[][] = []
    cache.serve({ output: { process: () => void seen.push(look()) }, operator: 'o', sendsOldValues: true })
    const record = new FlowRecord()
    for (const [key, before] of [
      ['a', 'x'],
      ['b', undefined],
      ['a', 'y'],
    ] as const) {
      record.setKey(key)
      record.setValue('now')
      record.oldValue = before
      record.oldTimestamp = 7
      cache.process(record)
    }
    expect(look()).toEqual(['x@7', 'undefined@7'])
    cache.flush()
    expect(seen).toEqual([
      ['x@7', 'present'],
      ['present', 'present'],
    ])
    expect(look()).toEqual(['present', 'present'])
  })

  it('leaves to the next flush what comes back to it while it flushes', () => {
    const bound = new CacheBound(60)
    const seen: unknown[] = []
    const record = new FlowRecord()
    const back = new FlowRecord()
    const output: Processor = {
      process: (each) => {
        seen.push(each.value())
        if (seen.length > 1) return
        back.setKey('back')
        back.setValue('again')
        cache.process(back)
      },
    }
    const store = new KeyValueStore(parts, engine())
    const cache = new RecordCache(store as never, bound)
    cache.serve({ output, operator: 'o', sendsOldValues: true })
    for (const key of ['a', 'b']) {
      record.setKey(key)
      record.setValue(key)
      cache.process(record)
    }
    expect(seen).toEqual(['a', 'b'])
    expect(cache.size).toBe(1)
    cache.flush()
    expect(seen).toEqual(['a', 'b', 'again'])
  })
})

const words = topic('words', { key: serde.string, value: serde.string })
const counts = topic('counts', { key: serde.string, value: serde.json<number>() })

function counting(caching: boolean): Topology {
  const builder = new StreamsBuilder()
  const options = { store: 'counts', value: counts.value, caching }
  builder.stream(words).groupByKey().count(options).toStream().to(counts)
  return builder.build()
}

const entries = (round: number, count: number) =>
  Array.from({ length: count }, (_, i) => [`key-${i % 3}`, 'x', round * count + i] as const)

describe('an application with record caches', () => {
  it.each(['at-least-once', 'exactly-once'] as const)(
    'hands on at commits, %s, and goes on after a restart',
    async (guarantee) => {
      await using connection = await inMemory()
      for (let round = 0; round < 3; round++) {
        await put(connection, words, entries(round, 600))
        const options = { applicationId: 'app', cluster: connection, guarantee, commitInterval: '20ms' } as const
        await using app = await run(counting(true), { ...options, shutdownSignals: [] })
        // Not before what waits is handed on can results be read.
        await app.caughtUp()
        const written = await all(connection, counts)
        const last = new Map(written.map(([key, value, timestamp]) => [key, [value, timestamp]]))
        const time = (round + 1) * 600
        expect([...last].sort()).toEqual([
          ['key-0', [(round + 1) * 200, time - 3]],
          ['key-1', [(round + 1) * 200, time - 2]],
          ['key-2', [(round + 1) * 200, time - 1]],
        ])
      }
      expect((await all(connection, counts)).length).toBeLessThan(900)
    },
  )

  it('hands on what waits when it is closed', async () => {
    await using connection = await inMemory()
    await put(connection, words, entries(0, 30))
    const options = { applicationId: 'app', cluster: connection, commitInterval: '1h', shutdownSignals: [] } as const
    const app = await run(counting(true), options)
    while (app.metrics().recordsIn < 30) await new Promise((resolve) => setImmediate(resolve))
    expect(await all(connection, counts)).toEqual([])
    // 45 bytes each, and those of topic, key, timestamp and, at the eighth update, of the value in JSON.
    expect(app.metrics().cachedBytes).toBe(3 * (45 + 5 + 5 + 8 + 1))
    await app.close()
    expect(await all(connection, counts)).toEqual([
      ['key-0', 10, 27],
      ['key-1', 10, 28],
      ['key-2', 10, 29],
    ])
  })

  it('keeps to the bound, over all its tasks', async () => {
    await using connection = await inMemory()
    const wide = topic('wide', { key: serde.string, value: serde.string, partitions: 3 })
    await put(
      connection,
      wide,
      Array.from({ length: 300 }, (_, i) => [`key-${i}`, 'x', i] as const),
    )
    const builder = new StreamsBuilder()
    const counted = builder.stream(wide).groupByKey()
    counted.count({ store: 'counts', value: counts.value, caching: true }).toStream().to(counts)
    const options = { applicationId: 'app', cluster: connection, commitInterval: '1h', shutdownSignals: [] } as const
    const app = await run(builder.build(), { ...options, maxCacheBytes: 5_000 })
    while (app.metrics().recordsIn < 300) await new Promise((resolve) => setImmediate(resolve))
    // An update counts more than 50 bytes.
    expect(app.metrics().recordsOut).toBeGreaterThan(200)
    expect(app.metrics().cachedBytes).toBeLessThanOrEqual(5_000)
    await app.close()
    expect(app.metrics().cachedBytes).toBe(0)
    expect((await all(connection, counts)).length).toBe(300)
  })

  it('refuses a bound that is none', async () => {
    for (const maxCacheBytes of [-1, 1.5, Number.NaN]) {
      const options = { applicationId: 'app', cluster: 'memory:', maxCacheBytes, shutdownSignals: [] } as const
      await expect(run(counting(true), options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
  })
})
