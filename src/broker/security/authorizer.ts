import { MillraceError } from '../../errors.ts'
import type { AuthorizerOptions } from '../../listener-options.ts'
import {
  type AccessRule,
  type Actor,
  anyone,
  isAbout,
  type Operation,
  operations,
  operationsOf,
  type ResourceType,
} from './access-rule.ts'
import type { AccessRules } from './access-rules.ts'

/**
 * Says who may do what, by rules (`StandardAuthorizer`): what one rule denies no other allows, what none allows is not
 * allowed, and super users may do everything.
 */
export class Authorizer {
  readonly rules: AccessRules
  readonly #superUsers: ReadonlySet<string>
  readonly #allowsWithoutRules: boolean

  /** @throws MillraceError INVALID_ARGUMENT where a super user is not written as `User:NAME` */
  constructor(rules: AccessRules, { superUsers = [], allowEveryoneIfNoRuleFound = false }: AuthorizerOptions = {}) {
    const nobody = superUsers.find((one) => !/^[^:]+:.+$/s.test(one))
    if (nobody !== undefined) {
      throw new MillraceError('INVALID_ARGUMENT', `'${nobody}' is not a super user`, { remedy: 'Write User:NAME.' })
    }
    this.rules = rules
    this.#superUsers = new Set(superUsers)
    this.#allowsWithoutRules = allowEveryoneIfNoRuleFound
  }

  isAllowed(actor: Actor, operation: Operation, type: ResourceType, name: string): boolean {
    if (this.#superUsers.has(actor.principal)) return true
    const rules = this.rules.for(type, name)
    if (rules.length === 0) return this.#allowsWithoutRules
    let isAllowed = false
    for (const rule of rules) {
      if (!isAbout(rule, actor, operation)) continue
      if (rule.permission === 'DENY') return false
      isAllowed = true
    }
    return isAllowed
  }

  /** Whether the actor may do it to any resource of the type (`Authorizer.authorizeByResourceType`). */
  isAllowedForSome(actor: Actor, operation: Operation, type: ResourceType): boolean {
    // A name that nobody has: super users, and rules that are about every name.
    if (this.isAllowed(actor, operation, type, 'hardcode')) return true
    const about = [...this.rules.all.values()].filter(
      (rule) => rule.resourceType === type && isAbout(rule, actor, operation) && isExactly(rule, operation),
    )
    const denied = about.filter(({ permission }) => permission === 'DENY')
    return about.some((rule) => rule.permission === 'ALLOW' && !denied.some((one) => isHiddenBy(rule, one)))
  }

  /** What the actor may do to a resource, as bits by the operations' codes (KIP-430). */
  operationBits(actor: Actor, type: ResourceType, name: string): number {
    const allowed = operationsOf[type].filter((operation) => this.isAllowed(actor, operation, type, name))
    return allowed.reduce((bits, operation) => bits | (1 << operations.indexOf(operation)), 0)
  }
}

function isExactly(rule: AccessRule, operation: Operation): boolean {
  return rule.operation === operation || rule.operation === 'ALL'
}

/** Whether what the one rule allows is all denied by the other. */
function isHiddenBy(allowed: AccessRule, denied: AccessRule): boolean {
  if (denied.patternType === 'PREFIXED') return allowed.resourceName.startsWith(denied.resourceName)
  if (denied.resourceName === anyone) return true
  return allowed.patternType === 'LITERAL' && allowed.resourceName === denied.resourceName
}
