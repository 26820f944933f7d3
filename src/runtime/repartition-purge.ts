import type { Cluster, TopicPartition } from '../cluster/cluster.ts'
import type { Clock } from '../env/environment.ts'
import type { Topology } from '../topology/topology.ts'
import { topicName } from './topic-plan.ts'

export interface RepartitionPurgeOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  /** At most one purge in this time. */
  readonly intervalMs: number
  /** Full names of the topics that only this application reads. */
  readonly topics: ReadonlySet<string>
}

/**
 * Deletes from repartition topics what the application has read and committed, as Kafka Streams does
 * (`repartition.purge.interval.ms`): nobody else reads them, and they have no other retention.
 */
export class RepartitionPurge {
  readonly #options: RepartitionPurgeOptions
  #lastMs: number
  #isUnderWay = false

  constructor(options: RepartitionPurgeOptions) {
    this.#options = options
    this.#lastMs = options.clock.monotonicMs()
  }

  /** Everything below the positions is committed. */
  afterCommit(inputs: readonly { readonly partition: TopicPartition; readonly position: number }[]): void {
    const { cluster, clock, intervalMs, topics } = this.#options
    if (topics.size === 0 || this.#isUnderWay || clock.monotonicMs() - this.#lastMs < intervalMs) return
    const purged = inputs.filter(({ partition, position }) => topics.has(partition.topic) && position > 0)
    if (purged.length === 0) return
    this.#lastMs = clock.monotonicMs()
    this.#isUnderWay = true
    const done = () => {
      this.#isUnderWay = false
    }
    // What was not deleted now is deleted the next time; a broken disk is reported by the next commit.
    cluster
      .deleteRecords(purged.map(({ partition, position }) => ({ ...partition, offset: position })))
      .then(done, done)
  }
}

/** The repartition topics that the topology reads. */
export function repartitionTopicsOf(topology: Topology, applicationId: string): ReadonlySet<string> {
  const sources = topology.subTopologies.flatMap(({ nodes }) => nodes.filter((node) => node.kind === 'source'))
  const internal = sources.flatMap(({ topics }) => topics.filter((topic) => topic.internal))
  return new Set(internal.map((topic) => topicName(topic, applicationId)))
}
