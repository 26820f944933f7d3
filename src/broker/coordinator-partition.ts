/**
 * Which partition of `__consumer_offsets` or `__transaction_state` has the records of a group or transactional id: as Kafka
 * finds it, Java's hash of the name without its sign, modulo the partitions.
 */
export function coordinatorPartition(name: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return (hash & 0x7fffffff) % partitions
}
