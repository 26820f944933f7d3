import type { RequestOf } from '../protocol/api.ts'
import type { createAcls } from '../protocol/messages/create-acls.ts'
import {
  type AccessRule,
  clusterName,
  operations,
  patternTypes,
  permissions,
  type RuleFilter,
  resourceTypes,
} from '../security/access-rule.ts'

/** What a request says of which rules are meant, with codes. */
export interface AskedFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

const any = 'ANY'

/** The filter, or what is wrong with it. */
export function ruleFilterOf(asked: AskedFilter): RuleFilter | string {
  const resourceType = resourceTypes[asked.resourceTypeFilter]
  const patternType = patternTypes[asked.patternTypeFilter]
  const operation = operations[asked.operation]
  const permission = permissions[asked.permissionType]
  if (!isKnown(resourceType)) return 'The type of the resource is not known.'
  if (!isKnown(patternType)) return 'The type of the pattern is not known.'
  if (!isKnown(operation)) return 'The operation is not known.'
  if (!isKnown(permission)) return 'The permission is not known.'
  return {
    resourceType: resourceType === any ? undefined : resourceType,
    resourceName: asked.resourceNameFilter,
    patternType,
    principal: asked.principalFilter,
    host: asked.hostFilter,
    operation: operation === any ? undefined : operation,
    permission: permission === any ? undefined : permission,
  }
}

/** The rule that a client wants, or what is wrong with it (`AclControlManager.validateNewAcl`). */
export function ruleOfRequest(asked: RequestOf<typeof createAcls>['creations'][number]): AccessRule | string {
  const { resourceName, principal, host } = asked
  const resourceType = resourceTypes[asked.resourceType]
  const patternType = patternTypes[asked.resourcePatternType]
  const operation = operations[asked.operation]
  const permission = permissions[asked.permissionType]
  if (!isKnown(resourceType) || resourceType === any) return 'Invalid resourceType.'
  if (patternType !== 'LITERAL' && patternType !== 'PREFIXED') return 'Invalid patternType.'
  if (!isKnown(operation) || operation === any) return 'Invalid operation.'
  if (permission !== 'ALLOW' && permission !== 'DENY') return 'Invalid permissionType.'
  if (resourceName === '') return 'Resource name should not be empty.'
  if (resourceType === 'CLUSTER' && resourceName !== clusterName) return `The cluster is called ${clusterName}.`
  if (!/^[^:]+:.+$/s.test(principal)) return 'The principal has to be written as User:NAME.'
  if (host === '') return 'A host is an address, or *.'
  return { resourceType, resourceName, patternType, principal, host, operation, permission }
}

function isKnown<T extends string>(name: T | 'UNKNOWN' | undefined): name is Exclude<T, 'UNKNOWN'> {
  return name !== undefined && name !== 'UNKNOWN'
}
