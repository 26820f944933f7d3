import { ByteWriter } from '../bytes/byte-writer.ts'
import type { TopicPartition } from '../cluster/cluster.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { BatchBuilder } from '../record/batch-builder.ts'
import type { Compression } from '../record/compression.ts'
import { partitionFor } from '../record/partitioner.ts'
import type { Serde } from '../serde/serde.ts'
import { isWindowedSerde, type WindowedSerde } from '../serde/windowed-serde.ts'
import type { FlowRecord } from '../topology/flow-record.ts'
import type { Processor } from '../topology/processor.ts'
import type { BatchOutput } from './batch-output.ts'

/** Batches are sent when they reach this size, or when the task has no more input at hand. */
const batchBytes = 64 * 1024

interface PartitionOutput {
  readonly partition: TopicPartition
  readonly builder: BatchBuilder
}

/** The end of a topology: writes records to a topic, into one batch per partition. */
export class Sink implements Processor {
  readonly name: string
  recordCount = 0
  readonly #topic: string
  readonly #keySerde: Serde<unknown>
  readonly #windowedSerde: WindowedSerde<unknown> | undefined
  readonly #valueSerde: Serde<unknown>
  readonly #batchOutput: BatchOutput
  readonly #outputs: PartitionOutput[] = []
  readonly #scratch = new ByteWriter(4096)
  /** Records without a key stay with one partition until its batch is sent, as Kafka's producer does (KIP-480). */
  #keylessPartition = 0

  constructor(options: {
    name: string
    topic: string
    partitions: number
    key: Serde<unknown>
    value: Serde<unknown>
    compression: Compression
    batchOutput: BatchOutput
  }) {
    this.name = options.name
    this.#topic = options.topic
    this.#keySerde = options.key
    this.#windowedSerde = isWindowedSerde(options.key) ? options.key : undefined
    this.#valueSerde = options.value
    this.#batchOutput = options.batchOutput
    for (let partition = 0; partition < options.partitions; partition++) {
      const builder = new BatchBuilder({ compression: options.compression })
      this.#outputs.push({ partition: { topic: options.topic, partition }, builder })
    }
  }

  process(record: FlowRecord): void {
    const scratch = this.#scratch
    scratch.clear()
    const hasRawKey = record.keyStart >= 0 && !record.windowed && record.keySerde === this.#keySerde
    const hasRawValue = record.valueStart >= 0 && record.valueSerde === this.#valueSerde
    if (!hasRawKey && record.hasKey) this.#writeKey(record)
    const keyLength = scratch.length
    if (!hasRawValue && record.hasValue) this.#writeValue(record)

    // Only now: writing may have moved the scratch to a larger buffer.
    const keyBytes = hasRawKey ? record.keyBytes : record.hasKey ? scratch.buffer : null
    const keyStart = hasRawKey ? record.keyStart : 0
    const keyEnd = hasRawKey ? record.keyEnd : keyLength
    const valueBytes = hasRawValue ? record.valueBytes : record.hasValue ? scratch.buffer : null
    const valueStart = hasRawValue ? record.valueStart : keyLength
    const valueEnd = hasRawValue ? record.valueEnd : scratch.length

    const output = this.#outputFor(keyBytes, keyStart, this.#partitionKeyEnd(keyEnd))
    const headers = record.headersToWrite()
    output.builder.append(record.timestamp, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, headers)
    this.recordCount++
    if (output.builder.sizeBytes >= batchBytes) this.#send(output)
  }

  /** Sends what is left in the batches. */
  flush(): void {
    for (const output of this.#outputs) if (output.builder.recordCount > 0) this.#send(output)
  }

  #send(output: PartitionOutput): void {
    this.#batchOutput.append(output.partition, output.builder.finish())
    output.builder.clear()
    this.#keylessPartition = (this.#keylessPartition + 1) % this.#outputs.length
  }

  #outputFor(key: Buffer | null, start: number, end: number): PartitionOutput {
    if (this.#outputs.length === 1) return this.#outputs[0]
    if (key === null) return this.#outputs[this.#keylessPartition]
    return this.#outputs[partitionFor(key, start, end, this.#outputs.length)]
  }

  /** Windowed keys are partitioned by the key within, so that all windows of a key stay together (Kafka's WindowedStreamPartitioner). */
  #partitionKeyEnd(keyEnd: number): number {
    return this.#windowedSerde === undefined ? keyEnd : keyEnd - this.#windowedSerde.windowBytes
  }

  #writeKey(record: FlowRecord): void {
    const windowed = this.#windowedSerde
    if (windowed !== undefined && record.windowed && record.keyStart >= 0 && record.keySerde === windowed.inner) {
      this.#scratch.writeRange(record.keyBytes, record.keyStart, record.keyEnd)
      windowed.writeWindow(record.windowStart, record.windowEnd, this.#scratch)
      return
    }
    this.#write('key', this.#keySerde, record.key())
  }

  #writeValue(record: FlowRecord): void {
    this.#write('value', this.#valueSerde, record.value())
  }

  #write(part: 'key' | 'value', serde: Serde<unknown>, data: unknown): void {
    try {
      serde.write(data, this.#scratch)
    } catch (cause) {
      throw new MillraceError(
        'SERDE_FAILED',
        `The ${part} could not be written with serde '${serde.name}': ${messageOf(cause)}`,
        {
          at: { operator: this.name, topic: this.#topic },
          remedy: 'Check that the values that reach this sink are of the type its topic declares.',
          cause,
        },
      )
    }
  }
}
