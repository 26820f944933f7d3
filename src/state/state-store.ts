/**
 * What the runtime needs of any store, whatever its kind. Updates made by operators are kept in the store's hot layer and
 * are not written anywhere until `flush`; `flush` hands each dirty key's bytes once to the changelog and keeps them for the
 * engine, which gets them in `commit`, when the input offsets they belong to are committed. So engine contents always
 * equal the changelog up to the engine's position, and a crash never leaves updates of uncommitted input in the engine.
 */
export interface StateStore {
  readonly name: string
  /** Sends what changed since the last flush to the changelog. Keys and values are valid only during each call of the sink. */
  flush(changelog: ChangelogSink): void
  /** Writes what was flushed to the engine, with the changelog offset that follows it. */
  commit(changelogPosition: number): void
  /** The changelog offset after the last record that the engine reflects: where restoring begins. */
  position(): number
  /** Applies one changelog record to the engine. Called before `ready`, in changelog order. */
  restore(record: ChangelogRecord): void
  /** Whether each record of its changelog is a value of its own, known by key and timestamp, and not by the key alone. */
  readonly hasVersions?: boolean
  /** The committed value of a changelog key (and timestamp) as a changelog record would hold it; undefined where there is none. */
  committed(key: Buffer, timestamp: number): ChangelogValue | undefined
  /** Restoring is over: what was restored is written with this position, and operators may use the store. */
  ready(changelogPosition: number): void
  close(): void
}

/** Takes what a store logs: ranges of bytes, which may be reused after the call. `value` null is a tombstone. */
export interface ChangelogSink {
  append(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void
}

export interface ChangelogValue {
  /** null: a deletion. */
  readonly value: Buffer | null
  readonly timestamp: number
}

export interface ChangelogRecord {
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: number
}
