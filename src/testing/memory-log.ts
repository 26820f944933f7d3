import type { CommittedOffset, FetchedBatches, OffsetCommit, TopicPartition } from '../cluster/cluster.ts'
import { setBaseOffset } from '../record/batch-format.ts'
import { BatchReader } from '../record/batch-reader.ts'
import type { BatchOutput } from '../runtime/batch-output.ts'

interface StoredBatch {
  readonly baseOffset: number
  /** The offset after the batch's last record. */
  readonly nextOffset: number
  readonly bytes: Buffer
  /** Whether it came from the test and not from the topology. */
  readonly isPiped: boolean
}

interface StoredTopic {
  readonly batches: StoredBatch[]
  /** How many of the batches belong to commits. */
  committedBatches: number
}

/**
 * Topics of one partition each, in memory and at once: what is appended can be read when the call returns. Everything
 * since the last commit can be taken back, as if it had not been written.
 */
export class MemoryLog implements BatchOutput {
  readonly #topics = new Map<string, StoredTopic>()
  readonly #offsets = new Map<string, CommittedOffset>()
  readonly #reader = new BatchReader({ verifiesChecksum: false })

  append({ topic }: TopicPartition, batch: Buffer, onAcknowledged?: (baseOffset: number) => void): void {
    const baseOffset = this.#store(topic, batch, false)
    onAcknowledged?.(baseOffset)
  }

  /** Appends a batch that comes from outside of the topology. */
  pipe(topic: string, batch: Buffer): void {
    this.#store(topic, batch, true)
  }

  /** The offset after the topic's last record. */
  end(topic: string): number {
    return this.#topics.get(topic)?.batches.at(-1)?.nextOffset ?? 0
  }

  /** The batch with the offset in it; undefined at the topic's end. */
  fetch(topic: string, from: number): FetchedBatches | undefined {
    const batches = this.#topics.get(topic)?.batches ?? []
    const batch = batches[indexOf(batches, from)]
    if (batch === undefined) return undefined
    const { bytes, nextOffset } = batch
    return { topic, partition: 0, fromOffset: from, nextOffset, bytes, highWatermark: this.end(topic) }
  }

  /** The topics that the topology wrote to. */
  producedTopics(): string[] {
    const produced = [...this.#topics].filter(([, { batches }]) => batches.some((batch) => !batch.isPiped))
    return produced.map(([topic]) => topic).sort()
  }

  committedOffset(topic: string): CommittedOffset | undefined {
    return this.#offsets.get(topic)
  }

  /** Commits the offsets, and with them everything that was appended. */
  commit(offsets: readonly OffsetCommit[]): void {
    for (const { topic, offset, metadata } of offsets) this.#offsets.set(topic, { offset, metadata })
    for (const stored of this.#topics.values()) stored.committedBatches = stored.batches.length
  }

  /** Takes everything back that was appended since the last commit. */
  rollBack(): void {
    for (const stored of this.#topics.values()) stored.batches.length = stored.committedBatches
  }

  #store(topic: string, batch: Buffer, isPiped: boolean): number {
    let stored = this.#topics.get(topic)
    if (stored === undefined) {
      stored = { batches: [], committedBatches: 0 }
      this.#topics.set(topic, stored)
    }
    const baseOffset = this.end(topic)
    const bytes = Buffer.from(batch)
    setBaseOffset(bytes, 0, baseOffset)
    this.#reader.reset(bytes)
    this.#reader.nextBatch()
    stored.batches.push({ baseOffset, nextOffset: this.#reader.lastOffset + 1, bytes, isPiped })
    return baseOffset
  }
}

/** The index of the first batch that has the offset or a later one. */
function indexOf(batches: readonly StoredBatch[], offset: number): number {
  let from = 0
  let to = batches.length
  // What is read is nearly always the newest.
  if (to > 0 && batches[to - 1].baseOffset <= offset) from = to - 1
  while (from < to) {
    const middle = (from + to) >>> 1
    if (batches[middle].nextOffset <= offset) from = middle + 1
    else to = middle
  }
  return from
}
