import type { Broker } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeLogDirs } from '../protocol/messages/describe-log-dirs.ts'
import { type Handler, handlerOf } from './handler.ts'

type Asked = NonNullable<RequestOf<typeof describeLogDirs>['topics']>
type Topics = ResponseOf<typeof describeLogDirs>['results'][number]['topics']

/**
 * DescribeLogDirs 1-4: the one data directory with the bytes of its logs, all of them or those that are asked for and exist. How
 * large its disk is, is not told (-1).
 */
export function handleDescribeLogDirs(broker: Broker): Handler {
  return handlerOf(describeLogDirs, [1, 4], ({ topics }) => {
    const { logDirectory: logDir } = broker
    if (broker.isOffline) {
      return { errorCode: 0, results: [{ errorCode: codeOf('KAFKA_STORAGE_ERROR'), logDir, topics: [] }] }
    }
    return { errorCode: 0, results: [{ errorCode: 0, logDir, topics: topicsOf(broker, topics) }] }
  })
}

function topicsOf(broker: Broker, asked: Asked | null): Topics {
  const isWanted = (name: string, partition: number): boolean =>
    asked === null || asked.some(({ topic, partitions }) => topic === name && partitions.includes(partition))
  return broker.topics
    .list()
    .map(({ name, partitions }) => ({
      name,
      partitions: Array.from({ length: partitions }, (_, partition) => partition)
        .filter((partition) => isWanted(name, partition))
        .map((partition) => describe(broker.log(name, partition))),
    }))
    .filter(({ partitions }) => partitions.length > 0)
}

function describe({ partition, sizeBytes }: PartitionLog): Topics[number]['partitions'][number] {
  return { partitionIndex: partition, partitionSize: sizeBytes, offsetLag: 0, isFutureKey: false }
}
