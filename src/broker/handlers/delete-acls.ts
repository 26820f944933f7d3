import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { deleteAcls } from '../protocol/messages/delete-acls.ts'
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
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Asked = RequestOf<typeof deleteAcls>['filters'][number]
type Result = ResponseOf<typeof deleteAcls>['filterResults'][number]

/** DeleteAcls 1-3: the rules that each filter means, all at once. */
export function handleDeleteAcls(broker: Broker, authorizer: Authorizer | undefined): Handler {
  return handlerOf(deleteAcls, [1, 3], async ({ filters }) => {
    if (authorizer === undefined) {
      return {
        filterResults: filters.map(() => failed('SECURITY_DISABLED', 'No authorizer is configured on the broker.')),
      }
    }
    const ids = new Set<string>()
    const filterResults = filters.map((asked) => meantBy(authorizer, asked, ids))
    try {
      await broker.topics.secure([...ids].map((id) => ({ type: 'remove-access-control-entry', id })))
      return { filterResults }
    } catch (error) {
      const failure = failed(errorNameOf(error), 'The rules stay.')
      return { filterResults: filterResults.map((one) => (one.errorCode === 0 ? failure : one)) }
    }
  })
}

function meantBy({ rules }: Authorizer, asked: Asked, ids: Set<string>): Result {
  const filter = ruleFilterOf(asked)
  if (typeof filter === 'string') return failed('INVALID_REQUEST', filter)
  const meant = [...rules.all].filter(([, rule]) => isMeant(rule, filter))
  for (const [id] of meant) ids.add(id)
  return { errorCode: 0, errorMessage: null, matchingAcls: meant.map(([, rule]) => told(rule)) }
}

function told({ resourceName, principal, host, ...rule }: AccessRule): Result['matchingAcls'][number] {
  return {
    ...{ errorCode: 0, errorMessage: null, resourceName, principal, host },
    resourceType: resourceTypes.indexOf(rule.resourceType),
    patternType: patternTypes.indexOf(rule.patternType),
    operation: operations.indexOf(rule.operation),
    permissionType: permissions.indexOf(rule.permission),
  }
}

function failed(error: KafkaError, errorMessage: string): Result {
  return { errorCode: codeOf(error), errorMessage, matchingAcls: [] }
}
