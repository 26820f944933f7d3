import { MillraceError, messageOf } from '../../errors.ts'
import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { createTopics } from '../protocol/messages/create-topics.ts'
import type { TopicDefinition } from '../topics.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Asked = RequestOf<typeof createTopics>['topics'][number]
type Made = ResponseOf<typeof createTopics>['topics'][number]

/** Where a setting comes from: the topic's own (org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource). */
const ofTopic = 1

/** CreateTopics 2-7: every topic for itself. There is one broker: a replication factor above 1, and any assignment but to it, is refused. */
export function handleCreateTopics(broker: Broker): Handler {
  return handlerOf(createTopics, [2, 7], async ({ topics, validateOnly }) => {
    const made: Made[] = []
    for (const asked of topics) {
      const isTwice = topics.filter(({ name }) => name === asked.name).length > 1
      made.push(
        isTwice
          ? refused(asked, 'INVALID_REQUEST', 'The topic is named twice.')
          : await create(broker, asked, validateOnly),
      )
    }
    return { topics: made }
  })
}

async function create(broker: Broker, asked: Asked, validateOnly: boolean): Promise<Made> {
  const { name, replicationFactor, assignments } = asked
  const replicas = assignments.flatMap(({ brokerIds }) => brokerIds)
  if (replicationFactor > 1 || assignments.some(({ brokerIds }) => brokerIds.length !== 1)) {
    return refused(asked, 'INVALID_REPLICATION_FACTOR', 'There is one broker.')
  }
  if (replicas.some((id) => id !== broker.nodeId))
    return refused(asked, 'INVALID_REPLICA_ASSIGNMENT', 'There is one broker.')
  if (broker.topics.get(name) !== undefined)
    return refused(asked, 'TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
  try {
    const definition = definitionOf(broker, asked)
    broker.requireDefinition(definition)
    if (!validateOnly) await broker.createTopics([definition])
    const topicId = broker.topics.get(name)?.id
    const shape = { numPartitions: definition.partitions, replicationFactor: 1, configs: ownSettings(definition) }
    return { name, errorCode: 0, errorMessage: null, ...(topicId !== undefined && { topicId }), ...shape }
  } catch (error) {
    const isInvalid = error instanceof MillraceError && error.code === 'INVALID_ARGUMENT'
    return refused(asked, isInvalid ? invalidPart(asked, error) : errorNameOf(error), messageOf(error))
  }
}

function definitionOf(broker: Broker, { name, numPartitions, assignments, configs }: Asked): TopicDefinition {
  const stated = assignments.length > 0 ? assignments.length : numPartitions
  return {
    name,
    partitions: stated === -1 ? broker.settings.defaultPartitions : stated,
    config: Object.fromEntries(
      configs.filter(({ value }) => value !== null).map((each) => [each.name, each.value as string]),
    ),
  }
}

function ownSettings({ config = {} }: TopicDefinition): NonNullable<Made['configs']> {
  return Object.entries(config).map(([name, value]) => {
    return { name, value, readOnly: false, configSource: ofTopic, isSensitive: false }
  })
}

/** Which of Kafka's errors says what of the topic is not allowed. */
function invalidPart({ name, numPartitions }: Asked, error: MillraceError): KafkaError {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') return 'INVALID_TOPIC_EXCEPTION'
  if (numPartitions === 0 || numPartitions < -1 || error.message.includes('number of partitions'))
    return 'INVALID_PARTITIONS'
  return 'INVALID_CONFIG'
}

function refused({ name }: Asked, error: KafkaError, errorMessage: string): Made {
  return { name, errorCode: codeOf(error), errorMessage, configs: [] }
}
