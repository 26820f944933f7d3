import type { Admin } from 'kafkajs'
import { codeOf, nameOf } from '../../broker/protocol/error-codes.ts'
import { offsetDelete } from '../../broker/protocol/messages/offset-delete.ts'
import { textTable } from './text-table.ts'
import { requireGranted, type WireCluster } from './wire-cluster.ts'

/** Topics, and the partitions of each that are meant where not all are. */
export type ChosenTopics = ReadonlyMap<string, readonly number[] | undefined>

export interface DeletedOffsets {
  /** What became of each partition. */
  readonly table: string
  readonly isWhole: boolean
}

/**
 * Takes committed offsets of a group away, of topics that it does not read just now.
 * @throws MillraceError where the whole group is refused
 */
export async function deleteOffsets(
  admin: Admin,
  wire: WireCluster,
  groupId: string,
  chosen: ChosenTopics,
): Promise<DeletedOffsets> {
  const topics = await Promise.all(
    [...chosen].map(async ([name, partitions]) => ({
      name,
      partitions: (partitions ?? (await partitionsOf(admin, name))).map((partitionIndex) => ({ partitionIndex })),
    })),
  )
  const answer = await wire.askCoordinator(groupId, offsetDelete, 0, { groupId, topics })
  requireGranted(answer.errorCode)
  const results = answer.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => ({ name, partition: partitionIndex, errorCode })),
  )
  // Apache Kafka answers in an order of its own.
  const rows = results
    .toSorted(byPartition)
    .map(({ name, partition, errorCode }) => [
      name,
      String(partition),
      errorCode === codeOf('NONE') ? 'Successful' : `Error: ${nameOf(errorCode)}`,
    ])
  return {
    table: textTable(['TOPIC', 'PARTITION', 'STATUS'], rows),
    isWhole: results.every(({ errorCode }) => errorCode === codeOf('NONE')),
  }
}

interface OnePartition {
  readonly name: string
  readonly partition: number
}

function byPartition(a: OnePartition, b: OnePartition): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return a.partition - b.partition
}

async function partitionsOf(admin: Admin, topic: string): Promise<number[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return (topics[0]?.partitions ?? []).map(({ partitionId }) => partitionId).sort((a, b) => a - b)
}
