import type { Admin, Kafka } from 'kafkajs'
import { MillraceError } from '../../errors.ts'
import { onlyPartitions } from './partition-choice.ts'

export interface NewOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/**
 * Commits offsets for a group that has no members. It is joined for a moment, by a member that reads nothing: kafkajs has no
 * other way, and its own `setOffsets` waits for a fetch.
 * @throws MillraceError REQUEST_REFUSED where the group has members
 */
export async function moveGroup(
  kafka: Kafka,
  admin: Admin,
  groupId: string,
  offsets: readonly NewOffset[],
): Promise<void> {
  const { groups } = await admin.describeGroups([groupId])
  const state = groups[0]?.state ?? 'Dead'
  if (state !== 'Empty' && state !== 'Dead') {
    throw new MillraceError('REQUEST_REFUSED', `Consumer group '${groupId}' is ${state}: it has members`, {
      remedy: 'Stop its members first.',
    })
  }
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 10, partitionAssigners: [await onlyPartitions({})] })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [...new Set(offsets.map(({ topic }) => topic))] })
    await consumer.run({ autoCommit: false, eachBatch: async () => {} })
    await consumer.commitOffsets([...offsets])
  } finally {
    await consumer.disconnect()
  }
}
