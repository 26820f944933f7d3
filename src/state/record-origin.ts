import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'

/** Where a record was read: what a processor is told of it, also when it waited in a buffer before. */
export interface RecordOrigin {
  /** Empty where the record was made by a punctuation; partition and offset are then -1. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** `offset8 ‖ partition4 ‖ length4 ‖ topic`. */
export function writeOrigin({ topic, partition, offset }: RecordOrigin, out: ByteWriter): void {
  out.writeInt64(offset)
  out.writeInt32(partition)
  out.writeInt32(Buffer.byteLength(topic))
  out.writeUtf8(topic)
}

export function readOrigin(bytes: Buffer, at: number): RecordOrigin {
  return {
    topic: bytes.toString('utf8', at + 16, originEnd(bytes, at)),
    partition: bytes.readInt32BE(at + 8),
    offset: readInt64(bytes, at),
  }
}

/** Where the origin that begins there ends. */
export function originEnd(bytes: Buffer, at: number): number {
  return at + 16 + bytes.readInt32BE(at + 12)
}
