import { codeOf } from '../../broker/protocol/error-codes.ts'
import { offsetCommit } from '../../broker/protocol/messages/offset-commit.ts'
import { MillraceError } from '../../errors.ts'
import type { DescribedGroup } from './described-group.ts'
import { refusalOf, type WireCluster } from './wire-cluster.ts'

export interface NewOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/** Whoever is no member commits as this generation. */
const noGeneration = -1

/**
 * Commits offsets for a group that has no members, as nobody's member; `group` is undefined where there is none yet.
 * @throws MillraceError REQUEST_REFUSED where the group has members
 */
export async function moveGroup(
  wire: WireCluster,
  groupId: string,
  group: DescribedGroup | undefined,
  offsets: readonly NewOffset[],
): Promise<void> {
  if (group !== undefined && group.state !== 'Empty') {
    throw new MillraceError('REQUEST_REFUSED', `Consumer group '${groupId}' is ${group.state}: it has members`, {
      remedy: 'Stop its members first.',
    })
  }
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: Number(offset),
      committedMetadata: '',
    })),
  }))
  const request = { groupId, generationIdOrMemberEpoch: noGeneration, memberId: '', topics }
  const answer = await wire.askCoordinator(groupId, offsetCommit, 5, request)
  const refused = answer.topics
    .flatMap(({ partitions }) => partitions)
    .find(({ errorCode }) => errorCode !== codeOf('NONE'))
  if (refused !== undefined) throw refusalOf(refused.errorCode)
}
