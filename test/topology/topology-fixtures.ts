import type { Serde } from '../../src/serde/serde.ts'
import type { StoreDeclaration } from '../../src/state/store-declaration.ts'
import type { FlowRecord } from '../../src/topology/flow-record.ts'
import type { DropReason, Processor, ProcessorContext, TaskContext } from '../../src/topology/processor.ts'

export const text: Serde<string> = {
  name: 'text',
  write: (value, out) => out.writeUtf8(value),
  read: (bytes, start, end) => bytes.toString('utf8', start, end),
}

export const number: Serde<number> = {
  name: 'number',
  write: (value, out) => out.writeFloat64(value),
  read: (bytes, start) => bytes.readDoubleBE(start),
}

export function passThrough(): Processor {
  return { process: () => {} }
}

const declared = new Map<string, StoreDeclaration>()

/** The same declaration for the same name, as two processors that share a store hand in. */
export function storeNamed(name: string): StoreDeclaration {
  const existing = declared.get(name)
  if (existing !== undefined) return existing
  const store: StoreDeclaration = {
    name,
    logged: true,
    changelogConfig: {},
    engine: undefined,
    create: () => {
      throw new Error('never opened in these tests')
    },
  }
  declared.set(name, store)
  return store
}

/** A task that never calls anything. */
export const idleTask: TaskContext = {
  applicationId: 'app',
  streamTimeMs: -1,
  globalStore: () => undefined,
  wallClockMs: () => 0,
  schedule: () => () => {},
  requestCommit: () => {},
}

/** What a processor handed on, as it was at that moment. */
export interface Seen {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
}

/** A context that notes what the processor hands on and drops. */
export function noting(name: string): { context: ProcessorContext; seen: Seen[]; drops: DropReason[] } {
  const seen: Seen[] = []
  const drops: DropReason[] = []
  const output: Processor = {
    process: (record: FlowRecord) => {
      seen.push({ key: record.key(), value: record.value(), timestamp: record.timestamp })
    },
  }
  const context: ProcessorContext = {
    name,
    taskId: '0_0',
    output,
    outputTo: () => output,
    store: () => {
      throw new Error('no stores here')
    },
    cacheOf: () => undefined,
    waitingRows: () => undefined,
    mayWrite: () => true,
    streamTime: { observed: -1, emitted: -1 },
    task: idleTask,
    drop: (reason) => {
      drops.push(reason)
    },
  }
  return { context, seen, drops }
}
