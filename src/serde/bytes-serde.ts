import type { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from './serde.ts'
import { describeValue, unwritable } from './serde-failure.ts'

/** Bytes as they are. What is read is a copy (a `Buffer`), the reader's own. */
export const bytesSerde: Serde<Uint8Array> = {
  name: 'bytes',

  write(value: Uint8Array, out: ByteWriter): void {
    if (!(value instanceof Uint8Array)) throw unwritable('bytes', `it is ${describeValue(value)}`)
    out.writeBytes(value)
  },

  read(bytes: Buffer, start: number, end: number): Uint8Array {
    return Buffer.from(bytes.subarray(start, end))
  },
}
