import type { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from './serde.ts'
import { describeValue, requireLength, unreadable, unwritable } from './serde-failure.ts'

/** A 32-bit integer, big-endian (Kafka's IntegerSerializer). */
export const int32Serde: Serde<number> = {
  name: 'int32',

  write(value: number, out: ByteWriter): void {
    if ((value | 0) !== value) throw unwritable('int32', `${describeValue(value)} is not a 32-bit integer`)
    out.writeInt32(value)
  },

  read(bytes: Buffer, start: number, end: number): number {
    requireLength('int32', start, end, 4)
    return bytes.readInt32BE(start)
  },
}

/** A 64-bit integer, big-endian (Kafka's LongSerializer). A bigint, so that every one of them is exact. */
export const int64Serde: Serde<bigint> = {
  name: 'int64',

  write(value: bigint, out: ByteWriter): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) {
      throw unwritable('int64', `${describeValue(value)} is not a 64-bit bigint`)
    }
    const start = out.reserve(8)
    out.buffer.writeBigInt64BE(value, start)
  },

  read(bytes: Buffer, start: number, end: number): bigint {
    requireLength('int64', start, end, 8)
    return bytes.readBigInt64BE(start)
  },
}

/** A number as IEEE 754 double, big-endian (Kafka's DoubleSerializer). */
export const float64Serde: Serde<number> = {
  name: 'float64',

  write(value: number, out: ByteWriter): void {
    if (typeof value !== 'number') throw unwritable('float64', `${describeValue(value)} is not a number`)
    out.writeFloat64(value)
  },

  read(bytes: Buffer, start: number, end: number): number {
    requireLength('float64', start, end, 8)
    return bytes.readDoubleBE(start)
  },
}

/** One byte, 0 or 1 (Kafka's BooleanSerializer). */
export const booleanSerde: Serde<boolean> = {
  name: 'boolean',

  write(value: boolean, out: ByteWriter): void {
    if (typeof value !== 'boolean') throw unwritable('boolean', `${describeValue(value)} is not a boolean`)
    out.writeInt8(value ? 1 : 0)
  },

  read(bytes: Buffer, start: number, end: number): boolean {
    requireLength('boolean', start, end, 1)
    const byte = bytes[start]!
    if (byte > 1) throw unreadable('boolean', `the byte is ${byte}, neither 0 nor 1`)
    return byte === 1
  },
}
