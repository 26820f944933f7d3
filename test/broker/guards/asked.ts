import type { Need } from '../../../src/broker/guards/guard.ts'
import type { Api } from '../../../src/broker/protocol/api.ts'
import type { WriteOf } from '../../../src/broker/protocol/field.ts'
import { addOffsetsToTxn } from '../../../src/broker/protocol/messages/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../../src/broker/protocol/messages/add-partitions-to-txn.ts'
import { alterClientQuotas } from '../../../src/broker/protocol/messages/alter-client-quotas.ts'
import { alterConfigs } from '../../../src/broker/protocol/messages/alter-configs.ts'
import { alterPartitionReassignments } from '../../../src/broker/protocol/messages/alter-partition-reassignments.ts'
import { alterReplicaLogDirs } from '../../../src/broker/protocol/messages/alter-replica-log-dirs.ts'
import { alterUserScramCredentials } from '../../../src/broker/protocol/messages/alter-user-scram-credentials.ts'
import { consumerGroupDescribe } from '../../../src/broker/protocol/messages/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../../src/broker/protocol/messages/consumer-group-heartbeat.ts'
import { createAcls } from '../../../src/broker/protocol/messages/create-acls.ts'
import { createPartitions } from '../../../src/broker/protocol/messages/create-partitions.ts'
import { createTopics } from '../../../src/broker/protocol/messages/create-topics.ts'
import { deleteAcls } from '../../../src/broker/protocol/messages/delete-acls.ts'
import { deleteGroups } from '../../../src/broker/protocol/messages/delete-groups.ts'
import { deleteRecords } from '../../../src/broker/protocol/messages/delete-records.ts'
import { deleteTopics } from '../../../src/broker/protocol/messages/delete-topics.ts'
import { describeAcls } from '../../../src/broker/protocol/messages/describe-acls.ts'
import { describeClientQuotas } from '../../../src/broker/protocol/messages/describe-client-quotas.ts'
import { describeConfigs } from '../../../src/broker/protocol/messages/describe-configs.ts'
import { describeGroups } from '../../../src/broker/protocol/messages/describe-groups.ts'
import { describeLogDirs } from '../../../src/broker/protocol/messages/describe-log-dirs.ts'
import { describeProducers } from '../../../src/broker/protocol/messages/describe-producers.ts'
import { describeTopicPartitions } from '../../../src/broker/protocol/messages/describe-topic-partitions.ts'
import { describeTransactions } from '../../../src/broker/protocol/messages/describe-transactions.ts'
import { describeUserScramCredentials } from '../../../src/broker/protocol/messages/describe-user-scram-credentials.ts'
import { electLeaders } from '../../../src/broker/protocol/messages/elect-leaders.ts'
import { endTxn } from '../../../src/broker/protocol/messages/end-txn.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { findCoordinator } from '../../../src/broker/protocol/messages/find-coordinator.ts'
import { heartbeat } from '../../../src/broker/protocol/messages/heartbeat.ts'
import { incrementalAlterConfigs } from '../../../src/broker/protocol/messages/incremental-alter-configs.ts'
import { initProducerId } from '../../../src/broker/protocol/messages/init-producer-id.ts'
import { joinGroup } from '../../../src/broker/protocol/messages/join-group.ts'
import { leaveGroup } from '../../../src/broker/protocol/messages/leave-group.ts'
import { listOffsets } from '../../../src/broker/protocol/messages/list-offsets.ts'
import { listPartitionReassignments } from '../../../src/broker/protocol/messages/list-partition-reassignments.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { offsetCommit } from '../../../src/broker/protocol/messages/offset-commit.ts'
import { offsetDelete } from '../../../src/broker/protocol/messages/offset-delete.ts'
import { offsetFetch } from '../../../src/broker/protocol/messages/offset-fetch.ts'
import { offsetForLeaderEpoch } from '../../../src/broker/protocol/messages/offset-for-leader-epoch.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { syncGroup } from '../../../src/broker/protocol/messages/sync-group.ts'
import { txnOffsetCommit } from '../../../src/broker/protocol/messages/txn-offset-commit.ts'
import { writeTxnMarkers } from '../../../src/broker/protocol/messages/write-txn-markers.ts'
import { batchOf, batchOfRecords } from '../records.ts'

/** A request of an API, and the sets of needs each of which is enough for it, and no smaller one. */
export interface Asked {
  readonly api: Api
  readonly version: number
  readonly body: object
  readonly enough: readonly (readonly Need[])[]
}

function asked<const A extends Api>(
  api: A,
  version: number,
  body: WriteOf<A['request']>,
  ...enough: readonly (readonly Need[])[]
): Asked {
  return { api, version, body, enough }
}

