import type { RecordHeader } from '../record/headers.ts'

/** What can be handed on: a record that a processor was given, or a new one as a plain object. */
export interface ForwardableRecord<out K, out V> {
  readonly key: K
  /** null deletes what is known of the key. */
  readonly value: V
  /** Event time in whole milliseconds since 1970, not negative. */
  readonly timestamp: number
  /** Default: none. */
  readonly headers?: readonly RecordHeader[]
}

/**
 * A record as a processor sees it. It does not change, and may be kept; `with...` makes another one that differs in one
 * part. Key and value are null at run time where the record has none. After Kafka Streams' `processor.api.Record`.
 */
export class ProcessorRecord<out K, out V> implements ForwardableRecord<K, V> {
  readonly key: K
  readonly value: V
  /** Event time in milliseconds since 1970. */
  readonly timestamp: number
  readonly headers: readonly RecordHeader[]

  constructor(key: K, value: V, timestamp: number, headers: readonly RecordHeader[]) {
    this.key = key
    this.value = value
    this.timestamp = timestamp
    this.headers = headers
  }

  withKey<K2>(key: K2): ProcessorRecord<K2, V> {
    return new ProcessorRecord(key, this.value, this.timestamp, this.headers)
  }

  withValue<V2>(value: V2): ProcessorRecord<K, V2> {
    return new ProcessorRecord(this.key, value, this.timestamp, this.headers)
  }

  withTimestamp(timestamp: number): ProcessorRecord<K, V> {
    return new ProcessorRecord(this.key, this.value, timestamp, this.headers)
  }

  withHeaders(headers: readonly RecordHeader[]): ProcessorRecord<K, V> {
    return new ProcessorRecord(this.key, this.value, this.timestamp, headers)
  }
}

/**
 * A record whose key stays as it is: it is only made from one that a processor was given. After Kafka Streams'
 * FixedKeyRecord.
 */
export class FixedKeyRecord<out K, out V> {
  readonly value: V
  /** Event time in milliseconds since 1970. */
  readonly timestamp: number
  readonly headers: readonly RecordHeader[]
  /** A private part, so that no plain object passes for one. */
  readonly #key: K

  constructor(key: K, value: V, timestamp: number, headers: readonly RecordHeader[]) {
    this.#key = key
    this.value = value
    this.timestamp = timestamp
    this.headers = headers
  }

  get key(): K {
    return this.#key
  }

  withValue<V2>(value: V2): FixedKeyRecord<K, V2> {
    return new FixedKeyRecord(this.#key, value, this.timestamp, this.headers)
  }

  withTimestamp(timestamp: number): FixedKeyRecord<K, V> {
    return new FixedKeyRecord(this.#key, this.value, timestamp, this.headers)
  }

  withHeaders(headers: readonly RecordHeader[]): FixedKeyRecord<K, V> {
    return new FixedKeyRecord(this.#key, this.value, this.timestamp, headers)
  }
}
