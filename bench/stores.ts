import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyValueStore, levelEngine, lmdbEngine, memoryEngine, type StoreEngineFactory, serde } from 'millrace'
import { type Comparison, compare } from './rounds.ts'

const keyCount = 50_000
const operations = 100_000
const putsInCommit = 10_000
const rangeEntries = 100
const rounds = 5

const keys = Array.from({ length: keyCount }, (_, i) => `device-${String(i * 7919).padStart(12, '0')}`)
/** A fixed walk that meets every key. */
const keyAt = (i: number): string => keys[(i * 30_011) % keyCount] as string

export const storeEngines = { memory: () => memoryEngine, lmdb: lmdbEngine, leveldb: levelEngine }

type EngineName = keyof typeof storeEngines

/** Puts with a commit after each ten thousand, against a Map: ours also makes the changelog's and the engine's bytes. */
export function storePut(engine: EngineName): Promise<Comparison> {
  return withStore(engine, keyCount, async (store) => {
    const map = new Map<string, number>()
    const hand = () => {
      for (let i = 0; i < operations; i++) map.set(keyAt(i), i)
      return operations
    }
    const ours = () => {
      for (let i = 0; i < operations; i++) {
        store.typed.put(keyAt(i), i)
        if (i % putsInCommit === putsInCommit - 1) store.commit()
      }
      return operations
    }
    return compare(`store put, ${engine}`, hand, ours, { rounds, note: 'against a Map, which keeps nothing' })
  })
}

/** Gets of values that are in memory, decoded. */
export function storeGetHot(): Promise<Comparison> {
  return withStore('memory', keyCount, (store) => compareGets('store get, hot', store))
}

/** Gets after a commit that forgot all values, so that each comes from the engine. */
export function storeGetCold(engine: EngineName): Promise<Comparison> {
  return withStore(engine, 1, (store) => compareGets(`store get from ${engine}`, store, () => store.forget()))
}

/** Ranges of a hundred entries, counted in entries, against slices of a sorted array. */
export function storeRange(engine: Exclude<EngineName, 'leveldb'>): Promise<Comparison> {
  return withStore(engine, 1, (store) => {
    const sorted = keys.toSorted()
    const values = new Map(keys.map((key, i) => [key, i]))
    const count = operations / rangeEntries
    const from = (i: number): number => (i * 30_011) % (keyCount - rangeEntries)
    let sum = 0
    const hand = () => {
      for (let i = 0; i < count; i++) {
        for (const key of sorted.slice(from(i), from(i) + rangeEntries)) sum += values.get(key) as number
      }
      return operations
    }
    const ours = () => {
      let entries = 0
      for (let i = 0; i < count; i++) {
        const range = { from: sorted[from(i)] as string, to: sorted[from(i) + rangeEntries - 1] as string }
        for (const [, value] of store.typed.range(range)) {
          sum += value
          entries++
        }
      }
      if (entries !== operations || sum < 0) throw new Error(`the ranges have ${entries} entries`)
      return entries
    }
    return compare(`store range, ${engine}`, hand, ours, {
      rounds,
      note: 'ranges of 100 entries, against slices of a sorted array',
    })
  })
}

type BenchStore = Awaited<ReturnType<typeof openStore>>

function compareGets(name: string, store: BenchStore, before?: () => void): Promise<Comparison> {
  const map = new Map(keys.map((key, i) => [key, i]))
  let sum = 0
  const hand = () => {
    for (let i = 0; i < keyCount; i++) sum += map.get(keyAt(i)) as number
    return keyCount
  }
  const ours = () => {
    for (let i = 0; i < keyCount; i++) sum += store.typed.get(keyAt(i)) as number
    if (!Number.isSafeInteger(sum)) throw new Error('a value is missing')
    return keyCount
  }
  return compare(name, hand, ours, { rounds, note: 'against a Map', ...(before === undefined ? {} : { before }) })
}

async function withStore(
  engine: EngineName,
  hotEntries: number,
  use: (store: BenchStore) => Promise<Comparison>,
): Promise<Comparison> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const store = await openStore(storeEngines[engine](), directory, hotEntries)
  try {
    return await use(store)
  } finally {
    store.close()
    // LevelDB lets go of its files in the background.
    await new Promise((resolve) => setTimeout(resolve, 100))
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A store with all keys in it, committed. */
async function openStore(factory: StoreEngineFactory, directory: string, hotEntries: number) {
  const location = { directory, store: 'bench' }
  await factory.prepare?.(location)
  const declared = keyValueStore('bench', { key: serde.string, value: serde.float64, hotEntries })
  const state = declared.create(factory.open(location))
  state.ready(0)
  const typed = declared.open(state, { timestamp: () => 0, expired: () => {} })
  let position = 0
  const commit = () => {
    state.flush({ append: () => {} })
    state.commit(++position)
  }
  for (const [i, key] of keys.entries()) typed.put(key, i)
  commit()
  // What is still on its way to the device is not a read from it.
  await new Promise((resolve) => setTimeout(resolve, 500))
  return { typed, commit, forget: commit, close: () => state.close() }
}
