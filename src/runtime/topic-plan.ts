import type { TopicDescription, TopicSpec } from '../cluster/cluster.ts'
import { MillraceError } from '../errors.ts'
import { hasChangelog } from '../topology/filled-stores.ts'
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
  /** How many partitions a topic has that is not among these; undefined where there is no such topic. */
  readonly otherPartitions?: number
}

/** The topic's name in the cluster: those of the application itself begin with its id. */
export function topicName(topic: TopicReference, applicationId: string): string {
  return topic.internal ? `${applicationId}-${topic.name}` : topic.name
}

export function changelogTopic(store: string, applicationId: string): string {
  return `${applicationId}-${store}-changelog`
}

/**
 * @throws MillraceError INVALID_TOPOLOGY where no number of partitions follows for a repartition topic, or where topics that
 * are joined have different numbers.
 */
export function planTopics(
  topology: Topology,
  applicationId: string,
  existing: readonly TopicDescription[],
): TopicPlan {
  const partitionCounts = new Map(topology.topics.map((topic) => [topic.name, topic.partitions]))
  for (const topic of existing) partitionCounts.set(topic.name, topic.partitions)

  const topics: TopicSpec[] = topology.topics.map(({ name, config }) => ({
    name,
    config,
    partitions: partitionCounts.get(name) as number,
  }))
  const copartitioned = topology.copartitioned.map((group) =>
    group.map((topic) => ({ name: topicName(topic, applicationId), internal: topic.internal })),
  )
  const fixed = fixedPartitionCounts(topology, applicationId, copartitioned, partitionCounts)
  for (const [name, partitions] of fixed) partitionCounts.set(name, partitions)
  spreadPartitionCounts(topology, applicationId, copartitioned, partitionCounts, fixed)
  for (const name of new Set(repartitionTopics(topology).map((topic) => topicName(topic, applicationId)))) {
    topics.push({ name, partitions: partitionCounts.get(name) as number, config: repartitionConfig })
  }

  for (const topic of reusedTopics(topology)) {
    const config =
      existing.find(({ name }) => name === topic)?.config ?? topics.find(({ name }) => name === topic)?.config
    requireKept(topic, config ?? {})
  }
  const taskCounts = new Map<number, number>()
  for (const subTopology of topology.subTopologies) {
    const tasks = widestSource(subTopology, applicationId, partitionCounts)
    if (tasks === undefined) throw unplanned(subTopology)
    taskCounts.set(subTopology.id, tasks)
    for (const store of subTopology.stores) {
      if (!hasChangelog(subTopology, store)) continue
      topics.push({ name: changelogTopic(store.name, applicationId), partitions: tasks, config: store.changelogConfig })
    }
  }
  for (const group of copartitioned) requireCopartitioned(group, partitionCounts)
  return { topics, taskCounts, partitionCounts }
}

/** Users' topics that stores are restored from. */
function reusedTopics({ subTopologies }: Topology): string[] {
  return subTopologies.flatMap(({ stores }) => stores.flatMap(({ sourceTopic }) => sourceTopic ?? []))
}

/** What a topic has forgotten cannot be restored from it. Compaction keeps the latest record of each key. */
function requireKept(topic: string, config: Readonly<Record<string, string>>): void {
  const deletes = (config['cleanup.policy'] ?? 'delete').split(',').some((policy) => policy.trim() === 'delete')
  const bound = ['retention.ms', 'retention.bytes'].find((name) => Number(config[name] ?? -1) >= 0)
  if (!deletes || bound === undefined) return
  throw new MillraceError('INVALID_TOPOLOGY', `A table is to be restored from its topic, which has '${bound}'`, {
    at: { topic },
    remedy: "Give the topic the setting 'cleanup.policy': 'compact', or build without 'reuse-source-topics'.",
  })
}

/** A topic with its full name. */
interface NamedTopic {
  readonly name: string
  readonly internal: boolean
}

