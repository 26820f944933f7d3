/**
 * A case is a topology as data and the events it is given. It is written once, as JSON, and read twice: by the builder over
 * Millrace's DSL (`operators/`) and by the one over Kafka Streams' (`java/`).
 */

/** How keys or values become bytes. `window:SIZE` is a key in a time window of that size, `session` a key in a session. */
export type Format = 'string' | 'long' | 'session' | `window:${number}`

/** What an operator makes, as far as it decides which operators may follow. */
export type Shape =
  | 'stream'
  | 'table'
  | 'globalTable'
  | 'grouped'
  | 'groupedTable'
  | 'windowed'
  | 'cogrouped'
  | 'windowedCogrouped'
  | 'split'
  | 'node'
  | 'filledStore'
  | 'nothing'

/** Values of an operator's parameters; durations are in milliseconds. */
export type Parameter = string | number | boolean | readonly string[] | readonly Arm[] | Arm

/** A branch of a split: its name, and the records it takes where it has a predicate. */
export interface Arm {
  readonly name?: string
  readonly on?: 'key' | 'value'
  readonly mod?: number
}

export interface CaseNode {
  readonly id: string
  readonly op: string
  /** Ids of the operators it follows. */
  readonly of: readonly string[]
  /** What comes out of it; formats of a grouped stream are those of its key and values. */
  readonly is: Shape
  readonly key: Format
  readonly value: Format
  readonly [parameter: string]: Parameter
}

/** Whether its records leave the topology. */
export function isSink({ op }: CaseNode): boolean {
  return op === 'to' || op === 'handSink'
}

export interface PipeEvent {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly ts: number
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

/** Moves the wall clock by milliseconds. */
export interface WallClockEvent {
  readonly wallclock: number
}

/** Millrace's driver is restarted; for Kafka Streams' nothing happens. */
export interface RestartEvent {
  readonly restart: true
}

/** Records between which nothing is committed. */
export interface BatchEvent {
  readonly batch: readonly PipeEvent[]
}

export type CaseEvent = PipeEvent | WallClockEvent | RestartEvent | BatchEvent

export interface Case {
  readonly id: number
  /** Built with `topology.optimization=all`. */
  readonly optimize: boolean
  /** Written node by node, without the DSL. */
  readonly byHand?: true
  /** How often windows that closed, and records of joins without a match, are looked for at most, by the clock on the wall. */
  readonly emitEveryMs?: number
  /** The bound of record caches; without it there are none. */
  readonly cacheBytes?: number
  readonly nodes: readonly CaseNode[]
  readonly events: readonly CaseEvent[]
}

/** A record that came out: topic, key, value, timestamp, and headers where there are any. */
export type OutputLine = readonly [
  topic: string,
  key: string | null,
  value: string | null,
  timestamp: number,
  headers?: readonly (readonly [name: string, value: string])[],
]

/**
 * What a store holds, as its changelog says it: bytes as letters of their numbers. Of rows of windows Kafka Streams also says
 * what they were before the event that changed them last, and whether that removed them on the way; null is nothing.
 */
export type StoreContents = Readonly<Record<string, StoreRow>>
export type StoreRow = readonly [value: string | null, timestamp: number, others?: readonly (string | null)[]]

/** What a case came to. Either it was refused or failed, with the error, or it has everything else. */
export interface Answer {
  readonly id: number
  readonly error?: string
  /** Where it failed while it ran: the number of the event. */
  readonly failedAt?: number
  readonly describe?: string
  /** For each event what came out of it. */
  readonly steps?: readonly (readonly OutputLine[])[]
  /** Topics that were written to, those of the application's own too. */
  readonly topics?: readonly string[]
  /** By changelog topic: what is in the stores at the end. */
  readonly stores?: Readonly<Record<string, StoreContents>>
}
