import { readAssignment } from '../../../src/broker/group/consumer-protocol.ts'
import { WireWriter } from '../../../src/broker/protocol/wire-writer.ts'

/** What a consumer of the classic protocol says of itself, as ConsumerProtocolSubscription 1, of partitions such as `t0,t1,u2`. */
export function subscriptionOf(topics: readonly string[], owned = '', version = 1): Buffer {
  const writer = new WireWriter(128)
  writer.int16(version)
  writer.int32(topics.length)
  for (const topic of topics) writeText(writer, topic)
  writer.int32(-1)
  if (version >= 1) writePartitions(writer, owned)
  return Buffer.concat(writer.pieces())
}

/** What a leader gives a member, as ConsumerProtocolAssignment 1. */
export function assignmentOf(partitions: string, userData = -1): Buffer {
  const writer = new WireWriter(128)
  writer.int16(1)
  writePartitions(writer, partitions)
  writer.int32(userData)
  return Buffer.concat([...writer.pieces(), Buffer.alloc(Math.max(0, userData))])
}

/** What a member has been given, by topic and partition. */
export function assignmentAsText(bytes: Buffer): string {
  return (readAssignment(bytes)?.assignedPartitions ?? [])
    .flatMap(({ topic, partitions }) => partitions.map((partition) => topic + partition))
    .sort()
    .join(',')
}

function writePartitions(writer: WireWriter, text: string): void {
  const names = text.split(',').filter((name) => name !== '')
  writer.int32(names.length)
  for (const name of names) {
    const [, topic = '', partition] = name.match(/^(.*?)(\d+)$/) ?? []
    writeText(writer, topic)
    writer.int32(1)
    writer.int32(Number(partition))
  }
}

function writeText(writer: WireWriter, text: string): void {
  writer.shortLength(text.length, false)
  writer.text(text)
}
