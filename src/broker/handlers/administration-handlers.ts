import type { Broker } from '../broker.ts'
import { handleAlterConfigs } from './alter-configs.ts'
import { handleAlterPartitionReassignments } from './alter-partition-reassignments.ts'
import { handleAlterReplicaLogDirs } from './alter-replica-log-dirs.ts'
import { handleConsumerGroupDescribe } from './consumer-group-describe.ts'
import { handleCreatePartitions } from './create-partitions.ts'
import { handleCreateTopics } from './create-topics.ts'
import { handleDeleteGroups } from './delete-groups.ts'
import { handleDeleteRecords } from './delete-records.ts'
import { handleDeleteTopics } from './delete-topics.ts'
import { handleDescribeCluster } from './describe-cluster.ts'
import { handleDescribeConfigs } from './describe-configs.ts'
import { handleDescribeGroups } from './describe-groups.ts'
import { handleDescribeLogDirs } from './describe-log-dirs.ts'
import { handleDescribeProducers } from './describe-producers.ts'
import { handleDescribeTopicPartitions } from './describe-topic-partitions.ts'
import { handleDescribeTransactions } from './describe-transactions.ts'
import { handleElectLeaders } from './elect-leaders.ts'
import type { Handler } from './handler.ts'
import { handleIncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { handleListGroups } from './list-groups.ts'
import { handleListPartitionReassignments } from './list-partition-reassignments.ts'
import { handleListTransactions } from './list-transactions.ts'
import { handleOffsetDelete } from './offset-delete.ts'
import { handleWriteTxnMarkers } from './write-txn-markers.ts'

/** The APIs by which a broker is looked at and changed. */
export function administrationHandlers(broker: Broker): readonly Handler[] {
  return [
    handleCreateTopics(broker),
    handleDeleteTopics(broker),
    handleCreatePartitions(broker),
    handleDeleteRecords(broker),
    handleDescribeCluster(broker),
    handleDescribeConfigs(broker),
    handleAlterConfigs(broker),
    handleIncrementalAlterConfigs(broker),
    handleDescribeGroups(broker),
    handleConsumerGroupDescribe(broker),
    handleListGroups(broker),
    handleDeleteGroups(broker),
    handleAlterPartitionReassignments(broker),
    handleDescribeLogDirs(broker),
    handleAlterReplicaLogDirs(broker),
    handleDescribeProducers(broker),
    handleDescribeTransactions(broker),
    handleDescribeTopicPartitions(broker),
    handleElectLeaders(broker),
    handleListPartitionReassignments(),
    handleListTransactions(broker),
    handleWriteTxnMarkers(broker),
    handleOffsetDelete(broker),
  ]
}
