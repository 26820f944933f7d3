/**
 * What a rule says, and what is asked of it, in Kafka's words and numbers (`org.apache.kafka.common.acl`, `.resource`). A
 * number's place in a list is its code; the first two of each are for filters, or not known.
 */
export const operations = [
  'UNKNOWN',
  'ANY',
  'ALL',
  'READ',
  'WRITE',
  'CREATE',
  'DELETE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
  'CREATE_TOKENS',
  'DESCRIBE_TOKENS',
  'TWO_PHASE_COMMIT',
] as const
export const resourceTypes = [
  'UNKNOWN',
  'ANY',
  'TOPIC',
  'GROUP',
  'CLUSTER',
  'TRANSACTIONAL_ID',
  'DELEGATION_TOKEN',
  'USER',
] as const
export const patternTypes = ['UNKNOWN', 'ANY', 'MATCH', 'LITERAL', 'PREFIXED'] as const
export const permissions = ['UNKNOWN', 'ANY', 'DENY', 'ALLOW'] as const

/** What may be done to a resource. */
export type Operation =
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'
  | 'CREATE_TOKENS'
  | 'DESCRIBE_TOKENS'
  | 'TWO_PHASE_COMMIT'
export type ResourceType = 'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID' | 'DELEGATION_TOKEN' | 'USER'

/** The name of the one resource of its type. */
export const clusterName = 'kafka-cluster'
export const anyone = '*'

/** Which operations there are for each type of resource (`AclEntry.supportedOperations`). */
export const operationsOf: Readonly<Record<ResourceType, readonly Operation[]>> = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DELETE', 'ALTER', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DESCRIBE', 'DELETE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: [
    ...(['CREATE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE'] as const),
    ...(['ALTER', 'DESCRIBE'] as const),
  ],
  TRANSACTIONAL_ID: ['DESCRIBE', 'WRITE', 'TWO_PHASE_COMMIT'],
  DELEGATION_TOKEN: ['DESCRIBE'],
  USER: ['CREATE_TOKENS', 'DESCRIBE_TOKENS'],
}

/** Who may, or may not, do what to which resources, from where (`AclBinding`). */
export interface AccessRule {
  readonly resourceType: ResourceType
  readonly resourceName: string
  readonly patternType: 'LITERAL' | 'PREFIXED'
  /** As `User:alice`; `User:*` is everybody. */
  readonly principal: string
  /** An address; `*` is any. */
  readonly host: string
  readonly operation: Operation | 'ALL'
  readonly permission: 'ALLOW' | 'DENY'
}

/** Who asks to do something. */
export interface Actor {
  readonly principal: string
  readonly host: string
}

const impliesDescribe: ReadonlySet<string> = new Set(['DESCRIBE', 'READ', 'WRITE', 'DELETE', 'ALTER'])
const impliesDescribeConfigs: ReadonlySet<string> = new Set(['DESCRIBE_CONFIGS', 'ALTER_CONFIGS'])

/** Whether the rule is about the actor and the operation; which resource it is about was looked at before. */
export function isAbout(rule: AccessRule, { principal, host }: Actor, operation: Operation): boolean {
  if (rule.principal !== principal && rule.principal !== 'User:*') return false
  if (rule.host !== host && rule.host !== anyone) return false
  if (rule.operation === 'ALL' || rule.operation === operation) return true
  // What is allowed implies that it may be looked at; what is denied implies nothing.
  if (rule.permission === 'DENY') return false
  if (operation === 'DESCRIBE') return impliesDescribe.has(rule.operation)
  return operation === 'DESCRIBE_CONFIGS' && impliesDescribeConfigs.has(rule.operation)
}

/** Which rules are meant (`AclBindingFilter`): undefined is any. */
export interface RuleFilter {
  readonly resourceType: ResourceType | undefined
  readonly resourceName: string | null
  readonly patternType: 'ANY' | 'MATCH' | 'LITERAL' | 'PREFIXED'
  readonly principal: string | null
  readonly host: string | null
  readonly operation: Operation | 'ALL' | undefined
  readonly permission: 'ALLOW' | 'DENY' | undefined
}

export function isMeant(rule: AccessRule, filter: RuleFilter): boolean {
  return (
    (filter.resourceType === undefined || filter.resourceType === rule.resourceType) &&
    (filter.principal === null || filter.principal === rule.principal) &&
    (filter.host === null || filter.host === rule.host) &&
    (filter.operation === undefined || filter.operation === rule.operation) &&
    (filter.permission === undefined || filter.permission === rule.permission) &&
    isPatternMeant(rule, filter)
  )
}

function isPatternMeant({ patternType, resourceName }: AccessRule, filter: RuleFilter): boolean {
  const { resourceName: name, patternType: wanted } = filter
  if (wanted !== 'ANY' && wanted !== 'MATCH' && wanted !== patternType) return false
  if (name === null) return true
  if (wanted !== 'MATCH') return name === resourceName
  // What a resource of that name is covered by.
  return patternType === 'LITERAL' ? name === resourceName || resourceName === anyone : name.startsWith(resourceName)
}
