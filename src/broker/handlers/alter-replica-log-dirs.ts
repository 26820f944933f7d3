import type { Broker } from '../broker.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { alterReplicaLogDirs } from '../protocol/messages/alter-replica-log-dirs.ts'
import { type Handler, handlerOf } from './handler.ts'

/** AlterReplicaLogDirs 1-2: there is one directory. A partition can be moved to it, where it is already, and nowhere else. */
export function handleAlterReplicaLogDirs(broker: Broker): Handler {
  return handlerOf(alterReplicaLogDirs, [1, 2], ({ dirs }) => {
    const moves = dirs.flatMap(({ path, topics }) =>
      topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ path, topic: name, partition }))),
    )
    const results = [...Map.groupBy(moves, ({ topic }) => topic)].map(([topicName, some]) => ({
      topicName,
      partitions: some.map(({ path, partition }) => {
        return { partitionIndex: partition, errorCode: codeOf(errorOf(broker, path, topicName, partition)) }
      }),
    }))
    return { results }
  })
}

function errorOf(broker: Broker, path: string, topic: string, partition: number): KafkaError {
  if (broker.isOffline) return 'KAFKA_STORAGE_ERROR'
  if (path !== broker.logDirectory) return 'LOG_DIR_NOT_FOUND'
  const count = broker.topics.get(topic)?.partitions ?? 0
  return partition >= 0 && partition < count ? 'NONE' : 'REPLICA_NOT_AVAILABLE'
}
