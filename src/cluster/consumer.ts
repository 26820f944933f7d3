import { MillraceError, messageOf } from '../errors.ts'
import { BatchReader } from '../record/batch-reader.ts'
import type { RecordHeader } from '../record/headers.ts'
import type { Serde } from '../serde/serde.ts'
import type { Topic } from '../topic.ts'
import type { Cluster, FetchedBatches, Isolation, LogReader, OffsetRange, TopicPartition } from './cluster.ts'

export interface ConsumeOptions {
  /**
   * Where to begin, looked up when the iteration begins: the first record there is, behind the last, or in each partition the
   * first record whose own timestamp (milliseconds since 1970) is not before the given one; behind the last where there is none.
   */
  readonly from: 'earliest' | 'latest' | { readonly timestamp: number }
  /**
   * What is seen of transactions. Default: `read-committed`, nothing of those that were aborted, and nothing behind one that
   * is open; without transactions that is everything.
   */
  readonly isolation?: Isolation
  /** Ends the iteration, quietly. */
  readonly signal?: AbortSignal
  /** Ends the iteration when everything has been read that was there when it began. */
  readonly until?: 'end'
}

export interface ConsumedRecord<K, V> {
  readonly key: K | null
  readonly value: V | null
  /** Milliseconds since 1970: the topic's `timestamp` of the record, or else the record's own. */
  readonly timestamp: number
  readonly partition: number
  readonly offset: number
  /** Only where the record has some. */
  readonly headers?: readonly RecordHeader[]
}

/** How long one fetch waits; a new one follows, so this only bounds how late an abandoned iteration ends. */
const maxWaitMs = 500

/**
 * Reads a topic's records, outside of any group: an async iterable of arrays, each with the records of one fetch from one
 * partition, so that there is one `await` for many records.
 * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION, SERDE_FAILED, CORRUPT_BATCH, STORAGE_FAILED, CLOSED
 */
export async function* consume<K, V>(
  cluster: Cluster,
  topic: Topic<K, V>,
  options: ConsumeOptions,
): AsyncGenerator<ConsumedRecord<K, V>[], void, undefined> {
  const partitions = await partitionsOf(cluster, topic.name)
  const isolation = options.isolation ?? 'read-committed'
  const ranges = await cluster.offsets(partitions, isolation)
  const starts = await startsOf(cluster, partitions, ranges, options)
  const reader = cluster.reader({ isolation })
  try {
    const open = assign(reader, partitions, starts, ranges, options)
    const decoder = new RecordDecoder(topic)
    while (open.size > 0 && options.signal?.aborted !== true) {
      const fetched = await reader.fetch({ maxWaitMs, ...(options.signal && { signal: options.signal }) })
      for (const batches of fetched) {
        const end = open.get(batches.partition) as number
        const records = decoder.decode(batches, end)
        if (batches.nextOffset >= end) {
          open.delete(batches.partition)
          reader.unassign(batches)
        }
        if (records.length > 0) yield records
      }
    }
  } finally {
    reader.close()
  }
}

async function startsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  ranges: readonly OffsetRange[],
  { from }: ConsumeOptions,
): Promise<number[]> {
  if (from === 'earliest') return ranges.map((range) => range.start)
  if (from === 'latest') return ranges.map((range) => range.end)
  const { timestamp } = from
  const found = await cluster.offsetsForTimes(partitions.map((partition) => ({ ...partition, timestamp })))
  return ranges.map((range, i) => found[i]?.offset ?? range.end)
}

/** Seeks to where the partitions are to be read from; returns, for those with something to read, where to stop. */
function assign(
  reader: LogReader,
  partitions: readonly TopicPartition[],
  starts: readonly number[],
  ranges: readonly OffsetRange[],
  options: ConsumeOptions,
): Map<number, number> {
  const open = new Map<number, number>()
  for (let i = 0; i < partitions.length; i++) {
    const partition = partitions[i] as TopicPartition
    const range = ranges[i] as OffsetRange
    const from = starts[i] as number
    const end = options.until === 'end' ? range.end : Number.POSITIVE_INFINITY
    if (from >= end) continue
    open.set(partition.partition, end)
    reader.seek(partition, from)
  }
  return open
}

async function partitionsOf(cluster: Cluster, topic: string): Promise<TopicPartition[]> {
  const [description] = await cluster.describeTopics([topic])
  if (description === undefined) {
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'There is no such topic', {
      at: { topic },
      remedy: 'Create it first.',
    })
  }
  return Array.from({ length: description.partitions }, (_, partition) => ({ topic, partition }))
}

/** Turns fetched batches into records with the serdes of a topic. */
export class RecordDecoder<K, V> {
  readonly #topic: Topic<K, V>
  readonly #reader = new BatchReader()

  constructor(topic: Topic<K, V>) {
    this.#topic = topic
  }

  decode(batches: FetchedBatches, end: number): ConsumedRecord<K, V>[] {
    const reader = this.#reader
    const records: ConsumedRecord<K, V>[] = []
    try {
      reader.reset(batches.bytes)
      while (reader.nextBatch()) {
        if (reader.isControl) continue
        while (reader.next()) {
          if (reader.offset >= end) return records
          if (reader.offset >= batches.fromOffset) records.push(this.#record(batches.partition))
        }
      }
    } catch (error) {
      throw this.#placed(error, batches.partition)
    }
    return records
  }

  #record(partition: number): ConsumedRecord<K, V> {
    const { bytes, offset, keyStart, keyEnd, valueStart, valueEnd } = this.#reader
    const key = keyStart < 0 ? null : this.#read(this.#topic.key, bytes, keyStart, keyEnd, partition)
    const value = valueStart < 0 ? null : this.#read(this.#topic.value, bytes, valueStart, valueEnd, partition)
    const eventTime = value === null ? undefined : this.#topic.timestamp?.(value, key as K)
    const timestamp = eventTime ?? this.#reader.timestamp
    const record = { key, value, timestamp, partition, offset }
    return this.#reader.headerCount === 0 ? record : { ...record, headers: this.#reader.headers() }
  }

  #read<T>(serde: Serde<T>, bytes: Buffer, start: number, end: number, partition: number): T {
    try {
      return serde.read(bytes, start, end)
    } catch (error) {
      throw new MillraceError('SERDE_FAILED', `A record cannot be read by ${serde.name}: ${messageOf(error)}`, {
        at: { topic: this.#topic.name, partition, offset: this.#reader.offset },
        remedy: 'Give the topic the serdes that its records were written with.',
        cause: error,
      })
    }
  }

  /** Says where the damage is, which the batch itself does not know. */
  #placed(error: unknown, partition: number): unknown {
    if (!(error instanceof MillraceError) || error.at.topic !== undefined) return error
    return error.placedAt({ topic: this.#topic.name, partition })
  }
}
