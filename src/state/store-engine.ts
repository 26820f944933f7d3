import type { Disk } from '../env/environment.ts'

/**
 * The store engine seam: an ordered map of bytes (unsigned lexicographic order) with synchronous reads, whose writes are
 * atomic and carry the position of the changelog that the contents reflect. Store kinds are key layouts over it.
 */
export interface StoreEngine {
  /** The value at the key. The bytes are the caller's to read until the next call of the engine. */
  get(key: Uint8Array): Buffer | undefined
  /**
   * The entries with `from <= key < to` in key order (`reverse`: from the greatest down); an open end where undefined. The engine must not be written while iterating.
   * An engine may have point reads only: then this, `size` and deletions of ranges fail with INVALID_ARGUMENT.
   */
  range(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    options?: { reverse?: boolean },
  ): Iterable<EngineEntry>
  /** Applies the whole batch or nothing, and then has the batch's position. The batch's bytes are lent until this returns. */
  write(batch: EngineBatch): void
  /** The changelog offset after the last record that the contents reflect; 0 for a new store. */
  position(): number
  /** How many entries there are; an engine that cannot know may be off by a few. */
  size(): number
  /** Whether there is no entry; may be false although there is none any more. */
  isEmpty(): boolean
  /** Empties the store and sets the position to 0. */
  clear(): void
  close(): void
}

export interface EngineEntry {
  readonly key: Buffer
  readonly value: Buffer
}

export interface EngineBatch {
  /** Applied in order. */
  readonly operations: Iterable<EngineOperation>
  readonly position: number
}

export type EngineOperation =
  | { readonly kind: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly key: Buffer }
  /** Deletes every key with `from <= key < to`. */
  | { readonly kind: 'delete-range'; readonly from: Buffer; readonly to: Buffer }

/** Makes the engine of one store of one task. `directory` is absent where the application keeps nothing on disk. */
export interface StoreEngineFactory {
  readonly name: string
  readonly durable: boolean
  /** Does what `open` needs and cannot do at once: where there is it, it is awaited before each `open` of the same location. */
  prepare?(location: EngineLocation): Promise<void>
  open(location: EngineLocation): StoreEngine
}

export interface EngineLocation {
  readonly directory: string | undefined
  readonly store: string
  /** The disk that the directory is on, for engines that look at their files before they open them. */
  readonly disk?: Disk
}
