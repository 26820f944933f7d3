import type { Admin, ITopicMetadata, PartitionMetadata } from 'kafkajs'

/** What `--describe` prints of topics, as kafka-topics.sh does. */
export interface TopicFilters {
  readonly topicsWithOverrides?: true
  readonly underReplicatedPartitions?: true
  readonly unavailablePartitions?: true
  readonly underMinIsrPartitions?: true
  readonly atMinIsrPartitions?: true
}

/** Kafka's number for what is set for the topic itself. */
const dynamicTopicConfig = 1

type IsShown = (partition: PartitionMetadata, minIsr: number) => boolean

const partitionFilters: readonly (readonly [keyof TopicFilters, IsShown])[] = [
  ['underReplicatedPartitions', ({ isr, replicas }) => isr.length < replicas.length],
  ['unavailablePartitions', ({ leader }) => leader < 0],
  ['underMinIsrPartitions', ({ isr }, minIsr) => isr.length < minIsr],
  ['atMinIsrPartitions', ({ isr }, minIsr) => isr.length === minIsr],
]

/** Filters of partitions leave out the lines of topics, that of topics the lines of partitions; without any, all are there. */
export async function describeTopics(admin: Admin, names: readonly string[], filters: TopicFilters): Promise<string> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
  const configs = await configsOf(admin, names)
  const asked = partitionFilters.filter(([name]) => filters[name] === true).map(([, isShown]) => isShown)
  const lines: string[] = []
  for (const topic of topics.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { set = '', minIsr = 1 } = configs.get(topic.name) ?? {}
    if (asked.length === 0 && (filters.topicsWithOverrides !== true || set !== '')) lines.push(topicLine(topic, set))
    if (filters.topicsWithOverrides === true) continue
    for (const partition of topic.partitions.toSorted((a, b) => a.partitionId - b.partitionId)) {
      if (asked.length === 0 || asked.some((isShown) => isShown(partition, minIsr)))
        lines.push(partitionLine(topic.name, partition))
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

function topicLine({ name, partitions }: ITopicMetadata, configs: string): string {
  const replicas = partitions[0]?.replicas.length ?? 0
  const summary = [`Topic: ${name}`, `PartitionCount: ${partitions.length}`, `ReplicationFactor: ${replicas}`]
  return [...summary, `Configs: ${configs}`].join('\t')
}

function partitionLine(topic: string, { partitionId, leader, replicas, isr }: PartitionMetadata): string {
  const row = [`Topic: ${topic}`, `Partition: ${partitionId}`, `Leader: ${leader < 0 ? 'none' : leader}`]
  return `\t${[...row, `Replicas: ${replicas.join()}`, `Isr: ${isr.join()}`].join('\t')}`
}

interface Configs {
  /** What is set for the topic itself, as `name=value,name=value`. */
  readonly set: string
  readonly minIsr: number
}

async function configsOf(admin: Admin, topics: readonly string[]): Promise<Map<string, Configs>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: 2, name })),
  })
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      {
        set: configEntries
          .filter((entry) => entry.configSource === dynamicTopicConfig)
          .map(({ configName, configValue }) => `${configName}=${configValue}`)
          .sort()
          .join(),
        minIsr: Number(configEntries.find(({ configName }) => configName === 'min.insync.replicas')?.configValue ?? 1),
      },
    ]),
  )
}
