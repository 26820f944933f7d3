import { ByteWriter } from '../bytes/byte-writer.ts'
import { readVarint, sizeOfVarint, varintEnd, writeVarint } from '../record/varint.ts'
import type { Serde } from '../serde/serde.ts'
import { unreadable } from '../serde/serde-failure.ts'

/** What happened to a row: its value before, its value now, each null where there is none, but not both. */
export interface Change {
  oldValue: unknown
  newValue: unknown
}

const onlyOld = 0
const onlyNew = 1
const both = 2

/**
 * A change as it goes through the repartition topic of a grouped table, in Kafka Streams' bytes (ChangedSerializer, KIP-904):
 * `old ‖ 0`, `new ‖ 1`, or `varint(length of new) ‖ new ‖ old ‖ 2`.
 */
export function changeSerde(value: Serde<unknown>): Serde<Change> {
  const name = `change(${value.name})`
  const scratch = new ByteWriter(256)
  return {
    name,
    write({ oldValue, newValue }, out) {
      if (newValue === null) {
        value.write(oldValue, out)
        out.writeInt8(onlyOld)
      } else if (oldValue === null) {
        value.write(newValue, out)
        out.writeInt8(onlyNew)
      } else {
        scratch.clear()
        value.write(newValue, scratch)
        const lengthAt = out.reserve(sizeOfVarint(scratch.length))
        writeVarint(out.buffer, lengthAt, scratch.length)
        out.writeRange(scratch.buffer, 0, scratch.length)
        value.write(oldValue, out)
        out.writeInt8(both)
      }
    },
    read(bytes, start, end) {
      const flag = end > start ? bytes[end - 1] : undefined
      if (flag === onlyOld) return { oldValue: value.read(bytes, start, end - 1), newValue: null }
      if (flag === onlyNew) return { oldValue: null, newValue: value.read(bytes, start, end - 1) }
      if (flag !== both) throw unreadable(name, `they end with ${flag} and not with 0, 1 or 2`)
      const newEnd = varintEnd(bytes, start) + readVarint(bytes, start, end - 1)
      if (newEnd > end - 1) throw unreadable(name, 'the new value is longer than they are')
      const newValue = value.read(bytes, varintEnd(bytes, start), newEnd)
      return { oldValue: value.read(bytes, newEnd, end - 1), newValue }
    },
  }
}
