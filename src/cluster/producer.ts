import { ByteWriter } from '../bytes/byte-writer.ts'
import type { Clock } from '../env/environment.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../record/batch-builder.ts'
import type { Compression } from '../record/compression.ts'
import type { RecordHeader } from '../record/headers.ts'
import { partitionFor } from '../record/partitioner.ts'
import type { Serde } from '../serde/serde.ts'
import type { Topic } from '../topic.ts'
import type { Cluster, TopicPartition } from './cluster.ts'

export interface ProducerOptions {
  /** Gives the timestamps of records that bring none. */
  readonly clock: Clock
  /** A batch is sent when it has this many bytes. Default: 64 KiB. */
  readonly batchBytes?: number
  /** `send` asks the caller to wait while more than this was sent and not acknowledged. Default: 8 MiB. */
  readonly maxUnacknowledgedBytes?: number
  /** How batches are compressed. Default: as the topic says. */
  readonly compression?: Compression
  /** 1 to 9 for gzip, 1 to 22 for zstd; the others have none. Default: 6 and 3, as Kafka's. Higher: smaller and slower. */
  readonly compressionLevel?: number
}

export interface ProducerRecord<K, V> {
  /** Decides the partition; records without a key go to one partition after the other, a batch to each. */
  readonly key: K | null
  /** null deletes what is known of the key. */
  readonly value: V | null
  /** Milliseconds since 1970. Default: the topic's `timestamp` of the record, or the time of the call. */
  readonly timestamp?: number
  readonly headers?: readonly RecordHeader[]
}

const defaultBatchBytes = 65_536
const defaultMaxUnacknowledgedBytes = 8_388_608

/**
 * Writes typed records to a topic, in batches per partition. A batch goes out when it is full, or with `flush`; nothing is
 * sent by a timer. Records of one key arrive in the order of the calls.
 */
export class Producer<K, V> {
  readonly #cluster: Cluster
  readonly #topic: Topic<K, V>
  readonly #clock: Clock
  readonly #batchBytes: number
  readonly #maxUnacknowledgedBytes: number
  readonly #partitions: readonly OpenBatch[]
  readonly #key = new ByteWriter()
  readonly #value = new ByteWriter()
  /** Each resolves when its batch is acknowledged or has failed, and never rejects. */
  readonly #sent = new Set<Promise<void>>()
  #unacknowledgedBytes = 0
  #keylessPartition = 0
  #failure: unknown
  #drained: PromiseWithResolvers<void> | undefined

