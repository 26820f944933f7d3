import { MillraceError } from '../../errors.ts'
import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { zeroUuid } from '../protocol/field.ts'
import { metadata } from '../protocol/messages/metadata.ts'
import type { BrokerTopic } from '../topics.ts'
import { isInternal } from '../topics.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'
import { topicNameProblem } from './topic-name-problem.ts'

type Response = ResponseOf<typeof metadata>
type TopicResponse = Response['topics'][number]
type Asked = { readonly name: string | null; readonly topicId: string }

/** Before it, requests have a place for ids of topics, but answers none for topics without a name. */
const firstVersionWithIds = 12

/**
 * Metadata 0-12: the broker, and topics with their partitions, all of which this broker leads. Topics that are asked for by
 * name and do not exist are made where the broker's settings and the request allow it. Authorized operations are not listed.
 */
export function handleMetadata(broker: Broker): Handler {
  return handlerOf(metadata, [0, 12], async (request, { apiVersion, advertised }) => {
    const { nodeId, clusterId } = broker
    const topics = await topicsAskedFor(broker, request, apiVersion)
    return { brokers: [{ nodeId, ...advertised }], clusterId, controllerId: nodeId, topics }
  })
}

async function topicsAskedFor(
  broker: Broker,
  { topics, allowAutoTopicCreation }: RequestOf<typeof metadata>,
  version: number,
): Promise<TopicResponse[]> {
  // In the first version no topics stood for all of them.
  if (topics === null || (version === 0 && topics.length === 0)) {
    return broker.topics
      .list()
      .filter(isVisible)
      .map((topic) => describe(broker, topic))
  }
  if (version < firstVersionWithIds && topics.some(({ name, topicId }) => name === null || topicId !== zeroUuid)) {
    return topics.map((asked) => unknown({ ...asked, name: asked.name ?? '' }, codeOf('INVALID_REQUEST')))
  }
  const mayCreate = (version < 4 || allowAutoTopicCreation) && broker.settings.autoCreateTopics
  const described: TopicResponse[] = []
  for (const asked of topics) described.push(await topicAskedFor(broker, asked, mayCreate))
  return described
}

async function topicAskedFor(broker: Broker, asked: Asked, mayCreate: boolean): Promise<TopicResponse> {
  const { name, topicId } = asked
  if (name === null) {
    const topic = broker.topics.withId(topicId)
    return topic === undefined ? unknown(asked, codeOf('UNKNOWN_TOPIC_ID')) : describe(broker, topic)
  }
  const existing = broker.topics.get(name)
  if (existing !== undefined && isVisible(existing)) return describe(broker, existing)
  try {
    if (topicNameProblem(name) !== undefined) return unknown(asked, codeOf('INVALID_TOPIC_EXCEPTION'))
    if (!mayCreate) return unknown(asked, codeOf('UNKNOWN_TOPIC_OR_PARTITION'))
    await broker.createAskedFor(name)
    const made = broker.topics.get(name)
    return made === undefined ? unknown(asked, codeOf('UNKNOWN_TOPIC_OR_PARTITION')) : describe(broker, made)
  } catch (error) {
    const isNamedBadly = error instanceof MillraceError && error.code === 'INVALID_ARGUMENT'
    return unknown(asked, codeOf(isNamedBadly ? 'INVALID_TOPIC_EXCEPTION' : errorNameOf(error)))
  }
}

function describe(broker: Broker, topic: BrokerTopic): TopicResponse {
  const { nodeId } = broker
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions: Array.from({ length: topic.partitions }, (_, partitionIndex) => ({
      errorCode: 0,
      partitionIndex,
      leaderId: nodeId,
      leaderEpoch: broker.log(topic.name, partitionIndex).leaderEpoch,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
    })),
  }
}

function unknown({ name, topicId }: Asked, errorCode: number): TopicResponse {
  return { errorCode, name, topicId: topicId ?? zeroUuid, partitions: [] }
}

/** The registry of topics is the broker's own affair. */
function isVisible(topic: BrokerTopic): boolean {
  return topic.name !== '__cluster_metadata'
}
