import { MillraceError } from '../../errors.ts'
import type { Fields, ReadOf } from '../protocol/field.ts'
import { messageCodec } from '../protocol/message-codec.ts'
import { WireReader } from '../protocol/wire-reader.ts'
import { WireWriter } from '../protocol/wire-writer.ts'

/**
 * What consumers of the classic protocol say to each other through the broker: Kafka's ConsumerProtocolSubscription and
 * ConsumerProtocolAssignment. The broker looks into them only where it has to (org.apache.kafka.clients.consumer.internals.ConsumerProtocol).
 */

/** Kafka's protocol type of consumers (ConsumerProtocol.PROTOCOL_TYPE). */
export const consumerProtocol = 'consumer'

const latestVersion = 3

const partitionsByTopic = [{ topic: ['string', '0+'], partitions: [['int32'], '0+'] }] as const

const subscriptionFields = {
  topics: [['string'], '0+'],
  userData: ['bytes', '0+', { nullable: '0+', default: null }],
  ownedPartitions: [partitionsByTopic, '1+'],
  generationId: ['int32', '2+', { default: -1 }],
  rackId: ['string', '3+', { nullable: '3+', default: null }],
} as const satisfies Fields

const assignmentFields = {
  assignedPartitions: [partitionsByTopic, '0+'],
  userData: ['bytes', '0+', { nullable: '0+', default: null }],
} as const satisfies Fields

interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface ConsumerSubscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  readonly ownedPartitions: readonly TopicPartitions[]
  readonly generationId: number
  readonly rackId: string | null
}

export interface ConsumerAssignment {
  readonly assignedPartitions: readonly TopicPartitions[]
  readonly userData: Buffer | null
}

/** What a consumer reads, and owns while it joins; undefined where the bytes say nothing of the kind. */
export function readSubscription(bytes: Buffer): ConsumerSubscription | undefined {
  return read(subscriptionFields, bytes)
}

/** What a leader has assigned; no bytes are nothing. Undefined where the bytes say nothing of the kind. */
export function readAssignment(bytes: Buffer): ConsumerAssignment | undefined {
  return bytes.length === 0 ? { assignedPartitions: [], userData: null } : read(assignmentFields, bytes)
}

/** In the version of what the consumer has said of itself. */
export function writeAssignment(
  assignedPartitions: ConsumerAssignment['assignedPartitions'],
  subscription: Buffer | undefined,
): Buffer {
  const version = subscription === undefined || subscription.length < 2 ? 0 : subscription.readInt16BE(0)
  const writer = new WireWriter(64)
  writer.int16(version)
  messageCodec(assignmentFields, Math.min(version, latestVersion), false).write(writer, { assignedPartitions })
  return Buffer.concat(writer.pieces())
}

/**
 * The topics that a consumer reads: what all versions of a subscription begin with. Undefined where it cannot be read: the broker
 * passes it on all the same, because it is the members' own affair.
 */
export function subscribedTopics(metadata: Buffer): string[] | undefined {
  return orUndefined(() => {
    const reader = new WireReader(metadata)
    if (reader.int16() < 0) return undefined
    const count = reader.length(false)
    if (count < 0) return undefined
    return Array.from({ length: count }, () => reader.text(reader.shortLength(false)))
  })
}

/** A version that is not known yet is read as the latest that is, as in Kafka: each begins with the one before it. */
function read<F extends Fields>(fields: F, bytes: Buffer): ReadOf<F> | undefined {
  return orUndefined(() => {
    const reader = new WireReader(bytes)
    const version = reader.int16()
    return version < 0 ? undefined : messageCodec(fields, Math.min(version, latestVersion), false).read(reader)
  })
}

function orUndefined<T>(read: () => T | undefined): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof MillraceError) return undefined
    throw error
  }
}
