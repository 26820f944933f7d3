import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { describeConfigs } from '../protocol/messages/describe-configs.ts'
import { brokerResource, topicResource } from './config-resource.ts'
import {
  type DescribedConfig,
  describeBrokerConfig,
  describeClusterConfig,
  describeTopicConfig,
} from './described-config.ts'
import { type Handler, handlerOf } from './handler.ts'
import { topicNameProblem } from './topic-name-problem.ts'

type Resource = RequestOf<typeof describeConfigs>['resources'][number]
type Described = ResponseOf<typeof describeConfigs>['results'][number]

/**
 * DescribeConfigs 1-4: settings of topics and of the broker, with where their values come from. Of the broker those that it has,
 * which are fewer than Kafka's. No documentation; of loggers, groups and client metrics there is nothing to tell.
 */
export function handleDescribeConfigs(broker: Broker): Handler {
  return handlerOf(describeConfigs, [1, 4], ({ resources, includeSynonyms }) => ({
    results: resources.map((resource) => describe(broker, resource, includeSynonyms)),
  }))
}

function describe(broker: Broker, resource: Resource, includeSynonyms: boolean): Described {
  const { resourceType, resourceName, configurationKeys } = resource
  const found = settingsOf(broker, resource)
  if ('error' in found) {
    const { error, message } = found
    return { errorCode: codeOf(error), errorMessage: message, resourceType, resourceName, configs: [] }
  }
  // No names stand for all of them, and so does an empty list.
  const wanted = new Set(configurationKeys ?? [])
  const configs = found.settings
    .filter(({ name }) => wanted.size === 0 || wanted.has(name))
    .map((setting) => (includeSynonyms ? setting : { ...setting, synonyms: [] }))
  return { errorCode: 0, errorMessage: '', resourceType, resourceName, configs }
}

type Found =
  | { readonly settings: readonly DescribedConfig[] }
  | { readonly error: KafkaError; readonly message: string }

function settingsOf(broker: Broker, { resourceType, resourceName }: Resource): Found {
  if (resourceType === topicResource) return topicSettings(broker, resourceName)
  if (resourceType !== brokerResource) {
    return { error: 'INVALID_REQUEST', message: `Unsupported resource type: ${resourceType}` }
  }
  if (resourceName === '') return { settings: describeClusterConfig(broker) }
  if (!/^[+-]?\d+$/.test(resourceName)) {
    return { error: 'INVALID_REQUEST', message: `Broker id must be an integer, but it is: ${resourceName}` }
  }
  if (Number(resourceName) === broker.nodeId) return { settings: describeBrokerConfig(broker) }
  const message = `Unexpected broker id, expected ${broker.nodeId} or empty string, but received ${resourceName}`
  return { error: 'INVALID_REQUEST', message }
}

function topicSettings(broker: Broker, name: string): Found {
  const problem = topicNameProblem(name)
  if (problem !== undefined) return { error: 'INVALID_TOPIC_EXCEPTION', message: problem }
  const topic = broker.topics.get(name)
  if (topic === undefined) return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: '' }
  return { settings: describeTopicConfig(broker, topic.config) }
}
