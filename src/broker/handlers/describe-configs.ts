import type { Broker } from '../broker.ts'
import { describeLogSettings, logSettings } from '../log/log-settings.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { describeConfigs } from '../protocol/messages/describe-configs.ts'
import { type Handler, handlerOf } from './handler.ts'

type Resource = RequestOf<typeof describeConfigs>['resources'][number]
type Described = ResponseOf<typeof describeConfigs>['results'][number]
type Config = Described['configs'][number]

/** Kinds of resources, and where a value comes from (org.apache.kafka.common.config.ConfigResource, DescribeConfigsResponse.ConfigSource). */
const topicResource = 2
const brokerResource = 4
const ofTopic = 1
const byDefault = 5

/**
 * DescribeConfigs 1-4: the settings that a topic's logs follow, with those of the topic's own that they do not, and of the
 * broker how many partitions and replicas topics have that are made without saying so. Nothing else is told of the broker.
 */
export function handleDescribeConfigs(broker: Broker): Handler {
  return handlerOf(describeConfigs, [1, 4], ({ resources, includeSynonyms }) => ({
    results: resources.map((resource) => describe(broker, resource, includeSynonyms)),
  }))
}

function describe(broker: Broker, resource: Resource, includeSynonyms: boolean): Described {
  const { resourceType, resourceName, configurationKeys } = resource
  const settings = settingsOf(broker, resource)
  if (typeof settings === 'string') {
    return { errorCode: codeOf(settings), errorMessage: null, resourceType, resourceName, configs: [] }
  }
  // No names stand for all of them, and so does an empty list.
  const wanted = new Set(configurationKeys ?? [])
  const configs = settings
    .filter(({ name }) => wanted.size === 0 || wanted.has(name))
    .map((setting) => describeSetting(setting, resourceType === brokerResource, includeSynonyms))
  return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs }
}

interface Setting {
  readonly name: string
  readonly value: string
  readonly source: number
}

function settingsOf(broker: Broker, { resourceType, resourceName }: Resource): readonly Setting[] | KafkaError {
  if (resourceType === topicResource) return topicSettings(broker, resourceName)
  if (resourceType !== brokerResource) return 'INVALID_REQUEST'
  if (resourceName !== String(broker.nodeId)) return 'INVALID_REQUEST'
  return [
    { name: 'num.partitions', value: String(broker.settings.defaultPartitions), source: byDefault },
    { name: 'default.replication.factor', value: '1', source: byDefault },
  ]
}

function topicSettings(broker: Broker, name: string): readonly Setting[] | KafkaError {
  const topic = broker.topics.get(name)
  if (topic === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const effective = describeLogSettings(logSettings(broker.settings, topic.config, name))
  const others = Object.keys(topic.config).filter((each) => !effective.has(each))
  return [
    ...[...effective].map(([each, value]) => {
      const own = topic.config[each]
      return { name: each, value: own ?? value, source: own === undefined ? byDefault : ofTopic }
    }),
    ...others.map((each) => ({ name: each, value: topic.config[each] as string, source: ofTopic })),
  ]
}

function describeSetting({ name, value, source }: Setting, readOnly: boolean, includeSynonyms: boolean): Config {
  const synonyms = includeSynonyms && source === ofTopic ? [{ name, value, source }] : []
  return { name, value, readOnly, configSource: source, isSensitive: false, synonyms, documentation: null }
}
