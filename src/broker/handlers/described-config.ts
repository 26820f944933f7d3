import type { Broker } from '../broker.ts'
import { type ConfigSynonym, configSources } from '../config/broker-config.ts'
import { brokerSettingNamed, brokerSettingsByName } from '../config/broker-setting-names.ts'
import { configTypeIds } from '../config/config-kind.ts'
import { effectiveText, topicSettings } from '../config/topic-settings.ts'

/** A setting as it is told to clients. */
export interface DescribedConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
  readonly configType: number
  readonly documentation: null
}

/** All settings of a topic that has these of its own. (Kafka: ConfigHelper.createTopicConfigEntry.) */
export function describeTopicConfig(broker: Broker, own: Readonly<Record<string, string>>): DescribedConfig[] {
  return Object.entries(topicSettings).map(([name, { kind, ofBroker }]) => {
    const value = own[name] ?? effectiveText(name, broker.settings)
    const inherited = ofBroker === undefined ? [] : broker.config.synonyms(ofBroker)
    const synonyms = own[name] === undefined ? inherited : [{ name, value, source: configSources.topic }, ...inherited]
    return described(name, { value, synonyms, readOnly: false, configType: configTypeIds[kind.type] })
  })
}

/** All settings of this broker. */
export function describeBrokerConfig(broker: Broker): DescribedConfig[] {
  return Object.entries(brokerSettingsByName).map(([name, { isDynamic, kind }]) => {
    const synonyms = broker.config.synonyms(name)
    const configType = configTypeIds[kind.type]
    return described(name, { value: synonyms[0]?.value ?? null, synonyms, readOnly: isDynamic !== true, configType })
  })
}

/** What is set for all brokers of the cluster. */
export function describeClusterConfig(broker: Broker): DescribedConfig[] {
  return Object.entries(broker.topics.brokerConfig('')).map(([name, value]) => {
    const setting = brokerSettingNamed(name)
    const configType = setting === undefined ? 0 : configTypeIds[setting.kind.type]
    const synonyms = [{ name, value, source: configSources.cluster }]
    return described(name, { value, synonyms, readOnly: setting?.isDynamic !== true, configType })
  })
}

function described(
  name: string,
  more: Pick<DescribedConfig, 'value' | 'synonyms' | 'readOnly' | 'configType'>,
): DescribedConfig {
  const configSource = more.synonyms[0]?.source ?? configSources.default
  return { name, ...more, configSource, isSensitive: false, documentation: null }
}
