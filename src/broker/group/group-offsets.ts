import type { BatchReader } from '../../record/batch-reader.ts'
import { outcomeOf } from '../../record/control-record.ts'
import {
  commitTimeOf,
  type OffsetCommitKey,
  type OffsetCommitValue,
  readOffsetCommitKey,
  readOffsetCommitValue,
} from './offset-commit-record.ts'

/** A commit as a record says it. */
interface Commit {
  readonly key: OffsetCommitKey
  /** Undefined where the record takes the offset away. */
  readonly value: OffsetCommitValue | undefined
  /** Milliseconds since 1970. */
  readonly committedMs: number
  /** Where in the log the record is: the later of two commits counts. */
  readonly recordOffset: number
}

/** A commit that counts, and when it was made, in milliseconds since 1970. */
export interface TimedCommit extends OffsetCommitKey {
  readonly committedMs: number
}

/**
 * What the records of one partition of `__consumer_offsets` say: the offsets that groups committed, and those that wait for
 * the end of a transaction (org.apache.kafka.coordinator.group.OffsetMetadataManager). Only `apply` changes it.
 */
export class GroupOffsets {
  /** By group, then by partition. */
  readonly #committed = new Map<string, Map<string, Commit>>()
  /** By producer id, the commits of its open transaction, in order. */
  readonly #pending = new Map<number, Commit[]>()

  /** The names of groups with a committed offset. */
  groups(): string[] {
    return [...this.#committed.keys()]
  }

  committed(group: string, topic: string, partition: number): OffsetCommitValue | undefined {
    return this.#committed.get(group)?.get(`${topic}-${partition}`)?.value
  }

  /** Everything that a group committed. */
  offsetsOf(group: string): (OffsetCommitKey & OffsetCommitValue)[] {
    const commits = [...(this.#committed.get(group)?.values() ?? [])]
    return commits.flatMap(({ key, value }) => (value === undefined ? [] : [{ ...key, ...value }]))
  }

  /** What is committed, or waits for the end of a transaction, and fulfils the condition. */
  keys(condition: (key: OffsetCommitKey) => boolean): OffsetCommitKey[] {
    const committed = [...this.#committed.values()].flatMap((offsets) => [...offsets.values()])
    return [...committed, ...[...this.#pending.values()].flat()].map(({ key }) => key).filter(condition)
  }

  /** Whether the group has a committed offset, or one that waits for the end of a transaction. */
  isUsedBy(group: string): boolean {
    if (this.#committed.has(group)) return true
    for (const commits of this.#pending.values()) if (commits.some(({ key }) => key.group === group)) return true
    return false
  }

  /** Whether a transaction is open that commits an offset of the partition. */
  isPending(group: string, topic: string, partition: number): boolean {
    for (const commits of this.#pending.values()) {
      for (const { key } of commits) {
        if (key.partition === partition && key.topic === topic && key.group === group) return true
      }
    }
    return false
  }

  /** Everything that a group committed and for which no transaction waits. */
  settledCommitsOf(group: string): TimedCommit[] {
    const commits = [...(this.#committed.get(group)?.values() ?? [])]
    return commits
      .map(({ key, committedMs }) => ({ ...key, committedMs }))
      .filter(({ topic, partition }) => !this.isPending(group, topic, partition))
  }

  /** Takes account of a record; false where it is about something else than offsets. */
  apply(record: BatchReader): boolean {
    if (record.isControl) {
      const outcome = outcomeOf(record)
      if (outcome !== undefined) this.#end(record.producerId, outcome === 'commit')
      return true
    }
    const { bytes, keyStart, keyEnd, valueStart, valueEnd, offset: recordOffset } = record
    const key = keyStart < 0 ? undefined : readOffsetCommitKey(bytes, keyStart, keyEnd)
    if (key === undefined) return false
    const value = valueStart < 0 ? undefined : readOffsetCommitValue(bytes, valueStart, valueEnd)
    const committedMs = valueStart < 0 ? 0 : commitTimeOf(bytes, valueStart, valueEnd)
    const commit = { key, value, committedMs, recordOffset }
    if (record.isTransactional) this.#wait(record.producerId, commit)
    else this.#set(commit)
    // What takes an offset away does so with those that wait, too.
    if (!record.isTransactional && value === undefined) this.#forgetPending(key)
    return true
  }

  #wait(producerId: number, commit: Commit): void {
    const pending = this.#pending.get(producerId)
    if (pending === undefined) this.#pending.set(producerId, [commit])
    else pending.push(commit)
  }

  #forgetPending({ group, topic, partition }: OffsetCommitKey): void {
    for (const [producerId, commits] of this.#pending) {
      const others = commits.filter(
        ({ key }) => key.partition !== partition || key.topic !== topic || key.group !== group,
      )
      if (others.length < commits.length) this.#pending.set(producerId, others)
    }
  }

  #end(producerId: number, isCommitted: boolean): void {
    const commits = this.#pending.get(producerId) ?? []
    this.#pending.delete(producerId)
    if (isCommitted) for (const commit of commits) this.#set(commit)
  }

  #set(commit: Commit): void {
    const { group, topic, partition } = commit.key
    const name = `${topic}-${partition}`
    const offsets = this.#committed.get(group) ?? new Map<string, Commit>()
    // What was committed outside of the transaction while it was open is later than what is in it.
    if ((offsets.get(name)?.recordOffset ?? -1) > commit.recordOffset) return
    if (commit.value === undefined) offsets.delete(name)
    else offsets.set(name, commit)
    if (offsets.size > 0) this.#committed.set(group, offsets)
    else this.#committed.delete(group)
  }
}
