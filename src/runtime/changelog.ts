import type { Cluster, LogReader, OffsetRange, TopicPartition } from '../cluster/cluster.ts'
import { assert } from '../errors.ts'
import { BatchBuilder } from '../record/batch-builder.ts'
import { BatchReader } from '../record/batch-reader.ts'
import type { Compression } from '../record/compression.ts'
import type { ChangelogRecord, ChangelogSink, StateStore } from '../state/state-store.ts'
import type { BatchOutput } from './batch-output.ts'

const batchBytes = 128 * 1024

/** The changelog topic partition of one store of one task: written at commits, read when the store is restored. */
export class Changelog implements ChangelogSink {
  readonly partition: TopicPartition
  /** The offset after the last record that is acknowledged. */
  position = 0
  readonly #output: BatchOutput
  readonly #builder: BatchBuilder

  constructor(partition: TopicPartition, output: BatchOutput, compression: Compression = 'none') {
    this.partition = partition
    this.#output = output
    this.#builder = new BatchBuilder({ compression })
  }

  append(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void {
    this.#builder.append(timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd)
    if (this.#builder.sizeBytes >= batchBytes) this.#send()
  }

  /** Sends what is left. */
  flush(): void {
    if (this.#builder.recordCount > 0) this.#send()
  }

  #send(): void {
    const records = this.#builder.recordCount
    this.#output.append(this.partition, this.#builder.finish(), (baseOffset) => {
      this.position = baseOffset + records
    })
    this.#builder.clear()
  }
}

/** Calls `apply` for each record of the partition with `from <= offset < to`, in order. */
export async function readRecords(
  cluster: Cluster,
  partition: TopicPartition,
  from: number,
  to: number,
  apply: (record: ChangelogRecord) => void,
): Promise<number> {
  if (from >= to) return 0
  const reader: LogReader = cluster.reader({ isolation: 'read-committed' })
  const batches = new BatchReader()
  let count = 0
  try {
    reader.seek(partition, from)
    for (let position = from; position < to; ) {
      const [fetched] = await reader.fetch({ maxWaitMs: 1_000 })
      if (fetched === undefined) continue
      count += applyRecords(batches, fetched.bytes, from, to, apply)
      assert(fetched.nextOffset > position, 'a fetch that returns batches advances')
      position = fetched.nextOffset
    }
  } finally {
    reader.close()
  }
  return count
}

/** Calls `apply` for each record in the bytes with `from <= offset < to`, in order; returns how many these were. */
export function applyRecords(
  batches: BatchReader,
  bytes: Buffer,
  from: number,
  to: number,
  apply: (record: ChangelogRecord) => void,
): number {
  let count = 0
  batches.reset(bytes)
  while (batches.nextBatch()) if (!batches.isControl) count += applyBatch(batches, from, to, apply)
  return count
}

function applyBatch(batches: BatchReader, from: number, to: number, apply: (record: ChangelogRecord) => void): number {
  let count = 0
  while (batches.next()) {
    if (batches.offset < from || batches.offset >= to) continue
    const key = batches.bytes.subarray(batches.keyStart, batches.keyEnd)
    const value = batches.valueStart < 0 ? null : batches.bytes.subarray(batches.valueStart, batches.valueEnd)
    apply({ key, value, timestamp: batches.timestamp })
    count++
  }
  return count
}

/**
 * Brings a store to what the last commit says: the changelog from where the engine stands up to `committed`. What a crash
 * left in the changelog beyond that belongs to input that will be read again; it is undone by logging, for each key
 * in it (of a store of versions: for each version), the committed value once more, so that every later reader of the changelog sees the committed state too.
 * Returns whether anything was undone: then the new position must be acknowledged and committed before the store is used.
 */
export async function restoreStore(
  cluster: Cluster,
  store: StateStore,
  changelog: Changelog,
  committed: number,
  range: OffsetRange,
): Promise<boolean> {
  const from = Math.max(store.position(), range.start)
  await readRecords(cluster, changelog.partition, from, committed, (record) => store.restore(record))
  store.ready(committed)
  changelog.position = committed
  if (range.end <= committed) return false

  const touched = new Map<string, { readonly key: Buffer; readonly timestamp: number }>()
  await readRecords(cluster, changelog.partition, committed, range.end, ({ key, timestamp }) => {
    const version = store.hasVersions === true ? `@${timestamp}` : ''
    touched.set(`${key.toString('latin1')}${version}`, { key: Buffer.from(key), timestamp })
  })
  // Behind the last commit there may be nothing but what was aborted.
  if (touched.size === 0) return false
  for (const { key, timestamp } of touched.values()) {
    const before = store.committed(key, timestamp)
    const value = before?.value ?? null
    changelog.append(key, 0, key.length, value, 0, value?.length ?? 0, before?.timestamp ?? 0)
  }
  changelog.flush()
  return true
}
