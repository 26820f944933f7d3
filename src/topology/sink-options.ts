import type { Compression } from '../record/compression.ts'
import type { RecordHeader } from '../record/headers.ts'

/** How records are spread over the partitions of a topic. */
export interface SinkOptions<K, V> {
  /** Chooses the partitions of each record. Default: by the key's bytes, as Kafka's producers do. */
  readonly partitioner?: StreamPartitioner<K, V>
}

/**
 * Chooses where a record is written, of that many partitions: the number of one, or a list, to each of which it is written;
 * an empty list drops it, counted as `no-partition`. undefined leaves it to the default. A key or value is null where the
 * record has none. After Kafka Streams' StreamPartitioner.
 */
export type StreamPartitioner<K, V> = (key: K, value: V, partitions: number) => number | readonly number[] | undefined

/** Chooses the topic of a record, by its name. After Kafka Streams' TopicNameExtractor. */
export type TopicNameExtractor<K, V> = (value: V, key: K, record: RecordContext) => string

/** What a function that chooses a topic may know of a record beside key and value. It is one object for all records: not to be kept. */
export interface RecordContext {
  readonly timestamp: number
  readonly headers: readonly RecordHeader[]
  /** Where the record that is processed came from; empty and -1 where it was made by a punctuation. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** How records are written whose topics are chosen one by one. */
export interface ChosenTopicFormat<KS, VS> {
  readonly key: KS
  readonly value: VS
  /** How their batches are compressed. Default: `'none'`. */
  readonly compression?: Compression
}
