import type { ByteWriter } from '../bytes/byte-writer.ts'
import { messageOf } from '../errors.ts'
import type { Serde } from './serde.ts'
import { describeValue, unreadable, unwritable } from './serde-failure.ts'

const longestExcerpt = 60

/**
 * A value as JSON text in UTF-8. The type is the caller's word: what is read is not checked against it. As a key, the same
 * object must always be written with its properties in the same order.
 */
export function jsonSerde<T>(): Serde<T> {
  return oneForAllTypes as Serde<T>
}

const oneForAllTypes: Serde<unknown> = {
  name: 'json',

  write(value: unknown, out: ByteWriter): void {
    const text = stringify(value)
    if (text === undefined || (text === '{}' && isMoreThanItsProperties(value)))
      throw unwritable('json', `${describeValue(value)} has no JSON form`)
    out.writeUtf8(text)
  },

  read(bytes: Buffer, start: number, end: number): unknown {
    const text = bytes.toString('utf8', start, end)
    try {
      return JSON.parse(text)
    } catch (error) {
      // The engine's message quotes the text, at a length and in a way that differ from case to case.
      const excerpt =
        text.length <= longestExcerpt ? text : `${text.slice(0, longestExcerpt)}... (${end - start} bytes)`
      throw unreadable('json', `they are not JSON text: ${JSON.stringify(excerpt)}`, error)
    }
  },
}

/** What `JSON.stringify` makes `{}` of although there is something in it: silently lost if it were written. */
function isMoreThanItsProperties(value: unknown): boolean {
  return value instanceof Promise || value instanceof Map || value instanceof Set
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    throw unwritable('json', messageOf(error), error)
  }
}
