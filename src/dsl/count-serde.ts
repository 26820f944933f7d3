import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64, writeInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'

/** A count as Kafka Streams stores it, a 64-bit integer, but as a number: no stream has 2^53 records. */
export const countSerde: Serde<number> = {
  name: 'count',

  write(value: number, out: ByteWriter): void {
    const start = out.reserve(8)
    writeInt64(out.buffer, start, value)
  },

  read(bytes: Buffer, start: number): number {
    return readInt64(bytes, start)
  },
}
