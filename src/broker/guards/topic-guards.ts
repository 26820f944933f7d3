import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { zeroUuid } from '../protocol/field.ts'
import { createPartitions } from '../protocol/messages/create-partitions.ts'
import { createTopics } from '../protocol/messages/create-topics.ts'
import { deleteRecords } from '../protocol/messages/delete-records.ts'
import { deleteTopics } from '../protocol/messages/delete-topics.ts'
import { describeTopicPartitions } from '../protocol/messages/describe-topic-partitions.ts'
import { metadata } from '../protocol/messages/metadata.ts'
import { clusterName } from '../security/access-rule.ts'
import { type Guard, type GuardContext, guardOf, type Permissions } from './guard.ts'
import { split } from './refusal.ts'

const topicRefused = codeOf('TOPIC_AUTHORIZATION_FAILED')

type MetadataNeed = 'DESCRIBE TOPIC' | 'CREATE CLUSTER' | 'CREATE TOPIC' | 'DESCRIBE CLUSTER'
type AskedTopic = NonNullable<RequestOf<typeof metadata>['topics']>[number]
type ToldTopic = ResponseOf<typeof metadata>['topics'][number]

/** Guards of those APIs that tell of topics and change them. */
export const topicGuards: readonly Guard[] = [
  guardOf(
    metadata,
    ['DESCRIBE TOPIC', 'CREATE CLUSTER', 'CREATE TOPIC', 'DESCRIBE CLUSTER'],
    (request, may, context) => {
      const { topics } = request
      // Ids before their time are refused by the handler, all of them alike.
      if (context.apiVersion < 12 && topics?.some(({ name }) => name === null)) return { request }
      const tellsAll = topics === null || (context.apiVersion === 0 && topics.length === 0)
      const isSeen = ({ name }: ToldTopic) => name === null || may.has('DESCRIBE TOPIC', name)
      const { allowed, refused } = split(topics ?? [], (topic) => mayBeTold(topic, request, may, context))
      // No more is said of topics that may not be seen than that: neither whether there are such, nor their ids.
      const answers = refused.map(({ name, topicId }) => ({ errorCode: topicRefused, name, topicId, partitions: [] }))
      // In the first version no topics are all of them.
      const standsIn = !tellsAll && allowed.length === 0 && context.apiVersion === 0
      return {
        request: tellsAll ? request : { ...request, topics: standsIn ? [nobodysTopic] : allowed },
        complete: (response) => {
          const told = standsIn ? [] : response.topics.filter(isSeen)
          return withOperations({ ...response, topics: [...told, ...answers] }, request, may)
        },
      }
    },
  ),

  guardOf(describeTopicPartitions, ['DESCRIBE TOPIC'], (request, may, { topicNames }) => {
    const { cursor } = request
    const isSeen = (name: string) => may.has('DESCRIBE TOPIC', name)
    const tellsAll = request.topics.length === 0
    const asked = tellsAll ? topicNames() : request.topics.map(({ name }) => name)
    const { allowed, refused } = split(asked, isSeen)
    const answers = (tellsAll || cursor !== null ? [] : refused).map((name) => {
      return { errorCode: topicRefused, name, topicId: zeroUuid, isInternal: false, partitions: [] }
    })
    // All topics are asked for by no names: where none is left, nothing is asked for. A cursor never names what may not be seen.
    if (allowed.length === 0) return { answer: { topics: answers, nextCursor: null } }
    const next = cursor === null ? undefined : allowed.find((name) => name >= cursor.topicName)
    if (tellsAll && cursor !== null && next === undefined) return { answer: { topics: [], nextCursor: null } }
    const isThere = tellsAll && cursor !== null && next !== cursor.topicName
    return {
      request: {
        ...request,
        topics: allowed.map((name) => ({ name })),
        ...(isThere && next !== undefined && { cursor: { topicName: next, partitionIndex: 0 } }),
      },
      complete: (response) => ({ ...response, topics: [...response.topics, ...answers] }),
    }
  }),

  guardOf(createTopics, ['CREATE CLUSTER', 'CREATE TOPIC', 'DESCRIBE_CONFIGS TOPIC'], (request, may) => {
    const mayCreateAll = may.has('CREATE CLUSTER', clusterName)
    const { allowed, refused } = split(request.topics, ({ name }) => mayCreateAll || may.has('CREATE TOPIC', name))
    const answers = refused.map(({ name }) => {
      return { name, errorCode: topicRefused, errorMessage: 'Authorization failed.', configs: [] }
    })
    return {
      request: { ...request, topics: allowed },
      complete: (response) => {
        const made = response.topics.map((topic) =>
          topic.errorCode !== 0 || may.has('DESCRIBE_CONFIGS TOPIC', topic.name)
            ? topic
            : { ...topic, topicConfigErrorCode: topicRefused, numPartitions: -1, replicationFactor: -1, configs: null },
        )
        return { ...response, topics: [...made, ...answers] }
      },
    }
  }),

  guardOf(deleteTopics, ['DELETE CLUSTER', 'DELETE TOPIC', 'DESCRIBE TOPIC'], (request, may, { topicName }) => {
    if (may.has('DELETE CLUSTER', clusterName)) return { request }
    const byName = split(request.topicNames, (name) => may.has('DELETE TOPIC', name))
    const listed = split(request.topics, ({ name, topicId }) => {
      const found = name ?? topicName(topicId)
      return found === undefined || may.has('DELETE TOPIC', found)
    })
    const answers = [...byName.refused.map((name) => ({ name, topicId: zeroUuid })), ...listed.refused].map(
      ({ name, topicId }) => {
        // Who knows an id learns its name only where it may see the topic.
        const found = name ?? topicName(topicId) ?? null
        const isSeen = name !== null || (found !== null && may.has('DESCRIBE TOPIC', found))
        return { name: isSeen ? found : null, topicId, errorCode: topicRefused, errorMessage: 'Authorization failed.' }
      },
    )
    return {
      request: { ...request, topicNames: byName.allowed, topics: listed.allowed },
      complete: (response) => ({ ...response, responses: [...response.responses, ...answers] }),
    }
  }),

  guardOf(createPartitions, ['ALTER TOPIC'], (request, may) => {
    const { allowed, refused } = split(request.topics, ({ name }) => may.has('ALTER TOPIC', name))
    const answers = refused.map(({ name }) => ({
      name,
      errorCode: topicRefused,
      errorMessage: 'Authorization failed.',
    }))
    return {
      request: { ...request, topics: allowed },
      complete: (response) => ({ ...response, results: [...response.results, ...answers] }),
    }
  }),

  guardOf(deleteRecords, ['DELETE TOPIC'], (request, may) => {
    const { allowed, refused } = split(request.topics, ({ name }) => may.has('DELETE TOPIC', name))
    const answers = refused.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        lowWatermark: -1,
        errorCode: topicRefused,
      })),
    }))
    return {
      request: { ...request, topics: allowed },
      complete: (response) => ({ ...response, topics: [...response.topics, ...answers] }),
    }
  }),
]