  /**
   * @param partitionCount how many partitions the topic has
   * @throws MillraceError INVALID_ARGUMENT where there is no such compression or level
   */
  constructor(cluster: Cluster, topic: Topic<K, V>, partitionCount: number, options: ProducerOptions) {
    this.#cluster = cluster
    this.#topic = topic
    this.#clock = options.clock
    this.#batchBytes = options.batchBytes ?? defaultBatchBytes
    this.#maxUnacknowledgedBytes = options.maxUnacknowledgedBytes ?? defaultMaxUnacknowledgedBytes
    const builderOptions: BatchBuilderOptions = {
      compression: options.compression ?? topic.compression,
      ...(options.compressionLevel !== undefined && { compressionLevel: options.compressionLevel }),
    }
    this.#partitions = Array.from({ length: partitionCount }, (_, partition) => {
      return { place: { topic: topic.name, partition }, builder: new BatchBuilder(builderOptions) }
    })
  }

  /**
   * Takes a record. False asks the caller to await `ready` before the next one; who goes on all the same is stopped at
   * twice the limit.
   * @throws MillraceError SERDE_FAILED, NUMBER_OUT_OF_RANGE, QUEUE_FULL; the record is then not taken.
   * @throws what an append failed with, until `ready` or `flush` has told it: what follows a lost batch is not written behind it.
   */
  send(record: ProducerRecord<K, V>): boolean {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#unacknowledgedBytes > 2 * this.#maxUnacknowledgedBytes) throw this.#queueFull()
    const key = this.#write(this.#topic.key, record.key, this.#key, 'key')
    const value = this.#write(this.#topic.value, record.value, this.#value, 'value')
    const partition = key === null ? this.#keylessPartition : this.#partitionOf(key)
    const { builder } = this.#partitions[partition] as OpenBatch
    const timestamp = record.timestamp ?? this.#timestampOf(record)
    const recordBytes = this.#key.length + this.#value.length
    // A large record gets a batch of its own: if it is too large, only it is refused.
    if (builder.recordCount > 0 && builder.sizeBytes + recordBytes > this.#batchBytes) this.#sendBatch(partition)
    builder.append(timestamp, key, 0, this.#key.length, value, 0, this.#value.length, record.headers)
    if (builder.sizeBytes >= this.#batchBytes) this.#sendBatch(partition)
    return this.#unacknowledgedBytes <= this.#maxUnacknowledgedBytes && this.#failure === undefined
  }

  /**
   * Resolves when `send` may be called again.
   * @throws what an append failed with since the last time this was told; the records of that batch are not in the log.
   */
  async ready(): Promise<void> {
    while (this.#failure === undefined && this.#unacknowledgedBytes > this.#maxUnacknowledgedBytes) {
      this.#drained ??= Promise.withResolvers<void>()
      await this.#drained.promise
    }
    this.#throwFailure()
  }

  /**
   * Sends all that was taken, and resolves when it is acknowledged.
   * @throws what an append failed with since the last time this was told; the records of that batch are not in the log.
   */
  async flush(): Promise<void> {
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      if ((this.#partitions[partition] as OpenBatch).builder.recordCount > 0) this.#sendBatch(partition)
    }
    await Promise.all(this.#sent)
    this.#throwFailure()
  }

  #sendBatch(partition: number): void {
    const { place, builder } = this.#partitions[partition] as OpenBatch
    const batch = builder.finish()
    const bytes = batch.length
    this.#unacknowledgedBytes += bytes
    const sent: Promise<void> = this.#cluster.append(place, batch).then(
      () => this.#settle(sent, bytes),
      (error: unknown) => {
        this.#failure ??= error
        this.#settle(sent, bytes)
      },
    )
    this.#sent.add(sent)
    builder.clear()
    if (partition === this.#keylessPartition) this.#keylessPartition = (partition + 1) % this.#partitions.length
  }

  #settle(sent: Promise<void>, bytes: number): void {
    this.#sent.delete(sent)
    this.#unacknowledgedBytes -= bytes
    this.#drained?.resolve()
    this.#drained = undefined
  }

  #throwFailure(): void {
    const failure = this.#failure
    if (failure === undefined) return
    this.#failure = undefined
    throw failure
  }

  #write<T>(serde: Serde<T>, data: T | null, out: ByteWriter, part: string): Buffer | null {
    out.clear()
    if (data === null) return null
    try {
      serde.write(data, out)
    } catch (error) {
      throw new MillraceError('SERDE_FAILED', `The ${part} cannot be written by ${serde.name}: ${messageOf(error)}`, {
        at: { topic: this.#topic.name },
        cause: error,
      })
    }
    return out.buffer
  }

  #partitionOf(key: Buffer): number {
    return partitionFor(key, 0, this.#key.length, this.#partitions.length)
  }

  #timestampOf({ key, value }: ProducerRecord<K, V>): number {
    const { timestamp } = this.#topic
    // The function is written for the topic's types; it gets the key that there is.
    return timestamp === undefined || value === null ? this.#clock.wallMs() : timestamp(value, key as K)
  }

  #queueFull(): MillraceError {
    return new MillraceError('QUEUE_FULL', `${this.#unacknowledgedBytes} bytes wait to be acknowledged`, {
      at: { topic: this.#topic.name },
      remedy: 'Await ready() whenever send() returns false.',
    })
  }
}

interface OpenBatch {
  readonly place: TopicPartition
  readonly builder: BatchBuilder
}
