import type { Broker } from '../broker.ts'
import type { ConsumerGroup } from '../group/consumer/consumer-group.ts'
import type { ConsumerMember } from '../group/consumer/consumer-member.ts'
import { type PartitionSet, partitionListOf } from '../group/consumer/partition-set.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { consumerGroupDescribe } from '../protocol/messages/consumer-group-describe.ts'
import { type Handler, handlerOf } from './handler.ts'

type Described = ResponseOf<typeof consumerGroupDescribe>['groups'][number]

/** Kafka's numbers of members by the protocol that they speak. */
const memberTypes = { classic: 0, consumer: 1 } as const

/** ConsumerGroupDescribe 0-1 (KIP-848): groups of the consumer protocol, their members, what these have and are to have. Authorized operations are not listed. */
export function handleConsumerGroupDescribe(broker: Broker): Handler {
  return handlerOf(consumerGroupDescribe, [0, 1], ({ groupIds }) => ({
    groups: groupIds.map((groupId) => {
      const group = broker.consumerGroups.get(groupId)
      return group === undefined ? absent(groupId) : describe(broker, group)
    }),
  }))
}

function describe(broker: Broker, group: ConsumerGroup): Described {
  const { state } = group
  return {
    errorCode: 0,
    groupId: group.id,
    groupState: group.stateName,
    groupEpoch: state.epoch,
    assignmentEpoch: state.targetEpoch,
    assignorName: group.assignorName,
    members: [...state.members()].map((member) => describeMember(broker, member, state.targetOf(member.id))),
  }
}

function describeMember(broker: Broker, member: ConsumerMember, target: PartitionSet): Described['members'][number] {
  const { id, instanceId, rackId, epoch, clientId, clientHost, topicNames, topicRegex, assigned } = member
  return {
    memberId: id,
    instanceId,
    rackId,
    memberEpoch: epoch,
    clientId,
    clientHost,
    subscribedTopicNames: topicNames,
    subscribedTopicRegex: topicRegex ?? '',
    assignment: { topicPartitions: withNames(broker, assigned) },
    targetAssignment: { topicPartitions: withNames(broker, target) },
    memberType: member.classic === null ? memberTypes.consumer : memberTypes.classic,
  }
}

/** Topics that have gone since are left out. */
function withNames(broker: Broker, partitions: PartitionSet) {
  return partitionListOf(partitions).flatMap((ofTopic) => {
    const topic = broker.topics.withId(ofTopic.topicId)
    return topic === undefined ? [] : [{ ...ofTopic, topicName: topic.name }]
  })
}

function absent(groupId: string): Described {
  const isNamed = groupId !== ''
  return {
    errorCode: codeOf(isNamed ? 'GROUP_ID_NOT_FOUND' : 'INVALID_GROUP_ID'),
    errorMessage: isNamed ? `Group ${groupId} is not a consumer group.` : null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}
