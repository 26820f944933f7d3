import { ByteWriter } from '../bytes/byte-writer.ts'
import { RangeCopier } from '../bytes/range-copier.ts'
import { type KeysAhead, mostKeysAhead } from '../record/keys-ahead.ts'
import type { Serde } from '../serde/serde.ts'
import { KeyDictionary } from './key-dictionary.ts'

/** What a store needs to see of a record's key. The bytes, where there are any, are those of the key without its window. */
export interface RecordKey {
  readonly keyBytes: Buffer
  readonly keyStart: number
  readonly keyEnd: number
  readonly keySerde: Serde<unknown> | undefined
  readonly windowed: boolean
  key(): unknown
}

export interface LoadableKey extends RecordKey {
  loadKey(bytes: Buffer, start: number, end: number, serde: Serde<unknown>): void
}

/** Keys that are not in use are forgotten when they are this many and outnumber the others. */
const leastForgottenKeys = 1_024

/** With fewer keys these and what belongs to them stay in the processor's caches, so that looking ahead is lost time. */
const manyKeys = 32_768

/**
 * The keys that a store has in memory: ids from bytes, and each key decoded at most once. A record whose key lies there in
 * the store's own encoding is looked up by those bytes; any other key is encoded first.
 */
export class StoreKeys {
  readonly serde: Serde<unknown>
  readonly #dictionary = new KeyDictionary()
  #decoded: unknown[] = []
  readonly #expected = new Int32Array(mostKeysAhead)
  readonly #copier = new RangeCopier()
  readonly #scratch = new ByteWriter(256)

  constructor(serde: Serde<unknown>) {
    this.serde = serde
  }

  get size(): number {
    return this.#dictionary.size
  }

  /** The id of the record's key; a windowed key counts as a whole, window and all. */
  idOf(record: RecordKey): number {
    if (record.keyStart >= 0 && record.keySerde === this.serde && !record.windowed) {
      return this.#dictionary.idOf(record.keyBytes, record.keyStart, record.keyEnd)
    }
    return this.idOfKey(record.key())
  }

  /** The id of the record's key, or -1 where the store does not have it. */
  find(record: RecordKey): number {
    if (record.keyStart >= 0 && record.keySerde === this.serde && !record.windowed) {
      return this.#dictionary.find(record.keyBytes, record.keyStart, record.keyEnd)
    }
    const encoded = this.#encode(record.key())
    return this.#dictionary.find(encoded.buffer, 0, encoded.length)
  }

  /** The id of the record's key without its window. */
  idOfInner(record: RecordKey): number {
    if (record.keyStart >= 0 && record.keySerde === this.serde) {
      return this.#dictionary.idOf(record.keyBytes, record.keyStart, record.keyEnd)
    }
    const key = record.key()
    return this.idOfKey(record.windowed ? (key as { key: unknown }).key : key)
  }

  /** Whether there are so many keys that looking one up waits for memory. */
  get areMany(): boolean {
    return this.#dictionary.size >= manyKeys
  }

  /**
   * Brings near what is needed to look the keys up, which are not windowed. Returns an id for each, or -1, which may be another's;
   * undefined where their bytes are not the store's.
   */
  expect(keys: KeysAhead): Int32Array | undefined {
    if (keys.serde !== this.serde) return undefined
    this.#dictionary.expect(keys, this.#expected)
    return this.#expected
  }

  idOfKey(key: unknown): number {
    const encoded = this.#encode(key)
    return this.#dictionary.idOf(encoded.buffer, 0, encoded.length)
  }

  idOfBytes(bytes: Buffer, start: number, end: number): number {
    return this.#dictionary.idOf(bytes, start, end)
  }

  key(id: number): unknown {
    const known = this.#decoded[id]
    if (known !== undefined) return known
    const key = this.serde.read(this.#dictionary.arena, this.#dictionary.startOf(id), this.#dictionary.endOf(id))
    // Ids are dense, and so is the array: one filled out of order would turn into a slow map.
    while (this.#decoded.length <= id) this.#decoded.push(undefined)
    this.#decoded[id] = key
    return key
  }

  /** Gives the record the key. Its bytes move when a key is added. */
  load(id: number, record: LoadableKey): void {
    const dictionary = this.#dictionary
    record.loadKey(dictionary.arena, dictionary.startOf(id), dictionary.endOf(id), this.serde)
  }

  /** Makes sure that the record, whose key this is, has the key's bytes as the store has them, and can be put into a window. */
  loadOwn(id: number, record: LoadableKey): void {
    if (record.keyStart < 0 || record.keySerde !== this.serde || record.windowed) this.load(id, record)
  }

  startOf(id: number): number {
    return this.#dictionary.startOf(id)
  }

  endOf(id: number): number {
    return this.#dictionary.endOf(id)
  }

  compare(left: number, right: number): number {
    return this.#dictionary.compare(left, right)
  }

  write(id: number, out: ByteWriter): void {
    const start = this.#dictionary.startOf(id)
    const end = this.#dictionary.endOf(id)
    const at = out.reserve(end - start)
    this.#copier.copy(this.#dictionary.arena, start, end, out.buffer, at)
  }

  /** Whether so many keys are not among those in use, of which there are `used`, that forgetting them pays. */
  isMostlyIdle(used: number): boolean {
    return this.size - used >= Math.max(leastForgottenKeys, used)
  }

  /** Forgets all keys but those of the entries, which get new ids. */
  keepOnly(entries: readonly { keyId: number }[]): void {
    const bytes = this.#dictionary.arena
    const ends = entries.map((entry) => this.#dictionary.endOf(entry.keyId))
    const starts = entries.map((entry) => this.#dictionary.startOf(entry.keyId))
    this.#dictionary.clear()
    this.#decoded = []
    for (const [i, entry] of entries.entries()) {
      entry.keyId = this.#dictionary.idOf(bytes, starts[i] as number, ends[i] as number)
    }
  }

  #encode(key: unknown): ByteWriter {
    this.#scratch.clear()
    this.serde.write(key, this.#scratch)
    return this.#scratch
  }
}
