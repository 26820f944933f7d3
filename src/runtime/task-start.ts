import type { CommittedOffset, OffsetRange, TopicPartition } from '../cluster/cluster.ts'
import type { DropReason, StreamTime } from '../topology/processor.ts'
import type { SourceNode, SubTopology } from '../topology/topology.ts'
import { type CommitMetadata, decodeCommitMetadata, emptyCommit } from './commit-metadata.ts'
import { ProcessorGraph } from './processor-graph.ts'
import type { RecordCollector } from './record-collector.ts'
import type { RunConfig } from './run-options.ts'
import { Sink } from './sink.ts'
import { type DropCounts, Task } from './task.ts'
import { TaskInput } from './task-input.ts'
import { TaskStores } from './task-stores.ts'
import { type TopicPlan, topicName } from './topic-plan.ts'

interface PlannedInput {
  readonly source: SourceNode
  readonly partition: TopicPartition
}

/** Makes the task of one partition of a sub-topology, where the last run left it: offsets, stream times, drop counts and stores. */
export async function startTask(
  subTopology: SubTopology,
  partition: number,
  plan: TopicPlan,
  config: RunConfig,
  collector: RecordCollector,
): Promise<Task> {
  const id = `${subTopology.id}_${partition}`
  const planned = plannedInputs(subTopology, partition, plan, config.applicationId)
  const partitions = planned.map((input) => input.partition)
  const offsets = await config.cluster.committedOffsets(config.applicationId, partitions)
  const metadata = metadataOf(offsets)
  const stores = await new TaskStores(id, partition, config, collector).open(subTopology.stores, {
    inputs: partitions,
    offsets,
    metadata,
  })

  const drops: DropCounts = new Map()
  for (const [operator, counts] of Object.entries(metadata.drops)) {
    drops.set(operator, new Map(Object.entries(counts) as [DropReason, number][]))
  }
  const streamTimes = new Map<string, StreamTime>()
  for (const [name, observed] of Object.entries(metadata.streamTimes)) streamTimes.set(name, { observed })
  const countDrop = (operator: string, reason: DropReason, count: number) => addDrop(drops, operator, reason, count)

  const graph = new ProcessorGraph(
    subTopology,
    { taskId: id, stores: new Map(stores.map(({ store }) => [store.name, store])), streamTimes, countDrop },
    (node) => {
      const topic = topicName(node.topic, config.applicationId)
      const partitions = plan.partitionCounts.get(topic) ?? 1
      return new Sink({ name: node.name, topic, partitions, key: node.key, value: node.value, collector })
    },
  )
  const ranges = await config.cluster.offsets(partitions)
  const inputs = planned.map(
    ({ source, partition: from }, index) =>
      new TaskInput({
        partition: from,
        position: startPosition(offsets[index], ranges[index]),
        highWatermark: ranges[index].end,
        source,
        output: graph.outputOf(source),
        badRecords: config.badRecords,
        drop: (reason) => countDrop(source.name, reason, 1),
      }),
  )
  return new Task({ id, inputs, graph, stores, streamTimes, drops })
}

function plannedInputs(
  subTopology: SubTopology,
  partition: number,
  plan: TopicPlan,
  applicationId: string,
): PlannedInput[] {
  const inputs: PlannedInput[] = []
  for (const source of subTopology.nodes) {
    if (source.kind !== 'source') continue
    for (const reference of source.topics) {
      const topic = topicName(reference, applicationId)
      if (partition < (plan.partitionCounts.get(topic) ?? 0)) inputs.push({ source, partition: { topic, partition } })
    }
  }
  return inputs
}

/** A new group starts at the beginning, as Kafka Streams does; what retention removed in the meantime cannot be read any more. */
function startPosition(committed: CommittedOffset | undefined, range: OffsetRange): number {
  return Math.max(committed?.offset ?? range.start, range.start)
}

function metadataOf(committed: readonly (CommittedOffset | undefined)[]): CommitMetadata {
  const text = committed.find((offset) => offset !== undefined && offset.metadata !== '')?.metadata
  return text === undefined ? emptyCommit : decodeCommitMetadata(text)
}

function addDrop(drops: DropCounts, operator: string, reason: DropReason, count: number): void {
  let counts = drops.get(operator)
  if (counts === undefined) {
    counts = new Map()
    drops.set(operator, counts)
  }
  counts.set(reason, (counts.get(reason) ?? 0) + count)
}
