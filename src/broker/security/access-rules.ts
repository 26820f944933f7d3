import type { SecurityRecord } from '../security-record.ts'
import {
  type AccessRule,
  anyone,
  operations,
  patternTypes,
  permissions,
  type ResourceType,
  resourceTypes,
} from './access-rule.ts'

/** The rules for resources of one type, found by the name of a resource. */
class RulesOfType {
  readonly #literal = new Map<string, Map<string, AccessRule>>()
  readonly #prefixed = new Map<string, Map<string, AccessRule>>()
  /** How many prefixes there are of each length: a name has to be looked up only with these. */
  readonly #lengths = new Map<number, number>()

  add(id: string, rule: AccessRule): void {
    const byName = this.#byName(rule)
    const rules = byName.get(rule.resourceName)
    if (rules !== undefined) {
      rules.set(id, rule)
      return
    }
    byName.set(rule.resourceName, new Map([[id, rule]]))
    if (rule.patternType === 'PREFIXED') this.#count(rule.resourceName.length, 1)
  }

  remove(id: string, rule: AccessRule): void {
    const byName = this.#byName(rule)
    const rules = byName.get(rule.resourceName)
    rules?.delete(id)
    if (rules?.size !== 0) return
    byName.delete(rule.resourceName)
    if (rule.patternType === 'PREFIXED') this.#count(rule.resourceName.length, -1)
  }

  /** All rules that are about a resource of the name. */
  for(name: string): AccessRule[] {
    const found = [...(this.#literal.get(name)?.values() ?? [])]
    if (name !== anyone) found.push(...(this.#literal.get(anyone)?.values() ?? []))
    for (const length of this.#lengths.keys()) {
      if (length <= name.length) found.push(...(this.#prefixed.get(name.slice(0, length))?.values() ?? []))
    }
    return found
  }

  #byName({ patternType }: AccessRule): Map<string, Map<string, AccessRule>> {
    return patternType === 'LITERAL' ? this.#literal : this.#prefixed
  }

  #count(length: number, change: number): void {
    const count = (this.#lengths.get(length) ?? 0) + change
    if (count === 0) this.#lengths.delete(length)
    else this.#lengths.set(length, count)
  }
}

/** Who may do what: the fold of the registry's records of it. */
export class AccessRules {
  readonly #byId = new Map<string, AccessRule>()
  readonly #byType = new Map<ResourceType, RulesOfType>()

  get size(): number {
    return this.#byId.size
  }

  /** By the id that a rule has in the registry. */
  get all(): ReadonlyMap<string, AccessRule> {
    return this.#byId
  }

  has(rule: AccessRule): boolean {
    return this.for(rule.resourceType, rule.resourceName).some((other) => isSame(other, rule))
  }

  for(type: ResourceType, name: string): AccessRule[] {
    return this.#byType.get(type)?.for(name) ?? []
  }

  /** The records that say all of it. */
  records(): RuleRecord[] {
    return [...this.#byId].map(([id, rule]) => recordOfRule(id, rule))
  }

  apply(record: SecurityRecord): void {
    if (record.type === 'access-control-entry') {
      const rule = ruleOf(record)
      const rules = this.#byType.get(rule.resourceType) ?? new RulesOfType()
      this.#byType.set(rule.resourceType, rules)
      this.#byId.set(record.id, rule)
      rules.add(record.id, rule)
    } else if (record.type === 'remove-access-control-entry') {
      const rule = this.#byId.get(record.id)
      if (rule === undefined) return
      this.#byId.delete(record.id)
      this.#byType.get(rule.resourceType)?.remove(record.id, rule)
    }
  }
}

export type RuleRecord = Extract<SecurityRecord, { readonly type: 'access-control-entry' }>

export function recordOfRule(id: string, rule: AccessRule): RuleRecord {
  const { resourceName, principal, host } = rule
  return {
    ...{ type: 'access-control-entry', id, resourceName, principal, host },
    resourceType: resourceTypes.indexOf(rule.resourceType),
    patternType: patternTypes.indexOf(rule.patternType),
    operation: operations.indexOf(rule.operation),
    permissionType: permissions.indexOf(rule.permission),
  }
}

function ruleOf(record: RuleRecord): AccessRule {
  const { resourceName, principal, host } = record
  return {
    ...{ resourceName, principal, host },
    resourceType: (resourceTypes[record.resourceType] ?? 'UNKNOWN') as AccessRule['resourceType'],
    patternType: (patternTypes[record.patternType] ?? 'UNKNOWN') as AccessRule['patternType'],
    operation: (operations[record.operation] ?? 'UNKNOWN') as AccessRule['operation'],
    permission: (permissions[record.permissionType] ?? 'UNKNOWN') as AccessRule['permission'],
  }
}

function isSame(one: AccessRule, other: AccessRule): boolean {
  return (Object.keys(one) as (keyof AccessRule)[]).every((field) => one[field] === other[field])
}
