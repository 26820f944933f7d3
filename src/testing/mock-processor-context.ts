import { type Duration, toMilliseconds } from '../duration.ts'
import type {
  FixedKeyProcessorContext,
  ProcessorContext,
  RecordMetadata,
  ScheduleOptions,
} from '../processor/processor.ts'
import { FixedKeyRecord, type ForwardableRecord, ProcessorRecord } from '../processor/processor-record.ts'
import { memoryEngine } from '../state/memory-engine.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { TypedStore } from '../stores/typed-store.ts'
import type { DropReason, PunctuationType } from '../topology/processor.ts'

export interface CapturedForward<K, V> {
  readonly record: ForwardableRecord<K, V>
  /** The child that it was handed to; undefined for all. */
  readonly child: string | undefined
}

export interface CapturedPunctuation {
  readonly intervalMs: number
  readonly type: PunctuationType
  readonly startAt: number | undefined
  /** Whether the processor ended it. */
  readonly isCancelled: boolean
  /** Calls it, as at that time. */
  readonly punctuate: (timestamp: number) => void
}

/**
 * Stands for a task in the test of one processor: notes what the processor hands on, schedules, asks for and drops, and gives
 * it stores in memory. It runs nothing by itself: times and metadata are what the test sets, and punctuations are called by
 * the test. After Kafka Streams' MockProcessorContext.
 */
export class MockProcessorContext<K, V> implements ProcessorContext<K, V>, FixedKeyProcessorContext<K, V> {
  readonly applicationId: string = 'mock'
  readonly taskId: string = '0_0'
  recordMetadata: RecordMetadata | undefined = undefined
  currentStreamTimeMs = -1
  currentSystemTimeMs = 0
  isCommitRequested = false
  readonly forwarded: CapturedForward<K | null, V | null>[] = []
  readonly punctuations: CapturedPunctuation[] = []
  readonly drops: DropReason[] = []
  readonly #stores = new Map<string, StateStore>()

  /** A record to give to the processor. */
  record<RK, RV>(parts: ForwardableRecord<RK, RV>): ProcessorRecord<RK, RV> {
    return new ProcessorRecord(parts.key, parts.value, parts.timestamp, parts.headers ?? [])
  }

  /** A record to give to a processor of fixed keys. */
  fixedKeyRecord<RK, RV>(parts: ForwardableRecord<RK, RV>): FixedKeyRecord<RK, RV> {
    return new FixedKeyRecord(parts.key, parts.value, parts.timestamp, parts.headers ?? [])
  }

  forward(record: ForwardableRecord<K | null, V | null>, child?: string): void {
    this.forwarded.push({ record, child })
  }

  /** What reads and writes the store, which is empty at first. Values that bring no timestamp have the stream time. */
  store<S, R>(store: TypedStore<S, R>): S {
    return store.open(this.#opened(store), {
      timestamp: () => Math.max(this.currentStreamTimeMs, 0),
      expired: () => this.drop('late'),
    })
  }

  readOnlyStore<S, R>(store: TypedStore<S, R>): R {
    return store.openReadOnly(this.#opened(store))
  }

  schedule(
    interval: Duration,
    type: PunctuationType,
    punctuate: (timestamp: number) => void,
    options: ScheduleOptions = {},
  ): () => void {
    const captured = {
      intervalMs: toMilliseconds(interval, 'interval'),
      type,
      startAt: options.startAt,
      isCancelled: false,
      punctuate,
    }
    this.punctuations.push(captured)
    return () => {
      captured.isCancelled = true
    }
  }

  commit(): void {
    this.isCommitRequested = true
  }

  drop(reason: DropReason): void {
    this.drops.push(reason)
  }

  #opened(declaration: StoreDeclaration): StateStore {
    let store = this.#stores.get(declaration.name)
    if (store === undefined) {
      store = declaration.create(memoryEngine.open({ directory: undefined, store: declaration.name }))
      store.ready(0)
      this.#stores.set(declaration.name, store)
    }
    return store
  }
}