/** Stands in a request where no topics would be all of them: a name that no topic can have. */
const nobodysTopic: AskedTopic = { name: '', topicId: zeroUuid }

/** A topic may be told that may be seen; one that would be made by being asked for has to be allowed to be made, too. */
function mayBeTold(
  { name, topicId }: AskedTopic,
  { allowAutoTopicCreation }: RequestOf<typeof metadata>,
  may: Permissions<MetadataNeed>,
  { apiVersion, topicName, isTopic, createsTopics }: GuardContext,
): boolean {
  const found = name ?? topicName(topicId)
  // An id that is nobody's is told to be that.
  if (found === undefined) return true
  if (!may.has('DESCRIBE TOPIC', found)) return false
  const isMade = name !== null && !isTopic(name) && createsTopics && (apiVersion < 4 || allowAutoTopicCreation)
  return !isMade || may.has('CREATE CLUSTER', clusterName) || may.has('CREATE TOPIC', found)
}

function withOperations(
  response: ResponseOf<typeof metadata>,
  request: RequestOf<typeof metadata>,
  may: Permissions<MetadataNeed>,
): ResponseOf<typeof metadata> {
  const { includeClusterAuthorizedOperations, includeTopicAuthorizedOperations } = request
  const isClusterSeen = may.has('DESCRIBE CLUSTER', clusterName)
  return {
    ...response,
    ...(includeClusterAuthorizedOperations && {
      clusterAuthorizedOperations: isClusterSeen ? may.operationBits('CLUSTER', clusterName) : 0,
    }),
    ...(includeTopicAuthorizedOperations && {
      topics: response.topics.map((topic) =>
        topic.errorCode !== 0 || topic.name === null
          ? topic
          : { ...topic, topicAuthorizedOperations: may.operationBits('TOPIC', topic.name) },
      ),
    }),
  }
}
