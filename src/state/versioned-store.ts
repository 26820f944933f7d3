import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'
import type { HotEntry, KeyLayout } from './changelog-layer.ts'
import { LayeredStore } from './layered-store.ts'
import type { ChangelogRecord, ChangelogSink, ChangelogValue } from './state-store.ts'
import type { StoreEngine } from './store-engine.ts'
import { timeKey } from './store-layout.ts'
import { lastVersionAt, type Version, versionsSerde } from './versions.ts'

export interface VersionedStoreOptions<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** How far back in event time versions can be looked up and put. */
  readonly historyRetentionMs: number
  /** How many keys are kept in memory beyond a commit. Default: 1,000,000. */
  readonly hotEntries?: number
}

/** Makes stores of the versions of each key's value: Kafka Streams' VersionedKeyValueStore (KIP-889). */
export function versionedStore<K, V>(options: VersionedStoreOptions<K, V>): (engine: StoreEngine) => VersionedStore {
  return (engine) => new VersionedStore(options, engine)
}

/** The versions of one key. Change them by `VersionedStore.put` only. */
export class VersionedEntry implements HotEntry {
  keyId: number
  /** By their timestamps; undefined where there are none. */
  value: Version[] | undefined = undefined
  timestamp = 0
  dirty = false
  logged = false
  /** What was put since the last flush, in that order. */
  readonly put: Version[] = []

  constructor(keyId: number) {
    this.keyId = keyId
  }
}

/** What `put` returns for a version that is too old to be kept. */
export const tooLate = -1

/** Holds the greatest timestamp; rows follow it. */
const observedKey = Buffer.from([0])
const rowMark = 1
const restoredAtOnce = 1_000
const discard: ChangelogSink = { append() {} }

/**
 * For each key the versions of its value, of which each holds until the next one begins; a deletion is a version too.
 *
 * Engine: `1 ‖ key` has all versions of a key in one row, so that point reads are enough; versions that no look-up can reach
 * any more are left out when their row is written next. Changelog: the key, the value and, as the record's own timestamp,
 * that of the version, one record for each put; restoring puts them again. Memory is bounded at each commit, as a
 * KeyValueStore's is.
 */
export class VersionedStore extends LayeredStore<VersionedEntry> {
  readonly historyRetentionMs: number
  readonly hasVersions = true
  readonly #value: Serde<unknown>
  readonly #versions: Serde<Version[]>
  /** By key id. */
  #entries: VersionedEntry[] = []
  /** The greatest timestamp of a version that was put. */
  #observed = -1
  #observedAtFlush = -1
  #isReady = false

  constructor(options: VersionedStoreOptions<unknown, unknown>, engine: StoreEngine) {
    const versions = versionsSerde(options.value)
    const layout: KeyLayout<VersionedEntry> = {
      writeChangelogKey: (entry, out) => this.keys.write(entry.keyId, out),
      writeEngineKey: (changelogKey, out) => {
        out.writeInt8(rowMark)
        out.writeBytes(changelogKey)
      },
      logEntry: (entry, key, scratch, changelog) => this.#log(entry, key, scratch, changelog),
    }
    super({ ...options, value: versions as Serde<unknown>, layout }, engine)
    this.historyRetentionMs = options.historyRetentionMs
    this.#value = options.value
    this.#versions = versions
    const observed = engine.get(observedKey)
    if (observed !== undefined) this.#observed = readInt64(observed, 0)
    this.#observedAtFlush = this.#observed
  }

  /** The latest version of the key; undefined where there is none, or it is a deletion. */
  latest(keyId: number): Version | undefined {
    const version = this.entry(keyId).value?.at(-1)
    return version?.value === undefined ? undefined : version
  }

