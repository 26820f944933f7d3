import { assert } from '../../errors.ts'
import type { Primitive } from './field.ts'
import { malformed } from './malformed-message.ts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Reads and writes the values of one type in one version. */
export interface Codec {
  /** The fewest bytes that a value takes: by it an announced number of elements is judged before any is read. */
  readonly minSize: number
  read(reader: WireReader): unknown
  write(writer: WireWriter, value: unknown): void
}

export function primitiveCodec(type: Primitive, flexible: boolean, nullable: boolean): Codec {
  switch (type) {
    case 'string':
      return stringCodec(flexible, nullable)
    case 'bytes':
    case 'records':
      return bytesCodec(flexible, nullable)
    default:
      return fixedCodecs[type]
  }
}

type Fixed = Exclude<Primitive, 'string' | 'bytes' | 'records'>

const fixedCodecs: Readonly<Record<Fixed, Codec>> = {
  bool: fixed(
    1,
    (reader) => reader.bool(),
    (writer, value: boolean) => writer.bool(value),
  ),
  int8: fixed(
    1,
    (reader) => reader.int8(),
    (writer, value: number) => writer.int8(value),
  ),
  int16: fixed(
    2,
    (reader) => reader.int16(),
    (writer, value: number) => writer.int16(value),
  ),
  uint16: fixed(
    2,
    (reader) => reader.uint16(),
    (writer, value: number) => writer.uint16(value),
  ),
  int32: fixed(
    4,
    (reader) => reader.int32(),
    (writer, value: number) => writer.int32(value),
  ),
  int64: fixed(
    8,
    (reader) => reader.int64(),
    (writer, value: number) => writer.int64(value),
  ),
  float64: fixed(
    8,
    (reader) => reader.float64(),
    (writer, value: number) => writer.float64(value),
  ),
  uuid: fixed(
    16,
    (reader) => reader.uuid(),
    (writer, value: string) => writer.uuid(value),
  ),
}

function fixed<T>(
  minSize: number,
  read: (reader: WireReader) => T,
  write: (writer: WireWriter, value: T) => void,
): Codec {
  return { minSize, read, write: write as Codec['write'] }
}

function stringCodec(flexible: boolean, nullable: boolean): Codec {
  return {
    minSize: flexible ? 1 : 2,
    read(reader) {
      const length = reader.shortLength(flexible)
      return length < 0 ? absent(length, nullable) : reader.text(length)
    },
    write(writer, value) {
      if (value === null) return writer.shortLength(absentLength(nullable), flexible)
      const text = value as string
      writer.shortLength(Buffer.byteLength(text), flexible)
      writer.text(text)
    },
  }
}

function bytesCodec(flexible: boolean, nullable: boolean): Codec {
  return {
    minSize: flexible ? 1 : 4,
    read(reader) {
      const length = reader.length(flexible)
      return length < 0 ? absent(length, nullable) : reader.view(length)
    },
    write(writer, value) {
      if (value === null) return writer.length(absentLength(nullable), flexible)
      const pieces = (Array.isArray(value) ? value : [value]) as readonly Uint8Array[]
      let size = 0
      for (const piece of pieces) size += piece.length
      writer.length(size, flexible)
      for (const piece of pieces) writer.raw(piece)
    },
  }
}

export function arrayCodec(element: Codec, flexible: boolean, nullable: boolean): Codec {
  const elementSize = Math.max(1, element.minSize)
  return {
    minSize: flexible ? 1 : 4,
    read(reader) {
      const count = reader.length(flexible)
      if (count < 0) return absent(count, nullable)
      if (count > reader.remaining / elementSize) {
        throw malformed(`${count} elements do not fit the ${reader.remaining} bytes after byte ${reader.position}`)
      }
      const values: unknown[] = []
      for (let i = 0; i < count; i++) values.push(element.read(reader))
      return values
    },
    write(writer, value) {
      if (value === null) return writer.length(absentLength(nullable), flexible)
      const values = value as readonly unknown[]
      writer.length(values.length, flexible)
      for (const one of values) element.write(writer, one)
    },
  }
}

/** A struct that may be null has a byte before it: -1 for null, otherwise 1. */
export function nullableStruct(struct: Codec): Codec {
  return {
    minSize: 1,
    read: (reader) => (reader.int8() < 0 ? null : struct.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) struct.write(writer, value)
    },
  }
}

function absent(length: number, nullable: boolean): null {
  if (length === -1 && nullable) return null
  throw malformed(length === -1 ? 'a value is null that must not be' : `a length is ${length}`)
}

function absentLength(nullable: boolean): number {
  assert(nullable, 'a field of a message is null only in versions where it may be')
  return -1
}
