import { MillraceError, messageOf } from '../../errors.ts'
import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { createPartitions } from '../protocol/messages/create-partitions.ts'
import { ownTopics } from '../topics.ts'
import { assignmentError } from './assignment-error.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Asked = RequestOf<typeof createPartitions>['topics'][number]
type Grown = ResponseOf<typeof createPartitions>['results'][number]

/**
 * CreatePartitions 0-3: every topic for itself. New partitions are empty and stay on this broker; the keys of records are not
 * moved. The broker's own topics do not grow, which they would in Kafka, and be looked through in vain.
 */
export function handleCreatePartitions(broker: Broker): Handler {
  return handlerOf(createPartitions, [0, 3], async ({ topics, validateOnly }) => {
    const results: Grown[] = []
    for (const asked of topics) {
      // Who asks for one twice is refused once.
      if (results.some(({ name }) => name === asked.name)) continue
      const isTwice = topics.filter(({ name }) => name === asked.name).length > 1
      const refusal: Refusal | undefined = isTwice
        ? ['INVALID_REQUEST', 'Duplicate topic name.']
        : refusalOf(broker, asked)
      results.push(refusal === undefined ? await grow(broker, asked, validateOnly) : refused(asked, refusal))
    }
    return { results }
  })
}

type Refusal = readonly [error: KafkaError, message: string | null]

function refusalOf(broker: Broker, { name, count, assignments }: Asked): Refusal | undefined {
  const topic = broker.topics.get(name)
  if (topic === undefined) return ['UNKNOWN_TOPIC_OR_PARTITION', null]
  if (ownTopics.has(name)) return ['INVALID_REQUEST', `The topic ${name} is the broker's own.`]
  const { partitions } = topic
  if (count === partitions) return ['INVALID_PARTITIONS', `Topic already has ${partitions} partition(s).`]
  if (count < partitions) {
    const what = `The topic ${name} currently has ${partitions} partition(s); ${count} would not be an increase.`
    return ['INVALID_PARTITIONS', what]
  }
  if (assignments === null) return undefined
  const added = count - partitions
  if (assignments.length !== added) {
    const what = `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
    return ['INVALID_REPLICA_ASSIGNMENT', what]
  }
  const error = assignments.map(({ brokerIds }) => assignmentError(broker, brokerIds)).find((one) => one !== undefined)
  return error === undefined ? undefined : ['INVALID_REPLICA_ASSIGNMENT', error]
}

async function grow(broker: Broker, { name, count }: Asked, validateOnly: boolean): Promise<Grown> {
  try {
    if (!validateOnly) await broker.topicChanges.grow(name, count)
    return { name, errorCode: 0, errorMessage: null }
  } catch (error) {
    const isTooMany = error instanceof MillraceError && error.code === 'INVALID_ARGUMENT'
    return refused({ name }, [isTooMany ? 'INVALID_PARTITIONS' : errorNameOf(error), messageOf(error)])
  }
}

function refused({ name }: Pick<Asked, 'name'>, [error, errorMessage]: Refusal): Grown {
  return { name, errorCode: codeOf(error), errorMessage }
}
