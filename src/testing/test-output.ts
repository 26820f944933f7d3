import { ByteWriter } from '../bytes/byte-writer.ts'
import { RecordDecoder } from '../cluster/consumer.ts'
import { MillraceError } from '../errors.ts'
import type { RecordHeader } from '../record/headers.ts'
import type { Topic } from '../topic.ts'
import type { MemoryLog } from './memory-log.ts'

export interface TestRecord<K, V> {
  readonly key: K | null
  /** null deletes what is known of the key. */
  readonly value: V | null
  /** Milliseconds since 1970: the topic's `timestamp` of the record, or else the record's own. */
  readonly timestamp: number
  /** Only where the record has some. */
  readonly headers?: readonly RecordHeader[]
}

/** Reads what the topology wrote to a topic, each record once, whichever output of the topic reads it. */
export class TestOutput<K, V> {
  readonly #topic: Topic<K, V>
  readonly #log: MemoryLog
  readonly #positions: Map<string, number>
  readonly #decoder: RecordDecoder<K, V>

  /**
   * Made by `TopologyTestDriver.output`.
   * @param positions by topic: the next offset to read
   */
  constructor(topic: Topic<K, V>, log: MemoryLog, positions: Map<string, number>) {
    this.#topic = topic
    this.#log = log
    this.#positions = positions
    this.#decoder = new RecordDecoder(topic)
  }

  /** Whether everything has been read. */
  get isEmpty(): boolean {
    return this.#position >= this.#log.end(this.#topic.name)
  }

  /** How many records have not been read. */
  get size(): number {
    return this.#log.end(this.#topic.name) - this.#position
  }

  /**
   * The next record; undefined where there is none yet.
   * @throws MillraceError SERDE_FAILED
   */
  read(): TestRecord<K, V> | undefined {
    const [record] = this.#decode(this.#position + 1)
    if (record !== undefined) this.#positions.set(this.#topic.name, this.#position + 1)
    return record
  }

  /**
   * All records that have not been read.
   * @throws MillraceError SERDE_FAILED
   */
  readAll(): TestRecord<K, V>[] {
    const end = this.#log.end(this.#topic.name)
    const records = this.#decode(end)
    this.#positions.set(this.#topic.name, end)
    return records
  }

  /** As `readAll`, keys and values alone. */
  readKeyValues(): [key: K | null, value: V | null][] {
    return this.readAll().map(({ key, value }) => [key, value])
  }

  /** As `readAll`, values alone. */
  readValues(): (V | null)[] {
    return this.readAll().map(({ value }) => value)
  }

  /**
   * The last value of each key among the records that have not been read, in the order in which the keys first came. A key
   * whose last value is null is not in it.
   * @throws MillraceError INVALID_ARGUMENT where a record has no key; SERDE_FAILED
   */
  readTable(): Map<K, V> {
    const end = this.#log.end(this.#topic.name)
    const rows = new Map<string, { key: K; value: V | null }>()
    const bytes = new ByteWriter(256)
    for (const { key, value } of this.#decode(end)) {
      if (key === null) throw this.#hasNoRow()
      bytes.clear()
      this.#topic.key.write(key, bytes)
      const id = bytes.buffer.toString('latin1', 0, bytes.length)
      rows.set(id, { key: rows.get(id)?.key ?? key, value })
    }
    this.#positions.set(this.#topic.name, end)
    const table = new Map<K, V>()
    for (const { key, value } of rows.values()) if (value !== null) table.set(key, value)
    return table
  }

  get #position(): number {
    return this.#positions.get(this.#topic.name) ?? 0
  }

  /** The records from the position to the offset `end`. */
  #decode(end: number): TestRecord<K, V>[] {
    const records: TestRecord<K, V>[] = []
    for (let position = this.#position; position < end; ) {
      const fetched = this.#log.fetch(this.#topic.name, position)
      if (fetched === undefined) break
      for (const { partition, offset, ...record } of this.#decoder.decode(fetched, end)) records.push(record)
      position = fetched.nextOffset
    }
    return records
  }

  #hasNoRow(): MillraceError {
    return new MillraceError('INVALID_ARGUMENT', 'A record has no key, and so no row in a table', {
      at: { topic: this.#topic.name },
      remedy: 'Read the records with readAll().',
    })
  }
}
