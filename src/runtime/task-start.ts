import type { StateStore } from '../state/state-store.ts'
import type { SubTopology } from '../topology/topology.ts'
import type { CacheBound } from './cache-bound.ts'
import type { RecordCollector } from './record-collector.ts'
import type { RunConfig } from './run-options.ts'
import { startPositions } from './start-positions.ts'
import type { Task } from './task.ts'
import { assembleTask, metadataOf, plannedInputs } from './task-assembly.ts'
import { TaskStores } from './task-stores.ts'
import type { TopicPlan } from './topic-plan.ts'

/** Makes the task of one partition of a sub-topology: asks the cluster for its last commit, and restores its stores to it. */
export async function startTask(
  subTopology: SubTopology,
  partition: number,
  plan: TopicPlan,
  config: RunConfig,
  collector: RecordCollector,
  cacheBound: CacheBound,
  globalStores: ReadonlyMap<string, StateStore>,
): Promise<Task> {
  const { applicationId, badRecords, cluster } = config
  const id = `${subTopology.id}_${partition}`
  const inputs = plannedInputs(subTopology, partition, plan, applicationId)
  const partitions = inputs.map((input) => input.partition)
  const offsets = await cluster.committedOffsets(applicationId, partitions)
  const metadata = metadataOf(offsets)
  const { clock } = config.environment
  const setting = { id, subTopology, applicationId, plan, badRecords, globalStores, clock, cacheBound }
  const stores = await new TaskStores(id, partition, config, collector).open(setting, { inputs, offsets, metadata })
  const ranges = await cluster.offsets(partitions, 'read-committed')
  return assembleTask({
    ...setting,
    inputs,
    positions: await startPositions(inputs, offsets, ranges, config),
    ranges,
    metadata,
    stores,
    batchOutput: collector,
  })
}
