import type { Broker } from '../broker.ts'
import { assignors } from '../group/consumer/assignors.ts'
import { staticLeaveEpoch } from '../group/consumer/consumer-member.ts'
import { partitionListOf, partitionSetOf } from '../group/consumer/partition-set.ts'
import type { RequestOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { consumerGroupHeartbeat } from '../protocol/messages/consumer-group-heartbeat.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Request = RequestOf<typeof consumerGroupHeartbeat>

/** From this version on a member brings its id. */
const firstVersionWithMemberId = 1

/**
 * ConsumerGroupHeartbeat 0-1 (KIP-848): a member joins, says what it subscribes to and owns, is told what it is to own, and
 * leaves. Assignors `uniform` and `range`; racks are kept and not looked at. A group of the classic protocol becomes one of this
 * with the first member that speaks it, and its members stay in it.
 */
export function handleConsumerGroupHeartbeat(broker: Broker): Handler {
  return handlerOf(consumerGroupHeartbeat, [0, 1], async (request, { apiVersion, clientId, host }) => {
    const { groupId, memberId, memberEpoch, instanceId, rackId, rebalanceTimeoutMs } = request
    const invalid = problemOf(request, apiVersion)
    if (invalid !== undefined) return { ...refused, ...invalid }
    try {
      const reply = await broker.consumerGroups.heartbeat(groupId, {
        memberId,
        memberEpoch,
        instanceId,
        rackId,
        clientId: clientId ?? '',
        clientHost: `/${host}`,
        rebalanceTimeoutMs,
        topicNames: request.subscribedTopicNames,
        topicRegex: request.subscribedTopicRegex,
        assignor: request.serverAssignor,
        owned: request.topicPartitions === null ? null : partitionSetOf(request.topicPartitions),
      })
      if (reply.error !== 'NONE') return { ...refused, errorCode: codeOf(reply.error), errorMessage: reply.message }
      const isLeaving = memberEpoch < 0
      return {
        errorCode: 0,
        errorMessage: null,
        memberId: reply.memberId,
        memberEpoch: reply.memberEpoch,
        heartbeatIntervalMs: isLeaving ? 0 : broker.settings.consumerHeartbeatIntervalMs,
        assignment: reply.assigned && { topicPartitions: partitionListOf(reply.assigned) },
      }
    } catch (error) {
      return { ...refused, errorCode: errorCodeOf(error) }
    }
  })
}

/** Kafka's answer where it has an error says nothing else. */
const refused = {
  errorCode: 0,
  errorMessage: null,
  memberId: null,
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
  assignment: null,
}

function problemOf(request: Request, version: number): { errorCode: number; errorMessage: string } | undefined {
  const { memberEpoch, serverAssignor } = request
  const says = (errorMessage: string, error: KafkaError = 'INVALID_REQUEST') => ({
    errorCode: codeOf(error),
    errorMessage,
  })
  if (request.memberId === '' && (version >= firstVersionWithMemberId || memberEpoch > 0 || memberEpoch === -1)) {
    return says("MemberId can't be empty.")
  }
  if (request.groupId === '') return says("GroupId can't be empty.")
  if (request.instanceId === '') return says("InstanceId can't be empty.")
  if (request.rackId === '') return says("RackId can't be empty.")
  if (memberEpoch === 0) {
    if (request.rebalanceTimeoutMs === -1) return says('RebalanceTimeoutMs must be provided in first request.')
    if (request.topicPartitions === null || request.topicPartitions.length > 0) {
      return says('TopicPartitions must be empty when (re-)joining.')
    }
    if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
      return says('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.')
    }
  }
  if (memberEpoch === staticLeaveEpoch && request.instanceId === null) return says("InstanceId can't be null.")
  if (memberEpoch < staticLeaveEpoch) return says('MemberEpoch is invalid.')
  if (serverAssignor === null || assignors.has(serverAssignor)) return undefined
  const known = [...assignors.keys()].join(', ')
  return says(
    `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${known}.`,
    'UNSUPPORTED_ASSIGNOR',
  )
}
