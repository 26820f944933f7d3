import { readInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'
import { BTree } from './b-tree.ts'
import type { HotEntry, KeyLayout } from './changelog-layer.ts'
import { LayeredStore } from './layered-store.ts'
import type { StoreEngine } from './store-engine.ts'
import type { RecordKey } from './store-keys.ts'
import { type RecordValue, StoredValue } from './stored-value.ts'

export interface UnjoinedStoreOptions {
  readonly name: string
  readonly key: Serde<unknown>
  readonly left: Serde<unknown>
  readonly right: Serde<unknown>
}

/** Makes buffers of records that wait for a match: the outer store of Kafka Streams' stream-stream joins. */
export function unjoinedStore(options: UnjoinedStoreOptions): (engine: StoreEngine) => UnjoinedStore {
  return (engine) => new UnjoinedStore(options, engine)
}

/** The values of one side's records of one key and time, in the order in which they came. */
export class UnjoinedValues {
  readonly isLeft: boolean
  readonly values: StoredValue[] = []

  constructor(isLeft: boolean) {
    this.isLeft = isLeft
  }
}

/** The records of one side, key and time that wait for a match. */
export class UnjoinedEntry implements HotEntry {
  keyId: number
  timestamp: number
  isLeft: boolean
  /** UnjoinedValues. */
  value: unknown = undefined
  dirty = false
  logged = false

  constructor(keyId: number, timestamp: number, isLeft: boolean) {
    this.keyId = keyId
    this.timestamp = timestamp
    this.isLeft = isLeft
  }

  get values(): readonly StoredValue[] {
    return (this.value as UnjoinedValues).values
  }
}

/**
 * Records of both sides of a join that have not found a match, in the order of (time, side, key bytes) where the right side comes
 * first, and what both sides know of time. All of it is in memory; the engine only keeps it over a restart.
 *
 * Changelog and engine, in Kafka's bytes: key `time8 ‖ side1 ‖ key` (1 is left), value a list of `side1 ‖ value`.
 */
export class UnjoinedStore extends LayeredStore<UnjoinedEntry> {
  /** The greatest event time that either side has seen; -1 before the first record. */
  streamTime = -1
  /** No record that waits is known to be earlier; infinite where none waits. It may be too late, as Kafka Streams' is. */
  earliest: number = Number.POSITIVE_INFINITY
  /** When the clock on the wall lets records that wait be searched next, in milliseconds since 1970. */
  nextEmitMs = 0
  readonly #left: Serde<unknown>
  readonly #right: Serde<unknown>
  /** By key id; a key has few records that wait. */
  #byKey: UnjoinedEntry[][] = []
  readonly #byTime = new BTree<number, Set<UnjoinedEntry>>()
  #leftCount = 0
  #rightCount = 0

  constructor({ name, key, left, right }: UnjoinedStoreOptions, engine: StoreEngine) {
    const layout: KeyLayout<UnjoinedEntry> = {
      writeChangelogKey: (entry, out) => {
        out.writeInt64(entry.timestamp)
        out.writeInt8(entry.isLeft ? 1 : 0)
        this.keys.write(entry.keyId, out)
      },
    }
    super({ name, key, value: listSerde(left, right), layout }, engine)
    this.#left = left
    this.#right = right
  }

  /** How many keys, times and sides records wait for. */
  get size(): number {
    return this.#leftCount + this.#rightCount
  }

  /** Has the record, which has a key and a value, wait. */
  put(record: RecordKey & RecordValue & { readonly timestamp: number }, isLeft: boolean): void {
    const { timestamp } = record
    const keyId = this.keys.idOf(record)
    const entry = this.#find(keyId, timestamp, isLeft) ?? this.#add(keyId, timestamp, isLeft)
    const values = entry.value === undefined ? new UnjoinedValues(isLeft) : (entry.value as UnjoinedValues)
    values.values.push(StoredValue.of(record, isLeft ? this.#left : this.#right))
    this.layer.update(entry, values, timestamp)
    if (timestamp < this.earliest) this.earliest = timestamp
  }

  /** The records of the record's key, at this time and of this side, have found a match. */
  match(record: RecordKey, timestamp: number, isLeft: boolean): void {
    if ((isLeft ? this.#leftCount : this.#rightCount) === 0) return
    const keyId = this.keys.find(record)
    const entry = keyId < 0 ? undefined : this.#find(keyId, timestamp, isLeft)
    if (entry !== undefined) this.remove(entry)
  }

  /** The entry is through; its values are gone. */
  remove(entry: UnjoinedEntry): void {
    const entries = this.#byKey[entry.keyId]
    entries.splice(entries.indexOf(entry), 1)
    const sameTime = this.#byTime.get(entry.timestamp) as Set<UnjoinedEntry>
    sameTime.delete(entry)
    if (sameTime.size === 0) this.#byTime.delete(entry.timestamp)
    if (entry.isLeft) this.#leftCount--
    else this.#rightCount--
    this.layer.remove(entry)
  }

  /**
   * Puts the entries into `closed`, in their order, that can find no match any more: the left ones up to the time `leftUntil` and the
   * right ones up to `rightUntil`. Sets `earliest` as Kafka Streams does: to where its search through the
   * records ends, which is behind the first record of each side that still waits, and so may leave others waiting longer than they need.
   */
  findClosed(leftUntil: number, rightUntil: number, closed: UnjoinedEntry[]): void {
    closed.length = 0
    this.earliest = Number.POSITIVE_INFINITY
    let leftAhead = this.#leftCount
    let rightAhead = this.#rightCount
    let isLeftOpen = false
    let isRightOpen = false
    for (const [time, entries] of this.#byTime.entries()) {
      for (const entry of entries.size === 1 ? entries : this.#inOrder(entries)) {
        this.earliest = time
        if (isLeftOpen && isRightOpen) return
        const isOpen = time > (entry.isLeft ? leftUntil : rightUntil)
        if (!isOpen) closed.push(entry)
        else if (entry.isLeft) isLeftOpen = true
        else isRightOpen = true
        if (entry.isLeft) leftAhead--
        else rightAhead--
        if (isLeftOpen && isRightOpen) {
          if (entry.values.length > 1) return
        } else if ((isLeftOpen && rightAhead === 0) || (isRightOpen && leftAhead === 0)) {
          // What lies ahead is all of the side that waits: the search would only pass it by.
          this.earliest = this.#byTime.maxKey() as number
          return
        }
      }
    }
  }

  protected override boundMemory(): void {
    if (this.keys.isMostlyIdle(this.size)) this.#forgetKeys()
  }

  override ready(changelogPosition: number): void {
    super.ready(changelogPosition)
    for (const { key, value } of this.engine.range(undefined, undefined)) {
      const keyId = this.keys.idOfBytes(key, 9, key.length)
      this.layer.decodeRow(value, this.#add(keyId, readInt64(key, 0), key[8] === 1))
    }
    this.earliest = this.#byTime.minKey() ?? Number.POSITIVE_INFINITY
  }

  #find(keyId: number, timestamp: number, isLeft: boolean): UnjoinedEntry | undefined {
    const entries = this.#byKey[keyId]
    if (entries === undefined) return undefined
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]
      if (entry.timestamp === timestamp && entry.isLeft === isLeft) return entry
    }
    return undefined
  }

  #add(keyId: number, timestamp: number, isLeft: boolean): UnjoinedEntry {
    const entry = this.layer.takeSpare() ?? new UnjoinedEntry(keyId, timestamp, isLeft)
    entry.keyId = keyId
    entry.timestamp = timestamp
    entry.isLeft = isLeft
    while (this.#byKey.length <= keyId) this.#byKey.push([])
    this.#byKey[keyId].push(entry)
    const sameTime = this.#byTime.get(timestamp)
    if (sameTime === undefined) this.#byTime.set(timestamp, new Set([entry]))
    else sameTime.add(entry)
    if (isLeft) this.#leftCount++
    else this.#rightCount++
    return entry
  }

  #inOrder(entries: Set<UnjoinedEntry>): UnjoinedEntry[] {
    return [...entries].sort((a, b) => Number(a.isLeft) - Number(b.isLeft) || this.keys.compare(a.keyId, b.keyId))
  }

  #forgetKeys(): void {
    const waiting = this.#byKey.flat()
    this.keys.keepOnly([...new Set([...waiting, ...this.layer.dirty])])
    this.#byKey = []
    for (const entry of waiting) {
      while (this.#byKey.length <= entry.keyId) this.#byKey.push([])
      this.#byKey[entry.keyId].push(entry)
    }
  }
}

/** Kafka's list of byte arrays of varying length: `1 ‖ count4 ‖ (length4 ‖ side1 ‖ value) for each`. */
function listSerde(left: Serde<unknown>, right: Serde<unknown>): Serde<unknown> {
  return {
    name: `list(${left.name} or ${right.name})`,
    write(value, out) {
      const { isLeft, values } = value as UnjoinedValues
      out.writeInt8(1)
      out.writeInt32(values.length)
      for (const each of values) {
        const lengthAt = out.reserve(4)
        out.writeInt8(isLeft ? 1 : 0)
        each.write(out)
        out.buffer.writeInt32BE(out.length - lengthAt - 4, lengthAt)
      }
    },
    read(bytes, start, end) {
      const list = new UnjoinedValues(bytes[start + 9] === 1)
      for (let at = start + 5; at < end; ) {
        const valueEnd = at + 4 + bytes.readInt32BE(at)
        list.values.push(StoredValue.read(bytes, at + 5, valueEnd, list.isLeft ? left : right))
        at = valueEnd
      }
      return list
    },
  }
}
