import { messageOf } from '../../errors.ts'
import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { zeroUuid } from '../protocol/field.ts'
import { deleteTopics } from '../protocol/messages/delete-topics.ts'
import { ownTopics } from '../topics.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Asked = RequestOf<typeof deleteTopics>['topics'][number]
type Deleted = ResponseOf<typeof deleteTopics>['responses'][number]

/** From this version on clients know the error that says that no topic may be deleted. */
const firstVersionWithDisabled = 3

/**
 * DeleteTopics 1-6: every topic for itself, by its name or (6) its id. Refused as a whole where `delete.topic.enable` is false.
 * The broker's own topics stay, which Kafka would delete. An answer comes when the deletion is durable, whatever the timeout.
 */
export function handleDeleteTopics(broker: Broker): Handler {
  return handlerOf(deleteTopics, [1, 6], async ({ topics, topicNames }, { apiVersion }) => {
    const asked = [...topicNames.map((name) => ({ name, topicId: zeroUuid })), ...topics]
    if (!broker.settings.deleteTopics) {
      const error = apiVersion < firstVersionWithDisabled ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED'
      return { responses: asked.map((one) => refused(one, error, 'Topic deletion is disabled.')) }
    }
    const responses: Deleted[] = []
    // What was asked for is looked at before anything is deleted: an id may stand for a topic that is named, too.
    const errors = asked.map((one) => errorOf(broker, one, asked))
    const names = asked.map((one) => nameOf(broker, one))
    for (const [i, one] of asked.entries()) {
      const error = errors[i]
      responses.push(error === undefined ? await deleteTopic(broker, names[i] as string) : refused(one, ...error))
    }
    return { responses }
  })
}

function errorOf(
  broker: Broker,
  one: Asked,
  asked: readonly Asked[],
): readonly [error: KafkaError, message: string] | undefined {
  const { name, topicId } = one
  const isById = topicId !== zeroUuid
  if (name === null && !isById) return ['INVALID_REQUEST', 'Neither topic name nor id were specified.']
  if (name !== null && isById) return ['INVALID_REQUEST', 'You may not specify both topic name and topic id.']
  const isTwice = asked.filter((other) => other.name === name && other.topicId === topicId).length > 1
  if (isTwice) return ['INVALID_REQUEST', isById ? 'Duplicate topic id.' : 'Duplicate topic name.']
  const found = nameOf(broker, one)
  if (found === undefined) {
    return isById
      ? ['UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.']
      : ['UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.']
  }
  if (asked.some((other) => other !== one && other.topicId !== topicId && nameOf(broker, other) === found)) {
    return ['INVALID_REQUEST', 'The provided topic name maps to an ID that was already supplied.']
  }
  return ownTopics.has(found) ? ['INVALID_REQUEST', `The topic ${found} is the broker's own.`] : undefined
}

function nameOf(broker: Broker, { name, topicId }: Asked): string | undefined {
  if (topicId !== zeroUuid) return name === null ? broker.topics.withId(topicId)?.name : undefined
  return name === null ? undefined : broker.topics.get(name)?.name
}

async function deleteTopic(broker: Broker, name: string): Promise<Deleted> {
  const topicId = broker.topics.get(name)?.id ?? zeroUuid
  try {
    await broker.topicChanges.delete(name)
    return { name, topicId, errorCode: 0, errorMessage: null }
  } catch (error) {
    return refused({ name, topicId }, errorNameOf(error), messageOf(error))
  }
}

function refused({ name, topicId }: Asked, error: KafkaError, errorMessage: string): Deleted {
  return { name, topicId, errorCode: codeOf(error), errorMessage }
}
