import type { OffsetRange } from '../cluster/cluster.ts'
import type { Clock } from '../env/environment.ts'
import { assert } from '../errors.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngine } from '../state/store-engine.ts'
import type { SubTopology, Topology } from '../topology/topology.ts'
import type { BatchOutput } from './batch-output.ts'
import { CacheBound } from './cache-bound.ts'
import { closeAfterFailure, closeAll } from './close-all.ts'
import { emptyCommit } from './commit-metadata.ts'
import type { RunConfig } from './run-options.ts'
import type { Task } from './task.ts'
import { assembleTask, type PlannedInput } from './task-assembly.ts'
import type { BadRecordPolicy } from './task-input.ts'
import type { TopicPlan } from './topic-plan.ts'

/** How long one fetch waits while stores are filled; it only bounds how late the loop looks around. */
const maxFetchWaitMs = 100

/**
 * The stores that all tasks share and only read. Each is filled by a task of its own, which reads every partition of its
 * topic; its offsets are committed nowhere, because each start reads the topic from the beginning, through the store's
 * processor (KIP-813). After Kafka Streams' GlobalStreamThread, but in the application's own loop.
 */
export class GlobalStores {
  /** By name. */
  readonly stores: ReadonlyMap<string, StateStore>
  readonly tasks: readonly Task[]

  constructor(stores: ReadonlyMap<string, StateStore>, tasks: readonly Task[]) {
    this.stores = stores
    this.tasks = tasks
  }

  /** Opens the stores and fills them with all that is in their topics now. */
  static async load(topology: Topology, plan: TopicPlan, config: RunConfig): Promise<GlobalStores> {
    const { applicationId, badRecords, cluster, environment, stateDirectory } = config
    const openEngine = (declaration: StoreDeclaration): StoreEngine => {
      const directory = stateDirectory === undefined ? undefined : `${stateDirectory}/${applicationId}/global`
      const place = { directory, store: declaration.name, disk: environment.disk }
      return (declaration.engine ?? config.engine).open(place)
    }
    const stores = new Map<string, StateStore>()
    const tasks: Task[] = []
    try {
      for (const subTopology of topology.globalStores) {
        const inputs = globalInputs(subTopology, plan)
        const ranges = await cluster.offsets(
          inputs.map((input) => input.partition),
          'read-committed',
        )
        const parts = {
          subTopology,
          inputs,
          ranges,
          plan,
          applicationId,
          badRecords,
          clock: environment.clock,
          openEngine,
        }
        const task = globalTask(parts, stores)
        tasks.push(task)
        await readToEnd(task, config)
      }
    } catch (error) {
      closeAfterFailure(tasks)
      throw error
    }
    return new GlobalStores(stores, tasks)
  }

  /** Has the stores' engines take over what was changed. */
  commit(): void {
    for (const task of this.tasks) keep(task)
  }

  close(): void {
    closeAll(this.tasks)
  }
}

/** All partitions of the topic that fills a global store. */
export function globalInputs(subTopology: SubTopology, plan: TopicPlan): PlannedInput[] {
  return subTopology.nodes.flatMap((source) => {
    if (source.kind !== 'source') return []
    return source.topics.flatMap(({ name: topic }) =>
      Array.from({ length: plan.partitionCounts.get(topic) ?? 0 }, (_, partition) => ({
        source,
        partition: { topic, partition },
      })),
    )
  })
}

export interface GlobalTaskParts {
  readonly subTopology: SubTopology
  readonly inputs: readonly PlannedInput[]
  readonly ranges: readonly OffsetRange[]
  readonly plan: TopicPlan
  readonly applicationId: string
  readonly badRecords: BadRecordPolicy
  readonly clock: Clock
  readonly openEngine: (declaration: StoreDeclaration) => StoreEngine
}

/** Makes the task that fills a global store, which it adds to `stores`, empty. */
export function globalTask(parts: GlobalTaskParts, stores: Map<string, StateStore>): Task {
  const own = parts.subTopology.stores.map((declaration) => {
    const engine = parts.openEngine(declaration)
    engine.clear()
    const store = declaration.create(engine)
    store.ready(0)
    stores.set(declaration.name, store)
    return { store, changelog: undefined }
  })
  return assembleTask({
    ...parts,
    id: 'global',
    cacheBound: new CacheBound(0),
    positions: parts.ranges.map((range) => range.start),
    metadata: emptyCommit,
    stores: own,
    globalStores: stores,
    batchOutput: nowhere,
  })
}

const nowhere: BatchOutput = {
  append: () => assert(false, 'what fills a global store writes to no topic'),
}

async function readToEnd(task: Task, { cluster }: RunConfig): Promise<void> {
  const reader = cluster.reader({ isolation: 'read-committed' })
  try {
    for (const { partition, position } of task.inputs) reader.seek(partition, position)
    for (;;) {
      const behind = task.inputs.filter((input) => !input.isCaughtUp)
      if (behind.length === 0) return
      const partitions = behind.map((input) => input.partition)
      for (const batches of await reader.fetch({ maxWaitMs: maxFetchWaitMs, partitions })) task.load(batches)
      task.process(() => false)
      keep(task)
    }
  } finally {
    reader.close()
  }
}

function keep(task: Task): void {
  task.prepareCommit()
  task.finishCommit()
}
