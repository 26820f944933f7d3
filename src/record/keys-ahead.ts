import type { Serde } from '../serde/serde.ts'

/** So many that memory is waited for at once, and so few that what was waited for is still in the nearest cache when it is used. */
const mostKeys = 32

/**
 * Where the keys of the records are that come next. Who looks keys up among very many waits for memory: with several of them at
 * hand it waits for all at once, not for one after the other. Nothing else is known of these records: they are not
 * verified yet, some may be left out, and they may not come at all. So whoever is told of them changes nothing.
 */
export class KeysAhead {
  /** The encoding of the keys. */
  readonly serde: Serde<unknown>
  bytes: Buffer = nothing
  count = 0
  /** The keys are in `bytes[starts[i]..ends[i])`. */
  readonly starts: Int32Array = new Int32Array(mostKeys)
  readonly ends: Int32Array = new Int32Array(mostKeys)

  constructor(serde: Serde<unknown>) {
    this.serde = serde
  }
}

/** Where the keys of records are looked up: a store. */
export interface KeyLookup {
  /** Whether it gains now by being told of keys: it has so many that they are in no cache. */
  readonly expectsKeys: boolean
  /** Brings near what it will look at for the keys. */
  expectKeys(keys: KeysAhead): void
}

/** How many keys a `KeysAhead` has at most. */
export const mostKeysAhead: number = mostKeys

const nothing: Buffer = Buffer.alloc(0)
