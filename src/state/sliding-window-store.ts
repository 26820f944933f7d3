import { readInt64 } from '../bytes/int64.ts'
import { windowRow } from './layered-store.ts'
import { type BoundsFormat, type SessionEntry, SessionStore, type SessionStoreOptions } from './session-store.ts'
import type { StoreEngine } from './store-engine.ts'

export interface SlidingWindowStoreOptions<K, V> extends SessionStoreOptions<K, V> {
  /** From the start of each window to its end, both inclusive. */
  readonly sizeMs: number
}

/** Makes stores of windows that begin where their key's records do: Kafka Streams' TimestampedWindowStore of sliding windows. */
export function slidingWindowStore<K, V>(
  options: SlidingWindowStoreOptions<K, V>,
): (engine: StoreEngine) => SlidingWindowStore {
  return (engine) => new SlidingWindowStore(options, engine)
}

/**
 * The windows of each key, which are arranged as sessions are because each key has its own; all are of one size. The
 * changelog's keys are those of a window store: Kafka's `key ‖ start8 ‖ seq4`, where seq is 0.
 */
export class SlidingWindowStore extends SessionStore {
  readonly sizeMs: number
  readonly #found: SessionEntry[] = []

  constructor(options: SlidingWindowStoreOptions<unknown, unknown>, engine: StoreEngine) {
    super(options, engine, windowBounds(options.sizeMs))
    this.sizeMs = options.sizeMs
  }

  /** Windows are made that end after event time: only the operator knows what can still be needed. */
  protected override observe(): void {}

  /** The value of a key in the window of that start, as operators see it now. */
  get(key: unknown, windowStart: number): { readonly value: unknown; readonly timestamp: number } | undefined {
    const end = windowStart + this.sizeMs
    this.find(this.keys.idOfKey(key), end, windowStart, this.#found)
    const entry = this.#found.find((each) => each.start === windowStart)
    return entry === undefined ? undefined : { value: entry.value, timestamp: entry.timestamp }
  }
}

function windowBounds(sizeMs: number): BoundsFormat {
  return {
    byteLength: 12,
    measure: windowRow,
    write(start, _end, out) {
      out.writeInt64(start)
      out.writeInt32(0)
    },
    readEnd: (changelogKey, at) => readInt64(changelogKey, at) + sizeMs,
    readStart: (changelogKey, at) => readInt64(changelogKey, at),
  }
}
