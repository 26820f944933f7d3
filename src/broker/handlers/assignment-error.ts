import type { Broker } from '../broker.ts'

/**
 * What is wrong with the brokers that a partition is to be on: there is one, so that it can only be that one.
 * (Kafka: ReplicationControlManager.validateManualPartitionAssignment.)
 */
export function assignmentError({ nodeId }: Broker, brokerIds: readonly number[]): string | undefined {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.'
  const stranger = brokerIds.toSorted((a, b) => a - b).find((id) => id !== nodeId)
  if (stranger !== undefined) {
    return `The manual partition assignment includes broker ${stranger}, but no such broker is registered.`
  }
  return brokerIds.length > 1
    ? `The manual partition assignment includes the broker ${nodeId} more than once.`
    : undefined
}
