import type { TopicPartition } from '../cluster/cluster.ts'

/**
 * Where sinks and changelogs hand their finished batches: the collector in front of a cluster, or a log in memory that has
 * them at once. A batch that cannot be kept is the output's to report, at the latest when the task commits.
 */
export interface BatchOutput {
  /**
   * Takes a batch, behind those it took for the same partition. The bytes are the caller's again when this returns.
   * `onAcknowledged` is told the offset of the batch's first record once it is as durable as the log promises.
   */
  append(partition: TopicPartition, batch: Buffer, onAcknowledged?: (baseOffset: number) => void): void
}
