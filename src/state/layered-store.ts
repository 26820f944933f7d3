import type { Serde } from '../serde/serde.ts'
import { ChangelogLayer, type HotEntry, type KeyLayout } from './changelog-layer.ts'
import type { ChangelogRecord, ChangelogSink, ChangelogValue, StateStore } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import { type RecordKey, StoreKeys } from './store-keys.ts'
import { defaultHotEntries } from './store-layout.ts'

/** What Kafka Streams counts for a row in a record cache beside the bytes of its key and of its value. */
export interface RowMeasure {
  /** Times and numbers that stand beside the key. */
  readonly keyBytes: number
  /** The timestamp before the value. */
  readonly valueBytes: number
}

const plainRow: RowMeasure = { keyBytes: 0, valueBytes: 8 }
/** Segment, start and number. */
export const windowRow: RowMeasure = { keyBytes: 20, valueBytes: 8 }
/** Segment, end and start. */
export const sessionRow: RowMeasure = { keyBytes: 24, valueBytes: 0 }

/** What a store of any kind is made of beside its engine. */
export interface StoreParts<E extends HotEntry> {
  readonly name: string
  /** Serde of the keys, without the times that the layout puts beside them. */
  readonly key: Serde<unknown>
  /** Serde of the rows' values. */
  readonly value: Serde<unknown>
  readonly layout: KeyLayout<E>
  /** Default: that of rows without windows. */
  readonly measure?: RowMeasure
  /** How many keys, or entries, are kept in memory beyond a commit. Default: 1,000,000. */
  readonly hotEntries?: number
}

/**
 * What stores of all kinds have in common: the keys in use, and the layer that brings entries to changelog and engine. A kind is a
 * layout of keys, and the entries and fetches that go with it; where it does more at a flush, a commit or a restart, it says that
 * around what is here.
 */
export class LayeredStore<E extends HotEntry> implements StateStore {
  readonly name: string
  readonly keys: StoreKeys
  readonly measure: RowMeasure
  protected readonly hotEntries: number
  protected readonly engine: StoreEngine
  protected readonly layer: ChangelogLayer<E>

  protected constructor({ name, key, value, layout, measure, hotEntries }: StoreParts<E>, engine: StoreEngine) {
    this.name = name
    this.keys = new StoreKeys(key)
    this.measure = measure ?? plainRow
    this.hotEntries = hotEntries ?? defaultHotEntries
    this.engine = engine
    this.layer = new ChangelogLayer({ store: name, engine, layout, value })
  }

  /** Whether rows are of a key and a window, as sessions are. */
  get hasWindows(): boolean {
    return false
  }

  /** How many bytes the value of a row takes, without its timestamp. */
  bytesOf(value: unknown): number {
    return this.layer.bytesOf(value)
  }

  /** The id of the record's key, valid until the next commit. */
  keyId(record: RecordKey): number {
    return this.keys.idOf(record)
  }

  flush(changelog: ChangelogSink): void {
    this.layer.flush(changelog)
  }

  commit(changelogPosition: number): void {
    this.layer.commit(changelogPosition)
    this.boundMemory()
  }

  position(): number {
    return this.layer.position()
  }

  restore(record: ChangelogRecord): void {
    this.layer.restore(record)
  }

  /** `timestamp` tells versions apart, where the store has some. */
  committed(key: Buffer, _timestamp?: number): ChangelogValue | undefined {
    return this.layer.committed(key)
  }

  ready(changelogPosition: number): void {
    this.layer.ready(changelogPosition)
  }

  /** Has no more stay in memory, once the engine has what was flushed, than should. */
  protected boundMemory(): void {
    if (Math.max(this.keys.size, this.entryCount) > this.hotEntries) this.forgetClean()
  }

  /** How many entries are in memory, where it is not one for each key. */
  protected get entryCount(): number {
    return 0
  }

  /** Forgets what the engine has: it is read again when it is needed. A kind that has all of its rows at hand does not. */
  protected forgetClean(): void {}

  close(): void {
    this.engine.close()
  }
}
