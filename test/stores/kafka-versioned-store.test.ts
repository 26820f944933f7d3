import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { serde } from '../../src/serde/serdes.ts'
import { versionedKeyValueStore } from '../../src/stores/versioned-store.ts'
import { OpenedStore } from './opened-store.ts'

interface Found {
  readonly value: string
  readonly timestamp: number
}
type Operation =
  | { readonly put: string; readonly value: string | null; readonly timestamp: number; readonly validTo: unknown }
  | { readonly delete: string; readonly timestamp: number; readonly was: Found | null }
  | { readonly get: string; readonly asOf?: number; readonly found: Found | null }
interface Recorded {
  readonly historyRetentionMs: number
  readonly operations: readonly Operation[]
  readonly changelog: readonly { readonly key: string; readonly value: string | null; readonly timestamp: number }[]
}

/** What Kafka Streams 4.1.1's persistent versioned store answered to random operations, and what it logged. */
const recorded = JSON.parse(
  readFileSync(new URL('../vectors/versioned-store.json', import.meta.url), 'utf8'),
) as Recorded

it("answers and logs what Kafka Streams' versioned store did", () => {
  const options = { key: serde.string, value: serde.string, historyRetention: recorded.historyRetentionMs }
  const store = new OpenedStore(versionedKeyValueStore('v', options))
  for (const [at, operation] of recorded.operations.entries()) {
    expect(answer(store, operation), `operation ${at}: ${JSON.stringify(operation)}`).toEqual(operation)
    // Commits and restarts change nothing.
    if (at % 50 === 0) store.commit()
    if (at % 100 === 0) store.restart()
  }
  store.commit()
  const ours = logged(
    store.changelog.records.map(({ key, value, timestamp }) => [key.toString('hex'), value, timestamp]),
  )
  const theirs = logged(recorded.changelog.map(({ key, value, timestamp }) => [key, value, timestamp]))
  // Kafka Streams also logs what it did not put.
  let refused = 0
  for (const [key, records] of Object.entries(theirs)) {
    const rest = [...(ours[key] as string[])]
    for (const record of records) {
      if (record === rest[0]) rest.shift()
      else refused++
    }
    expect(rest).toEqual([])
  }
  expect(refused).toBe(store.expired)
})

function answer({ typed: store }: OpenedVersions, operation: Operation): Operation {
  if ('put' in operation) {
    const validTo = store.put(operation.put, operation.value, operation.timestamp)
    return { ...operation, validTo: validTo === undefined ? 'not put' : validTo === Infinity ? 'latest' : validTo }
  }
  if ('delete' in operation) return { ...operation, was: shown(store.delete(operation.delete, operation.timestamp)) }
  return { ...operation, found: shown(store.get(operation.get, operation.asOf)) }
}

type OpenedVersions = { readonly typed: ReturnType<ReturnType<typeof declared>['open']> }

function declared() {
  return versionedKeyValueStore('v', { key: serde.string, value: serde.string, historyRetention: 0 })
}

function shown(found: Found | undefined): Found | null {
  return found === undefined ? null : { value: found.value, timestamp: found.timestamp }
}

/** By key in the order of the log: between commits ours logs one key after the other. */
function logged(records: [key: string, value: unknown, timestamp: number][]): Record<string, string[]> {
  const byKey: Record<string, string[]> = {}
  for (const [key, value, timestamp] of records) {
    byKey[key] ??= []
    byKey[key]?.push(`${value} @${timestamp}`)
  }
  return byKey
}
