import type { Admin, ITopicMetadata, PartitionMetadata } from 'kafkajs'
import { zeroUuid } from '../../broker/protocol/field.ts'
import { metadata } from '../../broker/protocol/messages/metadata.ts'
import { MillraceError } from '../../errors.ts'
import type { WireCluster } from './wire-cluster.ts'

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
export async function describeTopics(
  admin: Admin,
  wire: WireCluster,
  names: readonly string[],
  filters: TopicFilters,
): Promise<string> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
  const configs = await configsOf(admin, names)
  const ids = await idsOf(wire, names)
  const asked = partitionFilters.filter(([name]) => filters[name] === true).map(([, isShown]) => isShown)
  const lines: string[] = []
  for (const topic of topics.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { set = '', minIsr = 1 } = configs.get(topic.name) ?? {}
    if (asked.length === 0 && (filters.topicsWithOverrides !== true || set !== ''))
      lines.push(topicLine(topic, ids.get(topic.name), set))
    if (filters.topicsWithOverrides === true) continue
    for (const partition of topic.partitions.toSorted((a, b) => a.partitionId - b.partitionId)) {
      if (asked.length === 0 || asked.some((isShown) => isShown(partition, minIsr)))
        lines.push(partitionLine(topic.name, partition))
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

function topicLine({ name, partitions }: ITopicMetadata, id: string | undefined, configs: string): string {
  const replicas = partitions[0]?.replicas.length ?? 0
  const summary = [
    `Topic: ${name}`,
    ...(id === undefined ? [] : [`TopicId: ${id}`]),
    `PartitionCount: ${partitions.length}`,
    `ReplicationFactor: ${replicas}`,
  ]
  return [...summary, `Configs: ${configs}`].join('\t')
}

function partitionLine(topic: string, { partitionId, leader, replicas, isr }: PartitionMetadata): string {
  const row = [`Topic: ${topic}`, `Partition: ${partitionId}`, `Leader: ${leader < 0 ? 'none' : leader}`]
  return `\t${[...row, `Replicas: ${replicas.join()}`, `Isr: ${isr.join()}`].join('\t')}`
}

/** Clusters before Kafka 2.8 have none. */
async function idsOf(wire: WireCluster, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  try {
    const topics = names.map((name) => ({ topicId: zeroUuid, name }))
    const answer = await wire.ask(metadata, 10, { topics, allowAutoTopicCreation: false })
    return new Map(answer.topics.map(({ name, topicId }) => [name ?? '', topicId]))
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'UNSUPPORTED_VERSION') return new Map()
    throw error
  }
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
