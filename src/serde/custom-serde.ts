import type { ByteWriter } from '../bytes/byte-writer.ts'
import { messageOf } from '../errors.ts'
import type { Serde } from './serde.ts'
import { describeValue, unreadable, unwritable } from './serde-failure.ts'

export interface Codec<T> {
  /** Named in error messages and descriptions. */
  readonly name: string
  readonly encode: (value: T) => Uint8Array
  /** Is given bytes of its own, which what it returns may keep. */
  readonly decode: (bytes: Buffer) => T
}

/**
 * A serde of two functions, as encoding libraries have them. The bytes to decode are copied first, because decoders like
 * to keep parts of them; implement `Serde` to read them where they are.
 */
export function customSerde<T>(codec: Codec<T>): Serde<T> {
  return new CustomSerde(codec)
}

class CustomSerde<T> implements Serde<T> {
  readonly name: string
  readonly #codec: Codec<T>

  constructor(codec: Codec<T>) {
    this.name = codec.name
    this.#codec = codec
  }

  write(value: T, out: ByteWriter): void {
    const bytes = this.#encode(value)
    if (!(bytes instanceof Uint8Array))
      throw unwritable(this.name, `encode returned ${describeValue(bytes)}, not bytes`)
    out.writeBytes(bytes)
  }

  read(bytes: Buffer, start: number, end: number): T {
    const own = Buffer.from(bytes.subarray(start, end))
    try {
      return this.#codec.decode(own)
    } catch (error) {
      throw unreadable(this.name, messageOf(error), error)
    }
  }

  #encode(value: T): Uint8Array {
    try {
      return this.#codec.encode(value)
    } catch (error) {
      throw unwritable(this.name, messageOf(error), error)
    }
  }
}