/**
 * The counts that do not follow from what is written to a topic: those of users' topics, those that the user chose for a
 * repartition topic, and those of repartition topics that are joined with a topic whose count is among these.
 */
function fixedPartitionCounts(
  topology: Topology,
  applicationId: string,
  copartitioned: readonly (readonly NamedTopic[])[],
  known: ReadonlyMap<string, number>,
): Map<string, number> {
  const fixed = new Map(known)
  for (const topic of repartitionTopics(topology)) {
    const name = topicName(topic, applicationId)
    // That it exists does not say that it has the partitions that the topology needs.
    if (topic.partitions === undefined) fixed.delete(name)
    else fixed.set(name, topic.partitions)
  }
  // A count that one join fixes may fix that of another join with the same topic.
  for (let changed = true; changed; ) {
    changed = false
    for (const group of copartitioned) {
      const count = fixed.get(group.find(({ name }) => fixed.has(name))?.name ?? '')
      if (count === undefined) continue
      for (const { name, internal } of group) {
        if (!internal || fixed.has(name)) continue
        fixed.set(name, count)
        changed = true
      }
    }
  }
  return fixed
}

function repartitionTopics(topology: Topology): TopicReference[] {
  const nodes = topology.subTopologies.flatMap((subTopology) => subTopology.nodes)
  return nodes.flatMap((node) => (node.kind === 'sink' && node.topic.internal ? [node.topic] : []))
}

/**
 * Any other repartition topic is as wide as the widest source of the sub-topologies that write it; since these may read
 * repartition topics themselves, counts spread until nothing changes.
 */
function spreadPartitionCounts(
  topology: Topology,
  applicationId: string,
  copartitioned: readonly (readonly NamedTopic[])[],
  counts: Map<string, number>,
  fixed: ReadonlyMap<string, number>,
): void {
  for (let changed = true; changed; ) {
    changed = widenJoined(copartitioned, counts, fixed)
    for (const subTopology of topology.subTopologies) {
      const widest = widestSource(subTopology, applicationId, counts)
      for (const node of subTopology.nodes) {
        if (node.kind !== 'sink' || !node.topic.internal) continue
        const name = topicName(node.topic, applicationId)
        if (widest === undefined || fixed.has(name) || (counts.get(name) ?? 0) >= widest) continue
        counts.set(name, widest)
        changed = true
      }
    }
  }
}

/** Repartition topics that are joined with one another are as wide as the widest of them; whether one was widened. */
function widenJoined(
  copartitioned: readonly (readonly NamedTopic[])[],
  counts: Map<string, number>,
  fixed: ReadonlyMap<string, number>,
): boolean {
  let changed = false
  for (const group of copartitioned) {
    const widest = Math.max(...group.map(({ name }) => counts.get(name) ?? 0))
    for (const { name } of group) {
      if (fixed.has(name) || widest === 0 || counts.get(name) === widest) continue
      counts.set(name, widest)
      changed = true
    }
  }
  return changed
}

function requireCopartitioned(group: readonly NamedTopic[], counts: ReadonlyMap<string, number>): void {
  const [first, ...others] = group
  if (first === undefined) return
  const other = others.find(({ name }) => counts.get(name) !== counts.get(first.name))
  if (other === undefined) return
  const sizes = [first, other].map(({ name }) => `'${name}' has ${counts.get(name)}`)
  throw new MillraceError(
    'INVALID_TOPOLOGY',
    `Topics that are joined have different numbers of partitions: ${sizes.join(', ')}`,
    {
      at: { topic: other.name },
      remedy: 'Give both the same number, or send one through repartition({ partitions }) before the join.',
    },
  )
}

function widestSource(
  subTopology: SubTopology,
  applicationId: string,
  counts: ReadonlyMap<string, number>,
): number | undefined {
  let widest: number | undefined
  for (const node of subTopology.nodes) {
    if (node.kind !== 'source') continue
    // Only a test driver has a pattern that nothing matches yet, and each of its topics one partition.
    if (node.pattern !== undefined && node.topics.length === 0) widest ??= 1
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
