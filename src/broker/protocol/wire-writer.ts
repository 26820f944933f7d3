import { ByteWriter } from '../../bytes/byte-writer.ts'
import { writeInt64 } from '../../bytes/int64.ts'
import { MillraceError } from '../../errors.ts'
import { idToBytes } from '../topic-id.ts'

/** Bytes of this size and more are passed on as they are; copying fewer is cheaper than one more piece to send. */
const smallestPassedOn = 1024
const longestShortLength = 32_767

/**
 * Writes Kafka's primitive types one after the other. Record batches are not copied: the message is a list of pieces, some of
 * them the caller's own bytes, which must stay as they are until the message is sent.
 */
export class WireWriter {
  readonly #own: ByteWriter
  /** Positions in the own bytes at which bytes of the caller's belong. */
  readonly #inserted: { readonly at: number; readonly bytes: Uint8Array }[] = []
  #insertedBytes = 0

  constructor(capacity = 256) {
    this.#own = new ByteWriter(capacity)
  }

  /** Bytes written so far, all pieces together. */
  get size(): number {
    return this.#own.length + this.#insertedBytes
  }

  bool(value: boolean): void {
    this.#own.writeInt8(value ? 1 : 0)
  }

  int8(value: number): void {
    this.#own.writeInt8(value)
  }

  int16(value: number): void {
    this.#own.writeInt16(value)
  }

  uint16(value: number): void {
    const at = this.#own.reserve(2)
    this.#own.buffer.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    this.#own.writeInt32(value)
  }

  /** Sets four bytes that were written before. */
  setInt32(at: number, value: number): void {
    this.#own.buffer.writeInt32BE(value, at)
  }

  int64(value: number): void {
    const at = this.#own.reserve(8)
    writeInt64(this.#own.buffer, at, value)
  }

  float64(value: number): void {
    this.#own.writeFloat64(value)
  }

  uuid(value: string): void {
    const bytes = idToBytes(value)
    if (bytes.length !== 16) throw new MillraceError('INVALID_ARGUMENT', `'${value}' is not an id of 16 bytes`)
    this.#own.writeBytes(bytes)
  }

  unsignedVarint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#own.writeInt8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#own.writeInt8(rest)
  }

  /** A length of two bytes, or in a flexible version one that is a varint and one greater; -1 stands for null. */
  shortLength(length: number, flexible: boolean): void {
    if (flexible) this.unsignedVarint(length + 1)
    else if (length <= longestShortLength) this.int16(length)
    else throw new MillraceError('INVALID_ARGUMENT', `A text of ${length} bytes does not fit Kafka's protocol`)
  }

  /** A length of four bytes, or in a flexible version one that is a varint and one greater; -1 stands for null. */
  length(length: number, flexible: boolean): void {
    if (flexible) this.unsignedVarint(length + 1)
    else this.int32(length)
  }

  text(value: string): void {
    this.#own.writeUtf8(value)
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length < smallestPassedOn) {
      this.#own.writeBytes(bytes)
      return
    }
    this.#inserted.push({ at: this.#own.length, bytes })
    this.#insertedBytes += bytes.length
  }

  /** Everything that was written, in order. The writer must not be used any more. */
  pieces(): Uint8Array[] {
    const pieces: Uint8Array[] = []
    let from = 0
    for (const { at, bytes } of this.#inserted) {
      if (at > from) pieces.push(this.#own.buffer.subarray(from, at))
      pieces.push(bytes)
      from = at
    }
    if (this.#own.length > from) pieces.push(this.#own.buffer.subarray(from, this.#own.length))
    return pieces
  }
}