const groupId = 'g'
const transactionalId = 'x'
const partitions = [{ partitionIndex: 0 }]
const producer = { producerId: 1, producerEpoch: 0 }
const inTransaction = batchOfRecords([{ value: 'v' }], {}, { ...producer, baseSequence: 0, isTransactional: true })
const topicConfigs = [{ resourceType: 2, resourceName: 't', configs: [] }]
const brokerConfigs = [{ resourceType: 4, resourceName: '1', configs: [] }]
const filter = {
  ...{ resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null },
  ...{ hostFilter: null, operation: 1, permissionType: 1 },
}
const offset = { partitionIndex: 0, committedOffset: 0, committedMetadata: null }

function appendOf(records: Buffer, id: string | null) {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  return { transactionalId: id, acks: -1, timeoutMs: 1_000, topicData }
}

/** What each API is asked for in the tests: topic `t`, group `g` and transactional id `x`. */
export const everyApi: readonly Asked[] = [
  asked(produce, 9, appendOf(batchOf('v'), null), ['WRITE TOPIC']),
  asked(produce, 9, appendOf(inTransaction, transactionalId), ['WRITE TOPIC', 'WRITE TRANSACTIONAL_ID']),
  asked(
    fetch,
    11,
    {
      ...{ replicaId: -1, maxWaitMs: 10_000, minBytes: 1 },
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] }],
    },
    ['READ TOPIC'],
  ),
  asked(
    listOffsets,
    5,
    { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] },
    ['DESCRIBE TOPIC'],
  ),
  asked(metadata, 9, { topics: [{ name: 't' }] }, ['DESCRIBE TOPIC']),
  asked(
    metadata,
    4,
    { topics: [{ name: 'made' }], allowAutoTopicCreation: true },
    ['DESCRIBE TOPIC', 'CREATE TOPIC'],
    ['DESCRIBE TOPIC', 'CREATE CLUSTER'],
  ),
  asked(describeTopicPartitions, 0, { topics: [{ name: 't' }] }, ['DESCRIBE TOPIC']),
  asked(
    offsetForLeaderEpoch,
    4,
    { topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0 }] }] },
    ['DESCRIBE TOPIC'],
    ['CLUSTER_ACTION CLUSTER'],
  ),
  asked(
    createTopics,
    4,
    {
      topics: [{ name: 'made', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      validateOnly: true,
    },
    ['CREATE TOPIC'],
    ['CREATE CLUSTER'],
  ),
  asked(deleteTopics, 3, { topicNames: ['t'], timeoutMs: 0 }, ['DELETE TOPIC'], ['DELETE CLUSTER' as Need]),
  asked(
    createPartitions,
    1,
    { topics: [{ name: 't', count: 2, assignments: null }], timeoutMs: 0, validateOnly: true },
    ['ALTER TOPIC'],
  ),
  asked(deleteRecords, 1, { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 0 }, [
    'DELETE TOPIC',
  ]),
  asked(
    joinGroup,
    5,
    {
      ...{ groupId, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '', protocolType: 'consumer' },
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    },
    ['READ GROUP'],
  ),
  asked(syncGroup, 3, { groupId, generationId: 1, memberId: 'm', assignments: [] }, ['READ GROUP']),
  asked(heartbeat, 3, { groupId, generationId: 1, memberId: 'm' }, ['READ GROUP']),
  asked(leaveGroup, 2, { groupId, memberId: 'm' }, ['READ GROUP']),
  asked(
    consumerGroupHeartbeat,
    0,
    {
      ...{ groupId: 'new', memberId: '', memberEpoch: 0, rebalanceTimeoutMs: 1_000 },
      ...{ subscribedTopicNames: ['t'], topicPartitions: [] },
    },
    ['READ GROUP', 'DESCRIBE TOPIC'],
  ),
  asked(describeGroups, 4, { groups: [groupId] }, ['DESCRIBE GROUP']),
  asked(consumerGroupDescribe, 0, { groupIds: [groupId], includeAuthorizedOperations: true }, ['DESCRIBE GROUP']),
  asked(deleteGroups, 1, { groupsNames: [groupId] }, ['DELETE GROUP']),
  asked(offsetCommit, 5, { groupId, memberId: '', topics: [{ name: 't', partitions: [offset] }] }, [
    'READ GROUP',
    'READ TOPIC',
  ]),
  asked(offsetDelete, 0, { groupId, topics: [{ name: 't', partitions }] }, ['DELETE GROUP', 'READ TOPIC']),
  asked(offsetFetch, 5, { groupId, topics: [{ name: 't', partitionIndexes: [0] }] }, [
    'DESCRIBE GROUP',
    'DESCRIBE TOPIC',
  ]),
  asked(offsetFetch, 8, { groups: [{ groupId, topics: [{ name: 't', partitionIndexes: [0] }] }] }, [
    'DESCRIBE GROUP',
    'DESCRIBE TOPIC',
  ]),
  asked(findCoordinator, 3, { key: groupId, keyType: 0 }, ['DESCRIBE GROUP']),
  asked(findCoordinator, 4, { keyType: 1, coordinatorKeys: [transactionalId] }, ['DESCRIBE TRANSACTIONAL_ID']),
  asked(initProducerId, 3, { transactionalId, transactionTimeoutMs: 1_000 }, ['WRITE TRANSACTIONAL_ID']),
  asked(
    initProducerId,
    3,
    { transactionalId: null, transactionTimeoutMs: 1_000 },
    ['IDEMPOTENT_WRITE CLUSTER'],
    ['WRITE TOPIC'],
  ),
  asked(
    addPartitionsToTxn,
    2,
    {
      ...{ v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: 1, v3AndBelowProducerEpoch: 0 },
      v3AndBelowTopics: [{ name: 't', partitions: [0] }],
    },
    ['WRITE TRANSACTIONAL_ID', 'WRITE TOPIC'],
  ),
  asked(addOffsetsToTxn, 2, { transactionalId, ...producer, groupId }, ['WRITE TRANSACTIONAL_ID', 'READ GROUP']),
  asked(endTxn, 2, { transactionalId, ...producer, committed: true }, ['WRITE TRANSACTIONAL_ID']),
  asked(txnOffsetCommit, 2, { transactionalId, groupId, ...producer, topics: [{ name: 't', partitions: [offset] }] }, [
    'WRITE TRANSACTIONAL_ID',
    'READ GROUP',
    'READ TOPIC',
  ]),
  asked(
    writeTxnMarkers,
    1,
    {
      markers: [
        { ...producer, transactionResult: true, topics: [{ name: 't', partitionIndexes: [0] }], coordinatorEpoch: 0 },
      ],
    },
    ['CLUSTER_ACTION CLUSTER'],
    ['ALTER CLUSTER'],
  ),
  asked(describeProducers, 0, { topics: [{ name: 't', partitionIndexes: [0] }] }, ['READ TOPIC']),
  asked(describeTransactions, 0, { transactionalIds: [transactionalId] }, ['DESCRIBE TRANSACTIONAL_ID']),
  asked(describeConfigs, 1, { resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }] }, [
    'DESCRIBE_CONFIGS TOPIC',
  ]),
  asked(describeConfigs, 1, { resources: [{ resourceType: 4, resourceName: '1', configurationKeys: null }] }, [
    'DESCRIBE_CONFIGS CLUSTER',
  ]),
  asked(alterConfigs, 1, { resources: topicConfigs, validateOnly: true }, ['ALTER_CONFIGS TOPIC']),
  asked(alterConfigs, 1, { resources: brokerConfigs, validateOnly: true }, ['ALTER_CONFIGS CLUSTER']),
  asked(incrementalAlterConfigs, 0, { resources: topicConfigs, validateOnly: true }, ['ALTER_CONFIGS TOPIC']),
  asked(incrementalAlterConfigs, 0, { resources: brokerConfigs, validateOnly: true }, ['ALTER_CONFIGS CLUSTER']),
  asked(describeLogDirs, 3, { topics: null }, ['DESCRIBE CLUSTER']),
  asked(electLeaders, 1, { electionType: 0, topicPartitions: null }, ['ALTER CLUSTER']),
  asked(alterPartitionReassignments, 0, { topics: [] }, ['ALTER CLUSTER']),
  asked(listPartitionReassignments, 0, { topics: null }, ['DESCRIBE CLUSTER']),
  asked(alterReplicaLogDirs, 1, { dirs: [{ path: '/d', topics: [{ name: 't', partitions: [0] }] }] }, [
    'ALTER CLUSTER',
  ]),
  asked(describeUserScramCredentials, 0, { users: null }, ['DESCRIBE CLUSTER']),
  asked(alterUserScramCredentials, 0, { deletions: [{ name: 'u', mechanism: 1 }], upsertions: [] }, ['ALTER CLUSTER']),
  asked(describeClientQuotas, 1, { components: [], strict: false }, ['DESCRIBE_CONFIGS CLUSTER']),
  asked(
    alterClientQuotas,
    1,
    { entries: [{ entity: [{ entityType: 'user', entityName: 'nobody' }], ops: [] }], validateOnly: true },
    ['ALTER_CONFIGS CLUSTER'],
  ),
  asked(describeAcls, 2, filter, ['DESCRIBE CLUSTER']),
  asked(
    createAcls,
    2,
    {
      creations: [
        {
          ...{ resourceType: 2, resourceName: 't', resourcePatternType: 3, principal: 'User:nobody', host: '*' },
          ...{ operation: 3, permissionType: 3 },
        },
      ],
    },
    ['ALTER CLUSTER'],
  ),
  asked(deleteAcls, 2, { filters: [{ ...filter, principalFilter: 'User:nobody' }] }, ['ALTER CLUSTER']),
]
