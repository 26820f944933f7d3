import type { ByteWriter } from '../bytes/byte-writer.ts'
import type { Compression } from '../record/compression.ts'
import type { Serde } from '../serde/serde.ts'
import type { Topic } from '../topic.ts'

/** A topic of the application's own, which carries records from one sub-topology to another. `name` is without the application id. */
export interface RepartitionTopic<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  readonly internal: true
  /** How many partitions the user chose; otherwise it follows from where the records come from. */
  readonly partitions?: number
}

/** What a sink needs of its topic: serdes that take the stream's keys and values. Every `Topic` whose types fit is one. */
export interface SinkTopic<K, V> {
  readonly name: string
  readonly key: SinkSerde<K>
  readonly value: SinkSerde<V>
  readonly partitions: number
  readonly compression: Compression
  readonly config: Readonly<Record<string, string>>
}

/** The writing side of a serde. A property, not a method, so that the compiler holds the serde to the type it is given. */
export interface SinkSerde<T> {
  readonly name: string
  readonly write: (value: T, out: ByteWriter) => void
  readonly read: (bytes: Buffer, start: number, end: number) => unknown
}

/** What a source reads. */
export type SourceTopic<K, V> = Topic<K, V> | RepartitionTopic<K, V>

/** Whether a topic's whole name is one of the pattern. */
export function isOfPattern(topic: string, pattern: RegExp): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, '')).test(topic)
}

export function isRepartitionTopic<T extends object>(topic: T): topic is T & { readonly internal: true } {
  return 'internal' in topic
}

export function timestampOf<K, V>(topic: SourceTopic<K, V>): Topic<K, V>['timestamp'] {
  return 'internal' in topic ? undefined : topic.timestamp
}
