/**
 * What the two sides of a foreign-key join tell each other through topics, in Kafka Streams' bytes (SubscriptionWrapper,
 * SubscriptionResponseWrapper and CombinedKey of its package foreignkeyjoin).
 */
import { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import { unreadable } from '../serde/serde-failure.ts'

/** What the right side is to do with a subscription, by the numbers in the bytes. */
export const instruction = {
  /** Forget it, and say nothing. */
  forget: 0,
  /** Forget it, and answer that there is no row. */
  forgetAndAnswer: 1,
  /** Keep it, and answer also where there is no row. */
  keepAndAnswer: 2,
  /** Keep it, and answer where there is a row. */
  keepAndAnswerIfFound: 3,
} as const

export const hashBytes = 16

/** A row of the left table asks to be told of a row of the right one. */
export interface Subscription {
  /** Of the left row's value, 16 bytes; undefined where the row was deleted. */
  hash: Buffer | undefined
  instruction: number
  /** The left row's key, in bytes. */
  primaryKey: Buffer
  /** The partition that the left row is in: there the answer goes. -1 where an older version did not say. */
  partition: number
}

/** The right row's value, for a left row. */
export interface SubscriptionResponse {
  /** The hash of the subscription that is answered. */
  hash: Buffer | undefined
  /** undefined where there is no such row. */
  value: unknown
  /** Where the answer goes; not in the bytes. */
  partition: number
}

const hashIsMissing = 0x80
const version = 1

/** `version1 ‖ instruction1 ‖ hash16 ‖ key ‖ partition4`; the version's highest bit says that the hash is missing. */
export const subscriptionSerde: Serde<Subscription> = {
  name: 'subscription',
  write({ hash, instruction, primaryKey, partition }, out) {
    out.writeInt8(hash === undefined ? version | hashIsMissing : version)
    out.writeInt8(instruction)
    if (hash !== undefined) out.writeBytes(hash)
    out.writeBytes(primaryKey)
    out.writeInt32(partition)
  },
  read(bytes, start, end) {
    const given = end - start < 2 ? -1 : (bytes[start] as number) & ~hashIsMissing
    const keyStart = hasHash(bytes, start) ? start + 2 + hashBytes : start + 2
    const keyEnd = given === 1 ? end - 4 : end
    if ((given !== 0 && given !== 1) || keyEnd < keyStart) throw unreadable('subscription', `their version is ${given}`)
    return {
      hash: hasHash(bytes, start) ? Buffer.from(bytes.subarray(start + 2, keyStart)) : undefined,
      instruction: bytes[start + 1] as number,
      primaryKey: Buffer.from(bytes.subarray(keyStart, keyEnd)),
      partition: given === 1 ? bytes.readInt32BE(keyEnd) : -1,
    }
  },
}

/** `version1 ‖ hash16 ‖ value`, with version 0; a value of no bytes is none, as in Kafka Streams. */
export function responseSerde(value: Serde<unknown>): Serde<SubscriptionResponse> {
  const name = `response(${value.name})`
  return {
    name,
    write(response, out) {
      out.writeInt8(response.hash === undefined ? hashIsMissing : 0)
      if (response.hash !== undefined) out.writeBytes(response.hash)
      if (response.value !== undefined) value.write(response.value, out)
    },
    read(bytes, start, end) {
      const given = end > start ? (bytes[start] as number) & ~hashIsMissing : -1
      const valueStart = hasHash(bytes, start) ? start + 1 + hashBytes : start + 1
      if (given !== 0 || valueStart > end) throw unreadable(name, `their version is ${given}`)
      return {
        hash: hasHash(bytes, start) ? Buffer.from(bytes.subarray(start + 1, valueStart)) : undefined,
        value: valueStart === end ? undefined : value.read(bytes, valueStart, end),
        partition: -1,
      }
    },
  }
}

/** The key of a subscription in its store, `length4 ‖ foreign key ‖ primary key`: those of a right row are one range. */
export class CombinedKey {
  readonly #foreign: Serde<unknown>
  readonly #out = new ByteWriter(256)

  constructor(foreign: Serde<unknown>) {
    this.#foreign = foreign
  }

  /** The bytes with which the keys of all subscriptions to a right row begin. */
  prefix(foreignKey: unknown): Buffer {
    return this.#write(foreignKey).toBuffer()
  }

  /** Valid until the next call. */
  of(foreignKey: unknown, primaryKey: Buffer): Buffer {
    const out = this.#write(foreignKey)
    out.writeBytes(primaryKey)
    return out.buffer.subarray(0, out.length)
  }

  #write(foreignKey: unknown): ByteWriter {
    const out = this.#out
    out.clear()
    const lengthAt = out.reserve(4)
    this.#foreign.write(foreignKey, out)
    out.buffer.writeInt32BE(out.length - 4, lengthAt)
    return out
  }
}

function hasHash(bytes: Buffer, start: number): boolean {
  return ((bytes[start] as number) & hashIsMissing) === 0
}
