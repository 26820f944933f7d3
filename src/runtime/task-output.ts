import type { TopicPartition } from '../cluster/cluster.ts'
import { BatchBuilder } from '../record/batch-builder.ts'
import type { Compression } from '../record/compression.ts'
import { partitionFor } from '../record/partitioner.ts'
import type { BatchOutput } from './batch-output.ts'

/** Batches are sent when they reach this size, or when the task has no more input at hand. */
const batchBytes = 64 * 1024

export interface PartitionBatch {
  readonly output: TopicOutput
  readonly partition: TopicPartition
  readonly builder: BatchBuilder
}

/** What a task writes, to all its topics. */
export class TaskOutput {
  readonly #batchOutput: BatchOutput
  readonly #topics = new Map<string, TopicOutput>()
  /** Batches with records, in the order in which they were begun. */
  readonly #begun = new Set<PartitionBatch>()

  constructor(batchOutput: BatchOutput) {
    this.#batchOutput = batchOutput
  }

  /** The task's one output to that topic. */
  to(topic: string, partitions: number, compression: Compression): TopicOutput {
    let output = this.#topics.get(topic)
    if (output === undefined) {
      output = new TopicOutput({ topic, partitions, compression, batchOutput: this.#batchOutput, begun: this.#begun })
      this.#topics.set(topic, output)
    }
    return output
  }

  /** Sends what is left in the batches. */
  flush(): void {
    for (const batch of this.#begun) batch.output.send(batch)
  }
}

/**
 * What a task writes to one topic: a batch for each partition, into which all sinks of the topic write, so that the records
 * of a key come in the order in which they were made, whichever sink they came through.
 */
export class TopicOutput {
  readonly #batchOutput: BatchOutput
  readonly #begun: Set<PartitionBatch>
  readonly #batches: PartitionBatch[] = []
  /** Records without a key stay with one partition until its batch is sent, as Kafka's producer does (KIP-480). */
  #keylessPartition = 0

  /** Made by `TaskOutput.to`. */
  constructor(options: {
    topic: string
    partitions: number
    compression: Compression
    batchOutput: BatchOutput
    begun: Set<PartitionBatch>
  }) {
    const { topic, partitions, compression } = options
    this.#batchOutput = options.batchOutput
    this.#begun = options.begun
    for (let partition = 0; partition < partitions; partition++) {
      const builder = new BatchBuilder({ compression })
      this.#batches.push({ output: this, partition: { topic, partition }, builder })
    }
  }

  /** The batch for a key, or for a record without one (`key` is null). */
  batchFor(key: Buffer | null, start: number, end: number): PartitionBatch {
    if (this.#batches.length === 1) return this.#batches[0]
    if (key === null) return this.#batches[this.#keylessPartition]
    return this.#batches[partitionFor(key, start, end, this.#batches.length)]
  }

  get partitionCount(): number {
    return this.#batches.length
  }

  /** The batch of a partition; undefined where the topic has no such partition. */
  batchOf(partition: number): PartitionBatch | undefined {
    return this.#batches[partition]
  }

  /** To be told of each record that was appended to a batch: sends it when it is large enough. */
  appended(batch: PartitionBatch): void {
    if (batch.builder.recordCount === 1) this.#begun.add(batch)
    if (batch.builder.sizeBytes >= batchBytes) this.send(batch)
  }

  send(batch: PartitionBatch): void {
    this.#begun.delete(batch)
    this.#batchOutput.append(batch.partition, batch.builder.finish())
    batch.builder.clear()
    this.#keylessPartition = (this.#keylessPartition + 1) % this.#batches.length
  }
}
