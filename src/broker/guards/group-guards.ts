import { TopicRegex } from '../group/consumer/topic-regex.ts'
import type { Api, RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { consumerGroupDescribe } from '../protocol/messages/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../protocol/messages/consumer-group-heartbeat.ts'
import { deleteGroups } from '../protocol/messages/delete-groups.ts'
import { describeGroups } from '../protocol/messages/describe-groups.ts'
import { heartbeat } from '../protocol/messages/heartbeat.ts'
import { joinGroup } from '../protocol/messages/join-group.ts'
import { leaveGroup } from '../protocol/messages/leave-group.ts'
import { listGroups } from '../protocol/messages/list-groups.ts'
import { syncGroup } from '../protocol/messages/sync-group.ts'
import { clusterName } from '../security/access-rule.ts'
import { type Guard, guardOf } from './guard.ts'
import { refusal, split } from './refusal.ts'

const groupRefused = codeOf('GROUP_AUTHORIZATION_FAILED')

/** Guards of those APIs that make, keep and tell of groups. */
export const groupGuards: readonly Guard[] = [
  memberGuard(joinGroup, { generationId: -1 }),
  memberGuard(syncGroup),
  memberGuard(heartbeat),
  memberGuard(leaveGroup),

  guardOf(consumerGroupHeartbeat, ['READ GROUP', 'DESCRIBE TOPIC'], (request, may, { apiVersion, topicNames }) => {
    if (!may.has('READ GROUP', request.groupId)) {
      return { answer: refusal(consumerGroupHeartbeat, apiVersion, 'GROUP_AUTHORIZATION_FAILED') }
    }
    // Members are told of the topics that they subscribe to.
    const regex = TopicRegex.compile(request.subscribedTopicRegex ?? '')
    const matching = regex === undefined ? [] : topicNames().filter((name) => regex.matches(name))
    const subscribed = [...(request.subscribedTopicNames ?? []), ...matching]
    const areSeen = subscribed.every((name) => may.has('DESCRIBE TOPIC', name))
    return areSeen ? { request } : { answer: refusal(consumerGroupHeartbeat, apiVersion, 'TOPIC_AUTHORIZATION_FAILED') }
  }),

  guardOf(describeGroups, ['DESCRIBE GROUP'], (request, may) => {
    const { allowed, refused } = split(request.groups, (group) => may.has('DESCRIBE GROUP', group))
    const nothing = { groupState: '', protocolType: '', protocolData: '', members: [] }
    const answers = refused.map((groupId) => ({ errorCode: groupRefused, groupId, ...nothing }))
    return {
      request: { ...request, groups: allowed },
      complete: (response) => {
        const groups = request.includeAuthorizedOperations
          ? response.groups.map((group) => ({
              ...group,
              authorizedOperations: may.operationBits('GROUP', group.groupId),
            }))
          : response.groups
        return { ...response, groups: [...groups, ...answers] }
      },
    }
  }),

  guardOf(consumerGroupDescribe, ['DESCRIBE GROUP', 'DESCRIBE TOPIC'], (request, may) => {
    type Group = ResponseOf<typeof consumerGroupDescribe>['groups'][number]
    const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
    const { allowed, refused } = split(request.groupIds, (group) => may.has('DESCRIBE GROUP', group))
    const answers = refused.map((groupId) => ({ errorCode: groupRefused, groupId, ...nothing }))
    const topicsOf = ({ members }: Group) =>
      members.flatMap(({ assignment, targetAssignment }) =>
        [...assignment.topicPartitions, ...targetAssignment.topicPartitions].map(({ topicName }) => topicName),
      )
    const seen = (group: Group): Group => {
      const { groupId } = group
      if (!topicsOf(group).every((topic) => may.has('DESCRIBE TOPIC', topic))) {
        const errorMessage = 'The group reads topics that the client may not see.'
        return { errorCode: codeOf('TOPIC_AUTHORIZATION_FAILED'), errorMessage, groupId, ...nothing }
      }
      if (!request.includeAuthorizedOperations) return group
      return { ...group, authorizedOperations: may.operationBits('GROUP', groupId) }
    }
    return {
      request: { ...request, groupIds: allowed },
      complete: (response) => ({ ...response, groups: [...response.groups.map(seen), ...answers] }),
    }
  }),

  guardOf(listGroups, ['DESCRIBE CLUSTER', 'DESCRIBE GROUP'], (request, may) => {
    if (may.has('DESCRIBE CLUSTER', clusterName)) return { request }
    const complete = (response: ResponseOf<typeof listGroups>) => ({
      ...response,
      groups: response.groups.filter(({ groupId }) => may.has('DESCRIBE GROUP', groupId)),
    })
    return { request, complete }
  }),

  guardOf(deleteGroups, ['DELETE GROUP'], (request, may) => {
    const { allowed, refused } = split(request.groupsNames, (group) => may.has('DELETE GROUP', group))
    const answers = refused.map((groupId) => ({ groupId, errorCode: groupRefused }))
    return {
      request: { ...request, groupsNames: allowed },
      complete: (response) => ({ ...response, results: [...response.results, ...answers] }),
    }
  }),
]

/** Whoever is in a group may read it. */
function memberGuard<const A extends Api & { readonly request: { readonly groupId: readonly ['string', '0+'] } }>(
  api: A,
  more: object = {},
): Guard {
  return guardOf(api, ['READ GROUP'], (request, may, { apiVersion }) => {
    const { groupId } = request as RequestOf<A> & { readonly groupId: string }
    if (may.has('READ GROUP', groupId)) return { request }
    return { answer: { ...refusal(api, apiVersion, 'GROUP_AUTHORIZATION_FAILED'), ...more } }
  })
}
