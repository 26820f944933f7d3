import { jsonSerde } from '../../src/serde/json-serde.ts'
import { stringSerde } from '../../src/serde/string-serde.ts'
import { memoryEngine } from '../../src/state/memory-engine.ts'
import type { ChangelogRecord, ChangelogSink, StateStore } from '../../src/state/state-store.ts'
import type { EngineBatch, EngineOperation, StoreEngine } from '../../src/state/store-engine.ts'

export const serdes = { key: stringSerde, value: jsonSerde<unknown>() }

export function newEngine(): StoreEngine {
  return memoryEngine.open({ directory: undefined, store: '' })
}

/** Passes on to an engine in memory, and counts reads and batches. */
export class CountingEngine implements StoreEngine {
  readonly #engine = newEngine()
  /** What kinds of operations each batch had. */
  readonly batches: EngineOperation['kind'][][] = []
  gets = 0

  get(key: Uint8Array): Buffer | undefined {
    this.gets++
    return this.#engine.get(key)
  }

  range(...bounds: Parameters<StoreEngine['range']>): ReturnType<StoreEngine['range']> {
    return this.#engine.range(...bounds)
  }

  write(batch: EngineBatch): void {
    this.batches.push(Array.from(batch.operations, (operation) => operation.kind))
    this.#engine.write(batch)
  }

  position(): number {
    return this.#engine.position()
  }

  size(): number {
    return this.#engine.size()
  }

  isEmpty(): boolean {
    return this.#engine.isEmpty()
  }

  clear(): void {
    this.#engine.clear()
  }

  close(): void {}
}

/** Keeps what a store logs: keys as hex, values as text. */
export class ListedChangelog implements ChangelogSink {
  readonly records: ChangelogRecord[] = []

  get lines(): string[] {
    return this.records.map(({ key, value, timestamp }) => `${key.toString('hex')} ${value} ${timestamp}`)
  }

  append(...record: Parameters<ChangelogSink['append']>): void {
    this.records.push(copyOfLogged(...record))
  }

  /** Commits the store; returns what it logged. */
  commit(store: StateStore): string[] {
    const before = this.records.length
    store.flush(this)
    store.commit(this.records.length)
    return this.lines.slice(before)
  }
}

/** What a store logged, with bytes of its own. */
export function copyOfLogged(...record: Parameters<ChangelogSink['append']>): ChangelogRecord {
  const [key, keyStart, keyEnd, value, valueStart, valueEnd, timestamp] = record
  return {
    key: Buffer.from(key.subarray(keyStart, keyEnd)),
    value: value === null ? null : Buffer.from(value.subarray(valueStart, valueEnd)),
    timestamp,
  }
}

/** The engine's rows as hex of the keys and text of the values behind their timestamps. */
export function engineRows(engine: StoreEngine): string[] {
  return [...engine.range(undefined, undefined)].map(({ key, value }) => {
    return `${key.toString('hex')} ${value.readBigInt64BE(0)} ${value.subarray(8)}`
  })
}

/** The eight bytes of a time, as hex. */
export function hex8(time: number): string {
  return time.toString(16).padStart(16, '0')
}
