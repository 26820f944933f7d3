import type { Api, RequestOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { alterClientQuotas } from '../protocol/messages/alter-client-quotas.ts'
import { alterConfigs } from '../protocol/messages/alter-configs.ts'
import { alterPartitionReassignments } from '../protocol/messages/alter-partition-reassignments.ts'
import { alterReplicaLogDirs } from '../protocol/messages/alter-replica-log-dirs.ts'
import { alterUserScramCredentials } from '../protocol/messages/alter-user-scram-credentials.ts'
import { createAcls } from '../protocol/messages/create-acls.ts'
import { deleteAcls } from '../protocol/messages/delete-acls.ts'
import { describeAcls } from '../protocol/messages/describe-acls.ts'
import { describeClientQuotas } from '../protocol/messages/describe-client-quotas.ts'
import { describeCluster } from '../protocol/messages/describe-cluster.ts'
import { describeConfigs } from '../protocol/messages/describe-configs.ts'
import { describeLogDirs } from '../protocol/messages/describe-log-dirs.ts'
import { describeUserScramCredentials } from '../protocol/messages/describe-user-scram-credentials.ts'
import { electLeaders } from '../protocol/messages/elect-leaders.ts'
import { incrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts'
import { listPartitionReassignments } from '../protocol/messages/list-partition-reassignments.ts'
import { clusterName, type Operation } from '../security/access-rule.ts'
import { type Guard, guardOf, type Need, type Permissions } from './guard.ts'
import { refusal, split } from './refusal.ts'

const refusedMessage = 'Cluster authorization failed.'

/** Guards of those APIs that are about the broker, its settings, and who may do what. */
export const clusterGuards: readonly Guard[] = [
  clusterGuard(describeLogDirs, 'DESCRIBE CLUSTER'),
  clusterGuard(electLeaders, 'ALTER CLUSTER'),
  clusterGuard(alterPartitionReassignments, 'ALTER CLUSTER', { errorMessage: refusedMessage }),
  clusterGuard(listPartitionReassignments, 'DESCRIBE CLUSTER', { errorMessage: refusedMessage }),
  clusterGuard(describeUserScramCredentials, 'DESCRIBE CLUSTER', { errorMessage: refusedMessage }),
  clusterGuard(describeClientQuotas, 'DESCRIBE_CONFIGS CLUSTER', { errorMessage: refusedMessage, entries: null }),
  clusterGuard(describeAcls, 'DESCRIBE CLUSTER', { errorMessage: refusedMessage }),

  guardOf(alterUserScramCredentials, ['ALTER CLUSTER'], (request, may) => {
    if (may.has('ALTER CLUSTER', clusterName)) return { request }
    const users = new Set([...request.deletions, ...request.upsertions].map(({ name }) => name))
    return { answer: { results: [...users].map((user) => ({ user, ...clusterRefused })) } }
  }),

  guardOf(alterClientQuotas, ['ALTER_CONFIGS CLUSTER'], (request, may) => {
    if (may.has('ALTER_CONFIGS CLUSTER', clusterName)) return { request }
    return { answer: { entries: request.entries.map(({ entity }) => ({ ...clusterRefused, entity })) } }
  }),

  guardOf(alterReplicaLogDirs, ['ALTER CLUSTER'], (request, may) => {
    if (may.has('ALTER CLUSTER', clusterName)) return { request }
    const { errorCode } = clusterRefused
    const topics = request.dirs.flatMap((dir) => dir.topics)
    const results = topics.map(({ name, partitions }) => ({
      topicName: name,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })),
    }))
    return { answer: { results } }
  }),

  guardOf(createAcls, ['ALTER CLUSTER'], (request, may) => {
    if (may.has('ALTER CLUSTER', clusterName)) return { request }
    return { answer: { results: request.creations.map(() => clusterRefused) } }
  }),

  guardOf(deleteAcls, ['ALTER CLUSTER'], (request, may) => {
    if (may.has('ALTER CLUSTER', clusterName)) return { request }
    return { answer: { filterResults: request.filters.map(() => ({ ...clusterRefused, matchingAcls: [] })) } }
  }),

  guardOf(describeCluster, ['DESCRIBE CLUSTER'], (request, may) => ({
    request,
    complete: (response) => {
      if (!request.includeClusterAuthorizedOperations) return response
      const isSeen = may.has('DESCRIBE CLUSTER', clusterName)
      return { ...response, clusterAuthorizedOperations: isSeen ? may.operationBits('CLUSTER', clusterName) : 0 }
    },
  })),

  guardOf(
    describeConfigs,
    ['DESCRIBE_CONFIGS TOPIC', 'DESCRIBE_CONFIGS GROUP', 'DESCRIBE_CONFIGS CLUSTER'],
    (request, may) => {
      const { allowed, refused } = split(request.resources, (resource) =>
        mayConfigure('DESCRIBE_CONFIGS', resource, may),
      )
      const answers = refused.map((resource) => ({ ...resourceRefused(resource), configs: [] }))
      return {
        request: { ...request, resources: allowed },
        complete: (response) => ({ ...response, results: [...response.results, ...answers] }),
      }
    },
  ),

  guardOf(alterConfigs, ['ALTER_CONFIGS TOPIC', 'ALTER_CONFIGS GROUP', 'ALTER_CONFIGS CLUSTER'], (request, may) => {
    const { allowed, refused } = split(request.resources, (resource) => mayConfigure('ALTER_CONFIGS', resource, may))
    return {
      request: { ...request, resources: allowed },
      complete: (response) => ({ ...response, responses: [...response.responses, ...refused.map(resourceRefused)] }),
    }
  }),

  guardOf(
    incrementalAlterConfigs,
    ['ALTER_CONFIGS TOPIC', 'ALTER_CONFIGS GROUP', 'ALTER_CONFIGS CLUSTER'],
    (request, may) => {
      const { allowed, refused } = split(request.resources, (resource) => mayConfigure('ALTER_CONFIGS', resource, may))
      return {
        request: { ...request, resources: allowed },
        complete: (response) => ({ ...response, responses: [...response.responses, ...refused.map(resourceRefused)] }),
      }
    },
  ),
]

