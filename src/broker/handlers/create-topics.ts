import { MillraceError, messageOf } from '../../errors.ts'
import type { Broker } from '../broker.ts'
import { topicConfigProblem } from '../config/topic-settings.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { createTopics } from '../protocol/messages/create-topics.ts'
import { ownTopics, type TopicDefinition } from '../topics.ts'
import { assignmentError } from './assignment-error.ts'
import { describeTopicConfig } from './described-config.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'
import { topicNameProblem } from './topic-name-problem.ts'

type Asked = RequestOf<typeof createTopics>['topics'][number]
type Made = ResponseOf<typeof createTopics>['topics'][number]
type Refusal = readonly [error: KafkaError, message: string]

/**
 * CreateTopics 2-7: every topic for itself. There is one broker: a replication factor above 1, and any assignment but to it, is
 * refused. So are the broker's own topics, which it makes itself.
 */
export function handleCreateTopics(broker: Broker): Handler {
  return handlerOf(createTopics, [2, 7], async ({ topics, validateOnly }) => {
    const made: Made[] = []
    for (const asked of topics) {
      // Who asks for one twice is refused once.
      if (made.some(({ name }) => name === asked.name)) continue
      const isTwice = topics.filter(({ name }) => name === asked.name).length > 1
      const refusal: Refusal | undefined = isTwice
        ? ['INVALID_REQUEST', 'Duplicate topic name.']
        : (nameRefusal(broker, asked) ?? configRefusal(broker, asked) ?? shapeRefusal(broker, asked))
      made.push(refusal === undefined ? await create(broker, asked, validateOnly) : refused(asked, refusal))
    }
    return { topics: made }
  })
}

async function create(broker: Broker, asked: Asked, validateOnly: boolean): Promise<Made> {
  const { name } = asked
  const definition = definitionOf(broker, asked)
  try {
    broker.requireDefinition(definition)
    if (!validateOnly) await broker.createTopics([definition])
    const topicId = broker.topics.get(name)?.id
    const configs = describeTopicConfig(broker, definition.config ?? {})
    const shape = { numPartitions: definition.partitions, replicationFactor: 1, configs }
    return { name, errorCode: 0, errorMessage: null, ...(topicId !== undefined && { topicId }), ...shape }
  } catch (error) {
    const isTooMany = error instanceof MillraceError && error.code === 'INVALID_ARGUMENT'
    return refused(asked, [isTooMany ? 'INVALID_PARTITIONS' : errorNameOf(error), messageOf(error)])
  }
}

function nameRefusal(broker: Broker, { name }: Asked): Refusal | undefined {
  const problem = topicNameProblem(name)
  if (problem !== undefined) return ['INVALID_TOPIC_EXCEPTION', problem]
  if (broker.topics.get(name) !== undefined) return ['TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`]
  if (ownTopics.has(name)) return ['INVALID_REQUEST', `Creation of internal topic ${name} is prohibited.`]
  const colliding = broker.topics.colliding(name)
  if (colliding === undefined) return undefined
  return ['INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${colliding}`]
}

function configRefusal(broker: Broker, { configs }: Asked): Refusal | undefined {
  const unset = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (unset.length > 0) return ['INVALID_CONFIG', `Null value not supported for topic configs: ${unset.join(',')}`]
  const problem = topicConfigProblem(broker.settings, textsOf(configs))
  return problem === undefined ? undefined : ['INVALID_CONFIG', problem]
}

function shapeRefusal(broker: Broker, { assignments, numPartitions, replicationFactor }: Asked): Refusal | undefined {
  if (assignments.length > 0) return assignmentRefusal(broker, { assignments, numPartitions, replicationFactor })
  if (replicationFactor < -1 || replicationFactor === 0) {
    const what = 'Replication factor must be larger than 0, or -1 to use the default value.'
    return ['INVALID_REPLICATION_FACTOR', what]
  }
  if (numPartitions < -1 || numPartitions === 0) {
    return ['INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.']
  }
  if (replicationFactor <= 1) return undefined
  const why = `The target replication factor of ${replicationFactor} cannot be reached because only 1 broker(s) are registered.`
  return ['INVALID_REPLICATION_FACTOR', `Unable to replicate the partition ${replicationFactor} time(s): ${why}`]
}

function assignmentRefusal(
  broker: Broker,
  { assignments, numPartitions, replicationFactor }: Pick<Asked, 'assignments' | 'numPartitions' | 'replicationFactor'>,
): Refusal | undefined {
  const stated = 'A manual partition assignment was specified, but'
  if (replicationFactor !== -1) return ['INVALID_REQUEST', `${stated} replication factor was not set to -1.`]
  if (numPartitions !== -1) return ['INVALID_REQUEST', `${stated} numPartitions was not set to -1.`]
  const indexes = new Set<number>()
  for (const { partitionIndex, brokerIds } of assignments) {
    if (indexes.has(partitionIndex)) {
      const what = `Found multiple manual partition assignments for partition ${partitionIndex}`
      return ['INVALID_REPLICA_ASSIGNMENT', what]
    }
    indexes.add(partitionIndex)
    const problem = assignmentError(broker, brokerIds)
    if (problem !== undefined) return ['INVALID_REPLICA_ASSIGNMENT', problem]
  }
  if (assignments.every((_, index) => indexes.has(index))) return undefined
  return ['INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence']
}

function definitionOf(broker: Broker, { name, numPartitions, assignments, configs }: Asked): TopicDefinition {
  const stated = assignments.length > 0 ? assignments.length : numPartitions
  const partitions = stated === -1 ? broker.settings.defaultPartitions : stated
  return { name, partitions, config: textsOf(configs) }
}

function textsOf(configs: Asked['configs']): Record<string, string> {
  return Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']))
}

function refused({ name }: Asked, [error, errorMessage]: Refusal): Made {
  return { name, errorCode: codeOf(error), errorMessage, configs: [] }
}
