import type { TopicPartition } from '../cluster/cluster.ts'
import { BatchBuilder } from '../record/batch-builder.ts'
import type { Compression } from '../record/compression.ts'
import { partitionFor } from '../record/partitioner.ts'
import type { BatchOutput } from './batch-output.ts'

/** Batches are sent when they reach this size, or when the task has no more input at hand. */
const batchBytes = 64 * 1024

export interface PartitionBatch {
  readonly partition: TopicPartition
  readonly builder: BatchBuilder
}

/**
 * What a task writes to one topic: a batch for each partition, into which all sinks of the topic write, so that the records
 * of a key come in the order in which they were made, whichever sink they came through.
 */
export class TopicOutput {
  readonly #batchOutput: BatchOutput
  readonly #batches: PartitionBatch[] = []
  /** Records without a key stay with one partition until its batch is sent, as Kafka's producer does (KIP-480). */
  #keylessPartition = 0

  constructor(options: { topic: string; partitions: number; compression: Compression; batchOutput: BatchOutput }) {
    const { topic, partitions, compression } = options
    this.#batchOutput = options.batchOutput
    for (let partition = 0; partition < partitions; partition++) {
      this.#batches.push({ partition: { topic, partition }, builder: new BatchBuilder({ compression }) })
    }
  }

  /** The batch for a key, or for a record without one (`key` is null). */
  batchFor(key: Buffer | null, start: number, end: number): PartitionBatch {
    if (this.#batches.length === 1) return this.#batches[0]
    if (key === null) return this.#batches[this.#keylessPartition]
    return this.#batches[partitionFor(key, start, end, this.#batches.length)]
  }

  /** To be told of each record that was appended to a batch: sends it when it is large enough. */
  appended(batch: PartitionBatch): void {
    if (batch.builder.sizeBytes >= batchBytes) this.#send(batch)
  }

  /** Sends what is left in the batches. */
  flush(): void {
    for (const batch of this.#batches) if (batch.builder.recordCount > 0) this.#send(batch)
  }

  #send(batch: PartitionBatch): void {
    this.#batchOutput.append(batch.partition, batch.builder.finish())
    batch.builder.clear()
    this.#keylessPartition = (this.#keylessPartition + 1) % this.#batches.length
  }
}
