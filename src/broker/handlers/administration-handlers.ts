import type { Broker } from '../broker.ts'
import { handleAlterConfigs } from './alter-configs.ts'
import { handleConsumerGroupDescribe } from './consumer-group-describe.ts'
import { handleCreatePartitions } from './create-partitions.ts'
import { handleCreateTopics } from './create-topics.ts'
import { handleDeleteGroups } from './delete-groups.ts'
import { handleDeleteRecords } from './delete-records.ts'
import { handleDeleteTopics } from './delete-topics.ts'
import { handleDescribeCluster } from './describe-cluster.ts'
import { handleDescribeConfigs } from './describe-configs.ts'
import { handleDescribeGroups } from './describe-groups.ts'
import type { Handler } from './handler.ts'
import { handleIncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { handleListGroups } from './list-groups.ts'

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
  ]
}
