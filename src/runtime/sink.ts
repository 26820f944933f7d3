import { ByteWriter } from '../bytes/byte-writer.ts'
import { MillraceError, messageOf } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import { isWindowedSerde, type WindowedSerde } from '../serde/windowed-serde.ts'
import type { FlowRecord } from '../topology/flow-record.ts'
import type { Processor } from '../topology/processor.ts'
import type { StreamPartitioner } from '../topology/sink-options.ts'
import type { PartitionBatch, TopicOutput } from './task-output.ts'

/** The end of a topology: writes records to a topic, into its task's batches. */
export class Sink implements Processor {
  readonly name: string
  recordCount = 0
  readonly #topic: string
  readonly #keySerde: Serde<unknown>
  readonly #windowedSerde: WindowedSerde<unknown> | undefined
  readonly #valueSerde: Serde<unknown>
  readonly #output: TopicOutput | undefined
  readonly #choose: (record: FlowRecord) => TopicOutput
  readonly #partitioner: StreamPartitioner<unknown, unknown> | undefined
  readonly #drop: () => void
  readonly #scratch = new ByteWriter(4096)

  constructor(options: {
    name: string
    topic: string
    key: Serde<unknown>
    value: Serde<unknown>
    /** Where it writes to, or what says so for each record. */
    output: TopicOutput | ((record: FlowRecord) => TopicOutput)
    partitioner: StreamPartitioner<unknown, unknown> | undefined
    /** Counts a record for which the partitioner chose no partition. */
    drop: () => void
  }) {
    this.name = options.name
    this.#topic = options.topic
    this.#keySerde = options.key
    this.#windowedSerde = isWindowedSerde(options.key) ? options.key : undefined
    this.#valueSerde = options.value
    const { output } = options
    this.#output = typeof output === 'function' ? undefined : output
    this.#choose = typeof output === 'function' ? output : () => output
    this.#partitioner = options.partitioner
    this.#drop = options.drop
  }

  process(record: FlowRecord): void {
    const output = this.#output ?? this.#choose(record)
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

    const headers = record.headersToWrite()
    const chosen = this.#partitioner === undefined ? undefined : this.#partitions(record, output)
    const count = chosen === undefined ? 1 : chosen.length
    for (let i = 0; i < count; i++) {
      const batch =
        chosen === undefined
          ? output.batchFor(keyBytes, keyStart, this.#partitionKeyEnd(keyEnd))
          : this.#batchOf(chosen[i], output)
      batch.builder.append(record.timestamp, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, headers)
      this.recordCount++
      output.appended(batch)
    }
  }

  /** What the user's function chooses for the record; undefined where it leaves it to the key. */
  #partitions(record: FlowRecord, { partitionCount }: TopicOutput): readonly number[] | undefined {
    record.operator = this.name
    const partitioner = this.#partitioner as StreamPartitioner<unknown, unknown>
    const chosen = partitioner(record.key(), record.value(), partitionCount)
    if (typeof chosen === 'number') return [chosen]
    if (chosen?.length === 0) this.#drop()
    return chosen
  }

  #batchOf(partition: number, output: TopicOutput): PartitionBatch {
    const batch = output.batchOf(partition)
    if (batch !== undefined) return batch
    throw new MillraceError('INVALID_ARGUMENT', `The partitioner chose partition ${partition}`, {
      at: { operator: this.name },
      remedy: `There are ${output.partitionCount}: choose from 0 to ${output.partitionCount - 1}, or undefined for the default.`,
    })
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
