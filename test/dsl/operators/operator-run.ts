import { stringSerde } from '../../../src/serde/string-serde.ts'
import type { ChangelogRecord, ChangelogSink, StateStore } from '../../../src/state/state-store.ts'
import type { StoreEngine } from '../../../src/state/store-engine.ts'
import { FlowRecord } from '../../../src/topology/flow-record.ts'
import type { DropReason, Processor, ProcessorContext, StreamTime } from '../../../src/topology/processor.ts'
import type { Windowed } from '../../../src/windowed.ts'
import { copyOfLogged } from '../../state/store-fixtures.ts'
import { idleTask } from '../../topology/topology-fixtures.ts'

export interface Input {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

/** Processors one after the other, with their stores, driven by hand. Outputs are written as golden/semantics.txt does. */
export class OperatorRun {
  readonly late: string[] = []
  readonly drops: Partial<Record<DropReason, number>> = {}
  readonly streamTimes: StreamTime[]
  readonly #first: Processor
  readonly #record = new FlowRecord()
  #outputs: string[] = []

  constructor(
    creators: readonly (() => Processor)[],
    stores: readonly StateStore[],
    streamTimes: readonly Readonly<StreamTime>[] = creators.map(() => ({ observed: -1, emitted: -1 })),
  ) {
    this.streamTimes = streamTimes.map((time) => ({ ...time }))
    let output: Processor = { process: (record) => this.#outputs.push(describeRecord(record)) }
    for (const [i, create] of [...creators.entries()].reverse()) {
      const processor = create()
      processor.init?.(this.#context(i, output, stores))
      output = processor
    }
    this.#first = output
  }

  /** What the last processor hands on for one record. */
  process({ key, value, timestamp }: Input): string[] {
    this.#outputs = []
    const record = this.#record
    const bytes = Buffer.from(`${key ?? ''}${value ?? ''}`)
    const keyEnd = Buffer.byteLength(key ?? '')
    record.timestamp = timestamp
    record.oldValue = undefined
    record.loadKey(bytes, key === null ? -1 : 0, keyEnd, stringSerde)
    record.loadValue(bytes, value === null ? -1 : keyEnd, bytes.length, stringSerde)
    const before = describeRecord(record)
    this.#first.process(record)
    if (describeRecord(record) !== before) throw new Error(`The record was not put back: ${describeRecord(record)}`)
    return this.#outputs
  }

  #context(index: number, output: Processor, stores: readonly StateStore[]): ProcessorContext {
    return {
      name: `OPERATOR-${index}`,
      taskId: '0_0',
      output,
      outputTo: () => ({ process: (record) => this.late.push(describeRecord(record)) }),
      store: (name) => stores.find((store) => store.name === name) as StateStore,
      cacheOf: () => undefined,
      waitingRows: () => undefined,
      mayWrite: () => true,
      streamTime: this.streamTimes[index] as StreamTime,
      task: idleTask,
      drop: (reason, count = 1) => {
        this.drops[reason] = (this.drops[reason] ?? 0) + count
      },
    }
  }
}

/** A changelog in memory, and what the runtime does with it at a commit and after a crash. */
export class TestChangelog implements ChangelogSink {
  readonly records: ChangelogRecord[] = []

  append(...record: Parameters<ChangelogSink['append']>): void {
    this.records.push(copyOfLogged(...record))
  }

  commit(store: StateStore): void {
    store.flush(this)
    store.commit(this.records.length)
  }

  /** Restores a store made over the engine that a crash left, and undoes what the changelog has beyond the commit. */
  recover<S extends StateStore>(create: (engine: StoreEngine) => S, engine: StoreEngine, committed: number): S {
    const store = create(engine)
    for (const record of this.records.slice(store.position(), committed)) store.restore(record)
    store.ready(committed)
    const touched = new Map(this.records.slice(committed).map(({ key }) => [key.toString('latin1'), key]))
    for (const key of touched.values()) {
      const before = store.committed(key, 0)
      this.records.push({ key, value: before?.value ?? null, timestamp: before?.timestamp ?? 0 })
    }
    return store
  }
}

function describeRecord(record: FlowRecord): string {
  const key = record.key()
  const value = record.value()
  return `(${record.windowed ? describeWindowed(key as Windowed<unknown>) : key}, ${value}, ts=${record.timestamp})`
}

function describeWindowed({ key, window }: Windowed<unknown>): string {
  return `${key}@[${window.start},${window.end}]`
}
