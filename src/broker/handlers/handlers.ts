import type { Broker } from '../broker.ts'
import type { Authorizer } from '../security/authorizer.ts'
import { handleAddOffsetsToTxn } from './add-offsets-to-txn.ts'
import { handleAddPartitionsToTxn } from './add-partitions-to-txn.ts'
import { administrationHandlers } from './administration-handlers.ts'
import { handleApiVersions } from './api-versions.ts'
import { handleConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { handleEndTxn } from './end-txn.ts'
import { handleFetch } from './fetch.ts'
import { handleFindCoordinator } from './find-coordinator.ts'
import type { Handler } from './handler.ts'
import { handleHeartbeat } from './heartbeat.ts'
import { handleInitProducerId } from './init-producer-id.ts'
import { handleJoinGroup } from './join-group.ts'
import { handleLeaveGroup } from './leave-group.ts'
import { handleListOffsets } from './list-offsets.ts'
import { handleMetadata } from './metadata.ts'
import { handleOffsetCommit } from './offset-commit.ts'
import { handleOffsetFetch } from './offset-fetch.ts'
import { handleOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { handleProduce } from './produce.ts'
import { securityHandlers } from './security-handlers.ts'
import { handleSyncGroup } from './sync-group.ts'
import { handleTxnOffsetCommit } from './txn-offset-commit.ts'

/** The APIs that a broker serves: one handler for each, in a file of its own. */
export function handlersOf(broker: Broker, authorizer?: Authorizer): readonly Handler[] {
  const handlers: Handler[] = [
    handleProduce(broker),
    handleFetch(broker),
    handleListOffsets(broker),
    handleMetadata(broker),
    handleOffsetCommit(broker),
    handleOffsetFetch(broker),
    handleFindCoordinator(broker),
    handleJoinGroup(broker),
    handleHeartbeat(broker),
    handleLeaveGroup(broker),
    handleSyncGroup(broker),
    handleConsumerGroupHeartbeat(broker),
    handleAddPartitionsToTxn(broker),
    handleEndTxn(broker),
    handleInitProducerId(broker),
    handleAddOffsetsToTxn(broker),
    handleTxnOffsetCommit(broker),
    handleOffsetForLeaderEpoch(broker),
    ...administrationHandlers(broker),
    ...securityHandlers(broker, authorizer),
    handleApiVersions(() => handlers),
  ]
  return handlers
}