  /** The version that held at the time; undefined where there was none, it was a deletion, or the time is out of reach. */
  asOf(keyId: number, timestamp: number): Version | undefined {
    const versions = this.entry(keyId).value
    if (versions === undefined) return undefined
    const at = lastVersionAt(versions, timestamp)
    // Earlier than the retention only the latest version is sure to be the right one.
    if (timestamp < this.#observed - this.historyRetentionMs && at !== versions.length - 1) return undefined
    const version = versions[at]
    return version?.value === undefined ? undefined : version
  }

  /** The versions of a key, deletions among them, by their timestamps; those that are out of reach may be in it. */
  versions(keyId: number): readonly Version[] {
    return this.entry(keyId).value ?? []
  }

  /** Versions earlier than this may be missing. */
  get earliest(): number {
    return this.#observed - this.historyRetentionMs
  }

  /**
   * Puts a version (undefined or null: a deletion), also among earlier and later ones; one of the same timestamp is replaced.
   * Returns when it ends to hold: infinite for the latest version, and `tooLate` where it is too old and was not put.
   */
  put(keyId: number, value: unknown, timestamp: number): number {
    if (timestamp < this.#observed - this.historyRetentionMs) return tooLate
    if (timestamp > this.#observed) this.#observed = timestamp
    const entry = this.entry(keyId)
    const versions = entry.value ?? []
    const version: Version = { timestamp, value: value === null ? undefined : value }
    const before = lastVersionAt(versions, timestamp)
    if (versions[before]?.timestamp === timestamp) versions[before] = version
    else versions.splice(before + 1, 0, version)
    const next = versions[lastVersionAt(versions, timestamp) + 1]
    this.#dropUnreachable(versions)
    entry.put.push(version)
    const latest = versions.at(-1)
    this.layer.update(entry, latest === undefined ? undefined : versions, latest?.timestamp ?? timestamp)
    return next === undefined ? Number.POSITIVE_INFINITY : next.timestamp
  }

  override flush(changelog: ChangelogSink): void {
    if (this.#observed !== this.#observedAtFlush) {
      this.layer.writeWithNextFlush({ kind: 'put', key: observedKey, value: timeKey(this.#observed) })
      this.#observedAtFlush = this.#observed
    }
    super.flush(changelog)
  }

  override restore({ key, value, timestamp }: ChangelogRecord): void {
    const keyId = this.keys.idOfBytes(key, 0, key.length)
    this.put(keyId, value === null ? undefined : this.#value.read(value, 0, value.length), timestamp)
    if (this.layer.dirty.length >= restoredAtOnce) this.#writeRestored(this.position())
  }

  /** As the changelog's record of a version at this time would have it: what held then. */
  override committed(key: Buffer, timestamp: number): ChangelogValue {
    if (!this.#isReady) this.#writeRestored(this.position())
    const row = this.layer.committed(key)
    const versions = row?.value ? this.#versions.read(row.value, 0, row.value.length) : []
    const version = versions[lastVersionAt(versions, timestamp)]
    return { value: version === undefined ? null : this.#encoded(version), timestamp }
  }

  override ready(changelogPosition: number): void {
    this.#writeRestored(changelogPosition)
    this.#isReady = true
  }

  protected entry(keyId: number): VersionedEntry {
    const entries = this.#entries
    while (entries.length <= keyId) {
      const entry = new VersionedEntry(entries.length)
      this.layer.load(entry)
      entries.push(entry)
    }
    return entries[keyId] as VersionedEntry
  }

  /** Restored versions are in the changelog already. */
  #writeRestored(position: number): void {
    if (this.layer.dirty.length === 0 && position === this.position()) return
    this.flush(discard)
    this.commit(position)
  }

  #log(entry: VersionedEntry, key: Buffer, scratch: ByteWriter, changelog: ChangelogSink): void {
    for (const { value, timestamp } of entry.put) {
      scratch.clear()
      if (value !== undefined) this.#value.write(value, scratch)
      const bytes = value === undefined ? null : scratch.buffer
      changelog.append(key, 0, key.length, bytes, 0, scratch.length, timestamp)
    }
    entry.put.length = 0
  }

  #encoded({ value }: Version): Buffer | null {
    return value === undefined ? null : this.layer.encode(value, this.#value)
  }

  /** A version that ended before the retention begins cannot be looked up, and neither can a deletion that began before it. */
  #dropUnreachable(versions: Version[]): void {
    const earliest = this.#observed - this.historyRetentionMs
    let count = 0
    while (count + 1 < versions.length && (versions[count + 1] as Version).timestamp <= earliest) count++
    const first = versions[count]
    if (first !== undefined && first.value === undefined && first.timestamp <= earliest) count++
    if (count > 0) versions.splice(0, count)
  }

  protected override forgetClean(): void {
    const kept = [...this.layer.dirty]
    this.keys.keepOnly(kept)
    // Ids are given anew in the order of `kept`, so that the array stays dense.
    this.#entries = kept
  }
}
