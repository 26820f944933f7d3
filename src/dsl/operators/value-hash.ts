import { ByteWriter } from '../../bytes/byte-writer.ts'
import { murmur3 } from '../../bytes/murmur3.ts'
import type { Serde } from '../../serde/serde.ts'
import { hashBytes } from '../subscription.ts'

/** Hashes of values by the bytes that a serde makes of them. */
export class ValueHash {
  readonly #serde: Serde<unknown>
  readonly #bytes = new ByteWriter(256)
  readonly #hash = Buffer.alloc(hashBytes)

  constructor(serde: Serde<unknown>) {
    this.#serde = serde
  }

  /** 16 bytes, valid until the next call. */
  of(value: unknown): Buffer {
    this.#bytes.clear()
    this.#serde.write(value, this.#bytes)
    murmur3(this.#bytes.buffer, 0, this.#bytes.length, this.#hash)
    return this.#hash
  }
}
