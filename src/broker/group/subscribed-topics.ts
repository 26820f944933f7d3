import { MillraceError } from '../../errors.ts'
import { WireReader } from '../protocol/wire-reader.ts'

/**
 * The topics that a member of the protocol type `consumer` reads: what all versions of its metadata begin with
 * (org.apache.kafka.clients.consumer.internals.ConsumerProtocol). Undefined where it cannot be read: the broker passes it on all
 * the same, because it is the members' own affair.
 */
export function subscribedTopics(metadata: Buffer): string[] | undefined {
  const reader = new WireReader(metadata)
  try {
    if (reader.int16() < 0) return undefined
    const count = reader.length(false)
    if (count < 0) return undefined
    return Array.from({ length: count }, () => reader.text(reader.shortLength(false)))
  } catch (error) {
    if (error instanceof MillraceError) return undefined
    throw error
  }
}
