import type { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from './serde.ts'
import { describeValue, unwritable } from './serde-failure.ts'

/** Up to this many bytes a loop beats the call into native code, 60 ns and more. */
const longestLoopedText = 8

/**
 * Text as UTF-8, as Kafka's StringSerializer writes it. What is no UTF-8 is read, and half of a surrogate pair is
 * written, as U+FFFD.
 */
export const stringSerde: Serde<string> = {
  name: 'string',

  write(value: string, out: ByteWriter): void {
    if (typeof value !== 'string') throw unwritable('string', `it is ${describeValue(value)}`)
    out.writeUtf8(value)
  },

  read(bytes: Buffer, start: number, end: number): string {
    if (end - start > longestLoopedText || !isAscii(bytes, start, end)) return bytes.toString('utf8', start, end)
    if (end - start <= 4) return upToFour(bytes, start, end)
    return upToFour(bytes, start, start + 4) + upToFour(bytes, start + 4, end)
  },
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  let bits = 0
  for (let position = start; position < end; position++) bits |= bytes[position]!
  return bits < 0x80
}

function upToFour(bytes: Buffer, start: number, end: number): string {
  switch (end - start) {
    case 0:
      return ''
    case 1:
      return String.fromCharCode(bytes[start]!)
    case 2:
      return String.fromCharCode(bytes[start]!, bytes[start + 1]!)
    case 3:
      return String.fromCharCode(bytes[start]!, bytes[start + 1]!, bytes[start + 2]!)
    default:
      return String.fromCharCode(bytes[start]!, bytes[start + 1]!, bytes[start + 2]!, bytes[start + 3]!)
  }
}
