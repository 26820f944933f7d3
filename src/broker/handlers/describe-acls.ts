import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeAcls } from '../protocol/messages/describe-acls.ts'
import {
  type AccessRule,
  isMeant,
  operations,
  patternTypes,
  permissions,
  resourceTypes,
} from '../security/access-rule.ts'
import type { Authorizer } from '../security/authorizer.ts'
import { ruleFilterOf } from './acl-request.ts'
import { type Handler, handlerOf } from './handler.ts'

type Resource = ResponseOf<typeof describeAcls>['resources'][number]

/** DescribeAcls 1-3: the rules that are meant, by resource. */
export function handleDescribeAcls(authorizer: Authorizer | undefined): Handler {
  return handlerOf(describeAcls, [1, 3], (request) => {
    const refuse = (error: 'SECURITY_DISABLED' | 'INVALID_REQUEST', errorMessage: string) => {
      return { errorCode: codeOf(error), errorMessage, resources: [] }
    }
    if (authorizer === undefined) return refuse('SECURITY_DISABLED', 'No authorizer is configured on the broker.')
    const filter = ruleFilterOf(request)
    if (typeof filter === 'string') return refuse('INVALID_REQUEST', filter)
    const meant = [...authorizer.rules.all.values()].filter((rule) => isMeant(rule, filter))
    return { errorCode: 0, errorMessage: null, resources: byResource(meant) }
  })
}

function byResource(rules: readonly AccessRule[]): Resource[] {
  const resources = Map.groupBy(rules, ({ resourceType, resourceName, patternType }) =>
    [resourceType, patternType, resourceName].join(' '),
  )
  return [...resources.values()].map((acls) => {
    const { resourceType, resourceName, patternType } = acls[0] as AccessRule
    return {
      resourceType: resourceTypes.indexOf(resourceType),
      resourceName,
      patternType: patternTypes.indexOf(patternType),
      acls: acls.map(({ principal, host, operation, permission }) => ({
        ...{ principal, host },
        operation: operations.indexOf(operation),
        permissionType: permissions.indexOf(permission),
      })),
    }
  })
}
