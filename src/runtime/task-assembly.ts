import type { CommittedOffset, OffsetRange, TopicPartition } from '../cluster/cluster.ts'
import type { Clock } from '../env/environment.ts'
import type { StateStore } from '../state/state-store.ts'
import type { DropReason, StreamTime } from '../topology/processor.ts'
import type { SourceNode, SubTopology } from '../topology/topology.ts'
import type { BatchOutput } from './batch-output.ts'
import type { CacheBound } from './cache-bound.ts'
import { ChosenTopic } from './chosen-topic.ts'
import { type CommitMetadata, decodeCommitMetadata, emptyCommit } from './commit-metadata.ts'
import { ProcessorGraph } from './processor-graph.ts'
import { Sink } from './sink.ts'
import { type DropCounts, Task, type TaskStore } from './task.ts'
import { type BadRecordPolicy, TaskInput } from './task-input.ts'
import { TaskOutput } from './task-output.ts'
import { TaskServices } from './task-services.ts'
import { type TopicPlan, topicName } from './topic-plan.ts'

export interface PlannedInput {
  readonly source: SourceNode
  readonly partition: TopicPartition
}

/** What a task is made of: its part of the topology, what the last commit says of it, and its stores brought to that commit. */
export interface TaskParts {
  readonly id: string
  readonly subTopology: SubTopology
  readonly applicationId: string
  readonly plan: TopicPlan
  readonly badRecords: BadRecordPolicy
  readonly inputs: readonly PlannedInput[]
  /** For each input where to begin, and what there is to read. */
  readonly positions: readonly number[]
  readonly ranges: readonly OffsetRange[]
  readonly metadata: CommitMetadata
  readonly stores: readonly TaskStore[]
  readonly globalStores: ReadonlyMap<string, StateStore>
  readonly batchOutput: BatchOutput
  readonly clock: Clock
  readonly cacheBound: CacheBound
}

/** Puts a task together where the last run left it: offsets, stream services, drop counts and stores. */
export function assembleTask(parts: TaskParts): Task {
  const { id, subTopology, metadata, stores } = parts
  const drops = dropsOf(metadata)
  const streamTimes = new Map<string, StreamTime>()
  for (const [name, observed] of Object.entries(metadata.streamTimes)) {
    streamTimes.set(name, { observed, emitted: metadata.emittedTimes[name] ?? -1 })
  }
  const countDrop = (operator: string, reason: DropReason, count: number) => addDrop(drops, operator, reason, count)

  const partitionTimeOf = (topic: string) => metadata.partitionTimes[topic] ?? -1
  const streamTimeMs = Math.max(-1, ...parts.inputs.map(({ partition }) => partitionTimeOf(partition.topic)))
  const { applicationId, clock, globalStores } = parts
  const services = new TaskServices({
    applicationId,
    clock,
    globalStores,
    streamTimeMs,
    isGlobal: subTopology.isGlobal,
  })

  const output = new TaskOutput(parts.batchOutput)
  const graph = new ProcessorGraph(
    subTopology,
    {
      taskId: id,
      task: services,
      stores: new Map(stores.map(({ store }) => [store.name, store])),
      streamTimes,
      cacheBound: parts.cacheBound,
      countDrop,
    },
    (node) => {
      const { name, key, value, partitioner, compression } = node
      const how = { name, key, value, partitioner, drop: () => countDrop(name, 'no-partition', 1) }
      const { partitionCounts, otherPartitions } = parts.plan
      if (node.kind === 'dynamic-sink') {
        const chosen = new ChosenTopic(node, output, (topic) => partitionCounts.get(topic) ?? otherPartitions)
        return new Sink({ ...how, topic: 'chosen for each record', output: (record) => chosen.outputOf(record) })
      }
      const topic = topicName(node.topic, parts.applicationId)
      return new Sink({ ...how, topic, output: output.to(topic, partitionCounts.get(topic) ?? 1, compression) })
    },
  )
  const inputs = parts.inputs.map(({ source, partition }, index) => {
    const range = parts.ranges[index]
    const input = new TaskInput({
      partition,
      position: parts.positions[index],
      highWatermark: range.end,
      partitionTimeMs: partitionTimeOf(partition.topic),
      source,
      output: graph.outputOf(source),
      badRecords: parts.badRecords,
      clock,
      drop: (reason, count = 1) => countDrop(source.name, reason, count),
    })
    return atStart(input, range)
  })
  return new Task({ id, inputs, output, graph, stores, streamTimes, services, drops })
}

/** The partitions that the sub-topology's task of one partition number reads, each with the source that reads it. */
export function plannedInputs(
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

/** What the last commit of a task says beside the offsets of its inputs. */
export function metadataOf(committed: readonly (CommittedOffset | undefined)[]): CommitMetadata {
  const text = committed.find((offset) => offset !== undefined && offset.metadata !== '')?.metadata
  return text === undefined ? emptyCommit : decodeCommitMetadata(text)
}

/** What retention removed in the meantime cannot be read any more. */
function atStart(input: TaskInput, range: OffsetRange): TaskInput {
  if (input.position < range.start) input.skipTo(range.start)
  return input
}

function dropsOf(metadata: CommitMetadata): DropCounts {
  const entries = Object.entries(metadata.drops)
  return new Map(
    entries.map(([operator, counts]) => [operator, new Map(Object.entries(counts) as [DropReason, number][])]),
  )
}

function addDrop(drops: DropCounts, operator: string, reason: DropReason, count: number): void {
  let counts = drops.get(operator)
  if (counts === undefined) {
    counts = new Map()
    drops.set(operator, counts)
  }
  counts.set(reason, (counts.get(reason) ?? 0) + count)
}
