import type { KeyLookup } from '../record/keys-ahead.ts'
import type { StateStore } from '../state/state-store.ts'
import type { FlowRecord } from './flow-record.ts'

/**
 * One step of a topology: the single primitive that every operator is made of. It takes a record and hands it on, changed
 * or not, zero or more times, in the same call stack. A processor belongs to one task and is never entered twice at once.
 */
export interface Processor {
  /** Called once, after the stores are ready and before the first record. */
  init?(context: ProcessorContext): void
  process(record: FlowRecord): void
  /** Where the keys of its records are looked up, by it or by those that it hands them on to with the same key. */
  readonly keyLookup?: KeyLookup | undefined
  close?(): void
}

/** What a processor is given of the task that it runs in. */
export interface ProcessorContext {
  /** The processor's name in the topology. */
  readonly name: string
  /** `<sub-topology>_<partition>`, as Kafka Streams writes it. */
  readonly taskId: string
  /** Where `process` hands its records: all children but the node's `sideChildren`, in order. */
  readonly output: Processor
  /** One child alone. @throws MillraceError INVALID_TOPOLOGY where it is not a child. */
  outputTo(child: string): Processor
  /** A store connected to this processor. @throws MillraceError INVALID_TOPOLOGY where it is not. */
  store(name: string): StateStore
  /**
   * Where updates of the rows in a store of the processor's own go before they come to `output`: the store's record cache, where
   * it is declared with one. Each must come with the value before and its time; the value is handed on where `sendsOldValues`.
   */
  cacheOf(store: string, sendsOldValues: boolean): Processor | undefined
  /** The rows of a store that wait in its record cache, where it has one. */
  waitingRows(store: string): WaitingRows | undefined
  /** Whether the processor may change a store that is connected to it: not where a source fills it through another one. */
  mayWrite(store: string): boolean
  /** What this processor has seen of event time. Kept with the committed offsets, so that a restart judges late records alike. */
  readonly streamTime: StreamTime
  readonly task: TaskContext
  /** Counts records that the processor does not pass on although no user function said so. */
  drop(reason: DropReason, count?: number): void
}

/** Rows whose updates were not handed on yet. */
export interface WaitingRows {
  /** The row of a key (its id in the store) and window (0 and 0 where there is none), until the next call; -1 where it does not wait. */
  find(keyId: number, start: number, end: number): number
  /** What was handed on of the row; undefined where nothing was. */
  handedOn(row: number): unknown
  /** Event time of that. */
  handedOnTimestamp(row: number): number
}

/** What a processor may know and ask of its task beside records and stores. */
export interface TaskContext {
  readonly applicationId: string
  /** The greatest event time of the task's records so far, in milliseconds since 1970; -1 before the first. Kept over restarts. */
  readonly streamTimeMs: number
  /** A store that all tasks share, and only read; undefined where there is none of that name. */
  globalStore(name: string): StateStore | undefined
  /** The time of the clock on the wall, in milliseconds since 1970. */
  wallClockMs(): number
  /** Begins to call at `firstAt`; what it returns ends that. */
  schedule(punctuation: Punctuation, firstAt: number): () => void
  /** Asks for a commit as soon as the record at hand is processed. */
  requestCommit(): void
}

/** A call at regular intervals: of event time as the task's records show it, or of the clock on the wall. */
export type PunctuationType = 'stream-time' | 'wall-clock'

export interface Punctuation {
  readonly type: PunctuationType
  /** The processor's name, for error messages. */
  readonly operator: string
  readonly intervalMs: number
  readonly punctuate: (timestamp: number) => void
}

export interface StreamTime {
  /** The greatest event time, in milliseconds since 1970; -1 before the first record. */
  observed: number
  /** The event time up to which windows have closed and were handed on; -1 before the first, or where they are not held back. */
  emitted: number
}

/**
 * Why a record was not processed further: every one is counted, per operator. `late` is too late for all of its windows;
 * `not-latest` is an update of a version that another one has followed already, where only the latest counts;
 * `late-for-some` counts records that some of their windows did not take, but others did: these are processed further. `stale` are
 * answers to what a row asked before it changed, in joins by foreign key.
 */
export type DropReason =
  | 'late'
  | 'late-for-some'
  | 'not-latest'
  | 'before-window'
  | 'null-key'
  | 'null-value'
  | 'null-foreign-key'
  | 'stale'
  | 'negative-timestamp'
  | 'undecodable'
  | 'no-partition'
  | 'deleted-before-read'
