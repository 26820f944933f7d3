import type { TopicDescription, TopicSpec } from '../cluster/cluster.ts'
import { MillraceError } from '../errors.ts'
import type { SubTopology, TopicReference, Topology } from '../topology/topology.ts'

/** What Kafka Streams sets on repartition topics: kept until the application deletes what it has read. */
const repartitionConfig = { 'cleanup.policy': 'delete', 'segment.bytes': '52428800', 'retention.ms': '-1' }

/** The topics an application needs and how many tasks each sub-topology has. */
export interface TopicPlan {
  /** To be created where they do not exist. */
  readonly topics: readonly TopicSpec[]
  /** By sub-topology id: one task for each partition of the widest source topic. */
  readonly taskCounts: ReadonlyMap<number, number>
  /** By full topic name. */
  readonly partitionCounts: ReadonlyMap<string, number>
}

/** The topic's name in the cluster: those of the application itself begin with its id. */
export function topicName(topic: TopicReference, applicationId: string): string {
  return topic.internal ? `${applicationId}-${topic.name}` : topic.name
}

export function changelogTopic(store: string, applicationId: string): string {
  return `${applicationId}-${store}-changelog`
}

/** @throws MillraceError INVALID_TOPOLOGY where no number of partitions follows for a repartition topic. */
export function planTopics(
  topology: Topology,
  applicationId: string,
  existing: readonly TopicDescription[],
): TopicPlan {
  const partitionCounts = new Map(topology.topics.map((topic) => [topic.name, topic.partitions]))
  for (const topic of existing) partitionCounts.set(topic.name, topic.partitions)

  const topics: TopicSpec[] = topology.topics.map(({ name }) => ({
    name,
    partitions: partitionCounts.get(name) as number,
  }))
  for (const name of spreadPartitionCounts(topology, applicationId, partitionCounts)) {
    topics.push({ name, partitions: partitionCounts.get(name) as number, config: repartitionConfig })
  }

  const taskCounts = new Map<number, number>()
  for (const subTopology of topology.subTopologies) {
    const tasks = widestSource(subTopology, applicationId, partitionCounts)
    if (tasks === undefined) throw unplanned(subTopology)
    taskCounts.set(subTopology.id, tasks)
    for (const store of subTopology.stores) {
      if (!store.logged) continue
      topics.push({ name: changelogTopic(store.name, applicationId), partitions: tasks, config: store.changelogConfig })
    }
  }
  return { topics, taskCounts, partitionCounts }
}

/**
 * A repartition topic is as wide as the widest source of the sub-topologies that write it; since these may read
 * repartition topics themselves, counts spread until nothing changes. Returns the repartition topics' names.
 */
function spreadPartitionCounts(topology: Topology, applicationId: string, counts: Map<string, number>): Set<string> {
  const repartitionTopics = new Set<string>()
  for (let changed = true; changed; ) {
    changed = false
    for (const subTopology of topology.subTopologies) {
      const widest = widestSource(subTopology, applicationId, counts)
      for (const node of subTopology.nodes) {
        if (node.kind !== 'sink' || !node.topic.internal) continue
        const name = topicName(node.topic, applicationId)
        repartitionTopics.add(name)
        if (widest === undefined || (counts.get(name) ?? 0) >= widest) continue
        counts.set(name, widest)
        changed = true
      }
    }
  }
  return repartitionTopics
}

function widestSource(
  subTopology: SubTopology,
  applicationId: string,
  counts: ReadonlyMap<string, number>,
): number | undefined {
  let widest: number | undefined
  for (const node of subTopology.nodes) {
    if (node.kind !== 'source') continue
    for (const topic of node.topics) {
      const partitions = counts.get(topicName(topic, applicationId))
      if (partitions !== undefined && partitions > (widest ?? 0)) widest = partitions
    }
  }
  return widest
}

function unplanned(subTopology: SubTopology): MillraceError {
  return new MillraceError(
    'INVALID_TOPOLOGY',
    `Sub-topology ${subTopology.id} reads no topic whose number of partitions is known`,
    {
      remedy: 'A repartition topic must be written by a part of the topology that reads an existing topic.',
    },
  )
}
