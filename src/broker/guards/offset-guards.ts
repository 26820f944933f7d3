import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { findCoordinator } from '../protocol/messages/find-coordinator.ts'
import { offsetCommit } from '../protocol/messages/offset-commit.ts'
import { offsetDelete } from '../protocol/messages/offset-delete.ts'
import { offsetFetch } from '../protocol/messages/offset-fetch.ts'
import { type Guard, guardOf, type Permissions } from './guard.ts'
import { refusal, split } from './refusal.ts'

const groupRefused = codeOf('GROUP_AUTHORIZATION_FAILED')
const topicRefused = codeOf('TOPIC_AUTHORIZATION_FAILED')

interface TopicOfPartitions {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

interface RefusedTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

/** The partitions of topics, each with an error. */
export function refusePartitions(topics: readonly TopicOfPartitions[], errorCode: number): RefusedTopic[] {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }))
}

type Group = RequestOf<typeof offsetFetch>['groups'][number]
type GroupAnswer = NonNullable<ResponseOf<typeof offsetFetch>['groups']>[number]
type OffsetFetchNeed = 'DESCRIBE GROUP' | 'DESCRIBE TOPIC'

/** Guards of those APIs that commit offsets, tell them and take them away. */
export const offsetGuards: readonly Guard[] = [
  guardOf(offsetCommit, ['READ GROUP', 'READ TOPIC'], (request, may) => {
    const { groupId, topics } = request
    if (!may.has('READ GROUP', groupId)) return { answer: { topics: refusePartitions(topics, groupRefused) } }
    const { allowed, refused } = split(topics, ({ name }) => may.has('READ TOPIC', name))
    return {
      request: { ...request, topics: allowed },
      complete: (response) => ({
        ...response,
        topics: [...response.topics, ...refusePartitions(refused, topicRefused)],
      }),
    }
  }),

  guardOf(offsetDelete, ['DELETE GROUP', 'READ TOPIC'], (request, may, { apiVersion }) => {
    const { groupId, topics } = request
    if (!may.has('DELETE GROUP', groupId)) {
      return { answer: refusal(offsetDelete, apiVersion, 'GROUP_AUTHORIZATION_FAILED') }
    }
    const { allowed, refused } = split(topics, ({ name }) => may.has('READ TOPIC', name))
    return {
      request: { ...request, topics: allowed },
      complete: (response) =>
        response.errorCode !== 0
          ? response
          : { ...response, topics: [...response.topics, ...refusePartitions(refused, topicRefused)] },
    }
  }),

  guardOf(offsetFetch, ['DESCRIBE GROUP', 'DESCRIBE TOPIC'], (request, may, { apiVersion }) => {
    const groups = apiVersion >= 8 ? request.groups : [request as unknown as Group]
    const { allowed, refused } = split(groups, ({ groupId }) => may.has('DESCRIBE GROUP', groupId))
    const answers = refused.map(({ groupId }) => ({ groupId, errorCode: groupRefused, topics: [] }))
    if (apiVersion < 8) {
      if (allowed.length === 0) return { answer: refusal(offsetFetch, apiVersion, 'GROUP_AUTHORIZATION_FAILED') }
      const asked = request as unknown as Group
      return {
        request: { ...request, topics: seenTopics(asked, may) } as typeof request,
        complete: (response) => {
          const { topics } = withRefused({ ...response, groupId: '' } as GroupAnswer, asked, may)
          return { ...response, topics } as typeof response
        },
      }
    }
    return {
      request: { ...request, groups: allowed.map((group) => ({ ...group, topics: seenTopics(group, may) })) },
      complete: (response) => {
        const found = (response.groups ?? []).map((group, i) => withRefused(group, allowed[i] as Group, may))
        return { ...response, groups: [...found, ...answers] }
      },
    }
  }),

  guardOf(findCoordinator, ['DESCRIBE GROUP', 'DESCRIBE TRANSACTIONAL_ID'], (request, may, { apiVersion }) => {
    const { key, keyType, coordinatorKeys } = request
    const isTransaction = keyType === 1
    const mayFind = (name: string) =>
      isTransaction ? may.has('DESCRIBE TRANSACTIONAL_ID', name) : may.has('DESCRIBE GROUP', name)
    const error = isTransaction ? 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' : 'GROUP_AUTHORIZATION_FAILED'
    const none = { nodeId: -1, host: '', port: -1, errorCode: codeOf(error), errorMessage: 'Not authorized.' }
    // Coordinators of other kinds are refused by the broker.
    if (keyType > 1) return { request }
    if (apiVersion < 4) return mayFind(key) ? { request } : { answer: none }
    const { allowed, refused } = split(coordinatorKeys, mayFind)
    return {
      request: { ...request, coordinatorKeys: allowed },
      complete: (response) => ({
        ...response,
        coordinators: [...(response.coordinators ?? []), ...refused.map((one) => ({ key: one, ...none }))],
      }),
    }
  }),
]

function seenTopics({ topics }: Group, may: Permissions<OffsetFetchNeed>): Group['topics'] {
  return topics?.filter(({ name }) => may.has('DESCRIBE TOPIC', name)) ?? null
}

/** Topics that were named are refused; where all were asked for, those that may not be seen are left out. */
function withRefused(answer: GroupAnswer, asked: Group, may: Permissions<OffsetFetchNeed>): GroupAnswer {
  if (answer.errorCode !== 0) return answer
  const isSeen = (name: string) => may.has('DESCRIBE TOPIC', name)
  if (asked.topics === null)
    return { ...answer, topics: (answer.topics ?? []).filter(({ name }) => isSeen(name ?? '')) }
  const refused = asked.topics.filter(({ name }) => !isSeen(name))
  const unseen = refused.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      ...{ partitionIndex, committedOffset: -1, metadata: '', errorCode: topicRefused },
    })),
  }))
  return { ...answer, topics: [...(answer.topics ?? []), ...unseen] }
}
