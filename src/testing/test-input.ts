import { requireOptions } from '../arguments.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { ProducerRecord } from '../cluster/producer.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import type { Clock } from '../env/environment.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { BatchBuilder } from '../record/batch-builder.ts'
import type { Serde } from '../serde/serde.ts'
import type { Topic } from '../topic.ts'

export interface TestInputOptions {
  /** The timestamp of the first record that brings none, in milliseconds since 1970. Default: the driver's clock at each record. */
  readonly startMs?: number
  /** How much later than the one before each record is that brings no timestamp; needs `startMs`. Default: not at all. */
  readonly advanceBy?: Duration
}

/** Takes records to a topic that the topology reads. */
export class TestInput<K, V> {
  readonly #topic: Topic<K, V>
  readonly #clock: Clock
  readonly #process: (batch: Buffer) => void
  readonly #advanceMs: number
  /** The timestamp of the next record that brings none; undefined where the clock says it. */
  #nextMs: number | undefined
  readonly #builder = new BatchBuilder()
  readonly #key = new ByteWriter(256)
  readonly #value = new ByteWriter(1024)

  /** Made by `TopologyTestDriver.input`. */
  constructor(topic: Topic<K, V>, clock: Clock, process: (batch: Buffer) => void, options: TestInputOptions) {
    this.#topic = topic
    this.#clock = clock
    this.#process = process
    this.#nextMs = options.startMs === undefined ? undefined : toMilliseconds(options.startMs, 'time since 1970')
    this.#advanceMs = toMilliseconds(options.advanceBy ?? 0)
  }

  /**
   * Processes the record to the end, and commits: when this returns, its results can be read. A record that brings no
   * timestamp has the time of the driver's clock, unless the topic reads it from the record. Where this throws, nothing of
   * the record remains.
   * @throws MillraceError as the application would fail with: OPERATOR_FAILED, SERDE_FAILED, INVALID_TIMESTAMP,
   * NUMBER_OUT_OF_RANGE, with topic, offset and operator in `at`; CLOSED
   */
  pipe(record: ProducerRecord<K, V>): void {
    requireOptions('pipe(...)', record, 'its key and value: { key, value }')
    const key = this.#write(this.#topic.key, record.key, this.#key, 'key')
    const value = this.#write(this.#topic.value, record.value, this.#value, 'value')
    const timestamp = record.timestamp ?? this.#nextTimestamp()
    this.#builder.clear()
    this.#builder.append(timestamp, key, 0, this.#key.length, value, 0, this.#value.length, record.headers)
    this.#process(this.#builder.finish())
  }

  /** Pipes one record after the other. Where one throws, those before it have been processed, those after it have not. */
  pipeAll(records: Iterable<ProducerRecord<K, V>>): void {
    for (const record of records) this.pipe(record)
  }

  /** Pipes records of these keys and values, with the timestamps of records that bring none. */
  pipeKeyValues(pairs: Iterable<readonly [key: K | null, value: V | null]>): void {
    for (const [key, value] of pairs) this.pipe({ key, value })
  }

  /** Pipes records of these values without keys, with the timestamps of records that bring none. */
  pipeValues(values: Iterable<V | null>): void {
    for (const value of values) this.pipe({ key: null, value })
  }

  /** Puts off the next record that brings no timestamp, and those after it. */
  advanceTime(by: Duration): void {
    this.#nextMs = (this.#nextMs ?? this.#clock.wallMs()) + toMilliseconds(by)
  }

  #nextTimestamp(): number {
    const timestamp = this.#nextMs
    if (timestamp === undefined) return this.#clock.wallMs()
    this.#nextMs = timestamp + this.#advanceMs
    return timestamp
  }

  #write<T>(serde: Serde<T>, data: T | null, out: ByteWriter, part: string): Buffer | null {
    out.clear()
    if (data === null) return null
    try {
      serde.write(data, out)
    } catch (cause) {
      const what = `The ${part} could not be written with serde '${serde.name}': ${messageOf(cause)}`
      throw new MillraceError('SERDE_FAILED', what, { at: { topic: this.#topic.name }, cause })
    }
    return out.buffer
  }
}
