import { ByteChunks } from '../bytes/byte-chunks.ts'
import type { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'

/** What a store needs to see of a record's value. */
export interface RecordValue {
  readonly valueBytes: Buffer
  readonly valueStart: number
  readonly valueEnd: number
  readonly valueSerde: Serde<unknown> | undefined
  value(): unknown
}

const undecoded: unique symbol = Symbol('undecoded')

const copies = new ByteChunks()

/**
 * A value that is kept as the bytes it came in, and decoded when it is first asked for: most records of a join's buffers
 * only pass from the log to the changelog.
 */
export class StoredValue {
  /** The value's bytes are `bytes[start..end)`, where it has some. */
  readonly #bytes: Buffer | undefined
  readonly #start: number
  readonly #end: number
  readonly #serde: Serde<unknown>
  #decoded: unknown

  private constructor(bytes: Buffer | undefined, start: number, end: number, decoded: unknown, serde: Serde<unknown>) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#decoded = decoded
    this.#serde = serde
  }

  /** A record's value, which is there; its bytes are copied. */
  static of(record: RecordValue, serde: Serde<unknown>): StoredValue {
    if (record.valueStart < 0 || record.valueSerde !== serde) {
      return new StoredValue(undefined, 0, 0, record.value(), serde)
    }
    return StoredValue.read(record.valueBytes, record.valueStart, record.valueEnd, serde)
  }

  static read(bytes: Buffer, start: number, end: number, serde: Serde<unknown>): StoredValue {
    copies.put(bytes, start, end)
    return new StoredValue(copies.buffer, copies.start, copies.end, undecoded, serde)
  }

  value(): unknown {
    const bytes = this.#bytes
    if (this.#decoded === undecoded && bytes !== undefined) {
      this.#decoded = this.#serde.read(bytes, this.#start, this.#end)
    }
    return this.#decoded
  }

  write(out: ByteWriter): void {
    if (this.#bytes === undefined) this.#serde.write(this.#decoded, out)
    else out.writeRange(this.#bytes, this.#start, this.#end)
  }
}

/** Stored values whose bytes are those of `serde`. */
export function storedValueSerde(serde: Serde<unknown>): Serde<unknown> {
  return {
    name: serde.name,
    write: (value, out) => (value as StoredValue).write(out),
    read: (bytes, start, end) => StoredValue.read(bytes, start, end, serde),
  }
}