const clusterRefused = { errorCode: codeOf('CLUSTER_AUTHORIZATION_FAILED'), errorMessage: refusedMessage }

/** A request that is refused as a whole to who may not do something to the cluster. */
export function clusterGuard<const A extends Api>(api: A, need: `${Operation} CLUSTER`, more: object = {}): Guard {
  return guardOf(api, [need], (request: RequestOf<A>, may, { apiVersion }) => {
    if (may.has(need, clusterName)) return { request }
    return { answer: { ...refusal(api, apiVersion, 'CLUSTER_AUTHORIZATION_FAILED'), ...more } }
  })
}

interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
}

/** Types of resources with settings (`ConfigResource.Type`). */
const topicResource = 2
const groupResource = 32

/** Settings of a topic or a group need something of it; those of the broker, and of what there is not, of the cluster. */
function mayConfigure(
  operation: 'DESCRIBE_CONFIGS' | 'ALTER_CONFIGS',
  { resourceType, resourceName }: ConfigResource,
  may: Pick<Permissions<Need>, 'has'>,
): boolean {
  if (resourceType === topicResource) return may.has(`${operation} TOPIC`, resourceName)
  if (resourceType === groupResource) return may.has(`${operation} GROUP`, resourceName)
  return may.has(`${operation} CLUSTER`, clusterName)
}

function resourceRefused({ resourceType, resourceName }: ConfigResource) {
  const error: KafkaError =
    resourceType === topicResource
      ? 'TOPIC_AUTHORIZATION_FAILED'
      : resourceType === groupResource
        ? 'GROUP_AUTHORIZATION_FAILED'
        : 'CLUSTER_AUTHORIZATION_FAILED'
  return { errorCode: codeOf(error), errorMessage: 'Authorization failed.', resourceType, resourceName }
}
