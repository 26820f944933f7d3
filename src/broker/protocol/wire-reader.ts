import { readInt64 } from '../../bytes/int64.ts'
import { idFromBytes } from '../topic-id.ts'
import { malformed } from './malformed-message.ts'

/** No text, array or run of bytes of a message can be longer. */
const longestLength = 2_147_483_647

/**
 * Reads Kafka's primitive types one after the other from one message. The bytes are the network's and not trusted: every
 * length is compared with what is left before anything is made of it.
 * @throws MillraceError MALFORMED_MESSAGE from every method
 */
export class WireReader {
  readonly bytes: Buffer
  position: number
  readonly end: number

  constructor(bytes: Buffer, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Moves past so many bytes and returns where they begin. */
  take(count: number): number {
    const start = this.position
    if (count < 0 || count > this.end - start)
      throw malformed(`${count} bytes are announced at byte ${start}, ${this.end - start} are left`)
    this.position = start + count
    return start
  }

  bool(): boolean {
    return this.bytes[this.take(1)] !== 0
  }

  int8(): number {
    return this.bytes.readInt8(this.take(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.take(2))
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.take(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.take(4))
  }

  int64(): number {
    return readInt64(this.bytes, this.take(8))
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.take(8))
  }

  uuid(): string {
    return idFromBytes(this.bytes, this.take(16))
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.take(1)] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw malformed(`the varint that ends at byte ${this.position} has more than 32 bits`)
  }

  /** A length of two bytes, or in a flexible version one that is a varint and one greater; -1 stands for null. */
  shortLength(flexible: boolean): number {
    return flexible ? this.compactLength() : this.int16()
  }

  /** A length of four bytes, or in a flexible version one that is a varint and one greater; -1 stands for null. */
  length(flexible: boolean): number {
    return flexible ? this.compactLength() : this.int32()
  }

  text(length: number): string {
    const start = this.take(length)
    return this.bytes.toString('utf8', start, start + length)
  }

  view(length: number): Buffer {
    const start = this.take(length)
    return this.bytes.subarray(start, start + length)
  }

  compactLength(): number {
    const length = this.unsignedVarint() - 1
    if (length > longestLength) throw malformed(`the length before byte ${this.position} is ${length}`)
    return length
  }
}
