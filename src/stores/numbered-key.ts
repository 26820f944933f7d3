import type { Serde } from '../serde/serde.ts'

/** What stands behind the bytes of a key that is there more than once. */
export const numberBytes = 4

/** One of the values of a key and window in a store that keeps them all: 1 is the first. */
export class NumberedKey {
  readonly key: unknown
  readonly number: number

  constructor(key: unknown, number: number) {
    this.key = key
    this.number = number
  }
}

/** `key ‖ number4`; a key without a number is that of the first value. */
export function numberedKeySerde(key: Serde<unknown>): Serde<unknown> {
  return {
    name: `numbered(${key.name})`,
    write(given, out) {
      const { key: own, number } = given instanceof NumberedKey ? given : new NumberedKey(given, 1)
      key.write(own, out)
      out.writeInt32(number)
    },
    read(bytes, start, end) {
      const numberAt = end - numberBytes
      return new NumberedKey(key.read(bytes, start, numberAt), bytes.readInt32BE(numberAt))
    },
  }
}
