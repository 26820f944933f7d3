import type { ByteWriter } from '../bytes/byte-writer.ts'

/**
 * Turns values into bytes and back. `null` and `undefined` never reach a serde: an absent key or value is the log's own.
 *
 * Two ranges of bytes are equal exactly when their values are: state is looked up by the bytes of a key.
 */
export interface Serde<T> {
  /** Named in error messages and descriptions. */
  readonly name: string
  /** Appends the value's bytes. */
  write(value: T, out: ByteWriter): void
  /** The value in `bytes[start..end)`; must not keep the buffer, which is used again for the next records. */
  read(bytes: Buffer, start: number, end: number): T
}

/** The type of value that a serde is for. */
export type ValueOf<S> = S extends Serde<infer T> ? T : never
