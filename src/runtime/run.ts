import { requireTopology } from '../arguments.ts'
import type { Topology } from '../topology/topology.ts'
import { Application } from './application.ts'
import { CacheBound } from './cache-bound.ts'
import { closeAfterFailure } from './close-all.ts'
import { startCommitter } from './committer.ts'
import { GlobalStores } from './global-stores.ts'
import { requireMatches, withMatchingTopics } from './matching-topics.ts'
import { RecordCollector } from './record-collector.ts'
import { RepartitionPurge, repartitionTopicsOf } from './repartition-purge.ts'
import { type RunDefaults, type RunOptions, resolveRunOptions } from './run-options.ts'
import { ShutdownSignals } from './shutdown-signals.ts'
import type { Task } from './task.ts'
import { startTask } from './task-start.ts'
import { planTopics } from './topic-plan.ts'

/** Starts the topology where its last run stopped: topics made, stores restored, loop running. */
export async function runTopology(written: Topology, options: RunOptions, defaults: RunDefaults): Promise<Application> {
  requireTopology(written)
  const config = await resolveRunOptions(options, defaults)
  const signals = new ShutdownSignals(config.shutdownSignals, config.environment.host)
  const tasks: Task[] = []
  let globals: GlobalStores | undefined
  try {
    const collector = new RecordCollector(await startCommitter(config), config.maxInFlightBytes)
    const existing = await config.cluster.describeTopics()
    const names = existing.map((topic) => topic.name)
    const topology = withMatchingTopics(written, names, config.applicationId)
    requireMatches(topology)
    const plan = planTopics(topology, config.applicationId, existing)
    await config.cluster.createTopics(plan.topics)
    globals = await GlobalStores.load(topology, plan, config)
    const cacheBound = new CacheBound(config.maxCacheBytes)
    for (const subTopology of topology.subTopologies) {
      const count = plan.taskCounts.get(subTopology.id) ?? 0
      for (let partition = 0; partition < count && !signals.isAsked; partition++) {
        tasks.push(await startTask(subTopology, partition, plan, config, collector, cacheBound, globals.stores))
      }
    }
    const purge = new RepartitionPurge({
      cluster: config.cluster,
      clock: config.environment.clock,
      intervalMs: config.repartitionPurgeIntervalMs,
      topics: repartitionTopicsOf(topology, config.applicationId),
    })
    const application = new Application(config, tasks, globals, collector, purge)
    signals.close(application)
    return application
  } catch (error) {
    signals.ignore()
    closeAfterFailure(globals === undefined ? tasks : [...tasks, globals])
    if (config.ownsCluster) await config.cluster.close()
    throw error
  }
}
