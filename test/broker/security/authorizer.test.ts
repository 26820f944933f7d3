import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type {
  AccessRule,
  Actor,
  Operation,
  ResourceType,
  RuleFilter,
} from '../../../src/broker/security/access-rule.ts'
import { isMeant } from '../../../src/broker/security/access-rule.ts'
import { AccessRules, recordOfRule } from '../../../src/broker/security/access-rules.ts'
import { Authorizer } from '../../../src/broker/security/authorizer.ts'

const idOf = (i: number): string => Buffer.alloc(16, i).toString('base64url')

/** Rules as they come from the registry: each with an id, some of them taken away again. */
function rulesOf(rules: readonly AccessRule[], removed: readonly number[] = []): AccessRules {
  const kept = new AccessRules()
  for (const [i, rule] of rules.entries()) kept.apply(recordOfRule(idOf(i), rule))
  for (const i of removed) kept.apply({ type: 'remove-access-control-entry', id: idOf(i) })
  return kept
}

/** What Kafka's rules come to, as plainly as it can be said. */
function isAllowedBy(
  rules: readonly AccessRule[],
  actor: Actor,
  operation: Operation,
  type: ResourceType,
  name: string,
): boolean {
  const about = rules.filter(
    (rule) =>
      rule.resourceType === type &&
      (rule.patternType === 'PREFIXED'
        ? name.startsWith(rule.resourceName)
        : ['*', name].includes(rule.resourceName)) &&
      ['User:*', actor.principal].includes(rule.principal) &&
      ['*', actor.host].includes(rule.host),
  )
  const implied: Partial<Record<Operation, readonly string[]>> = {
    DESCRIBE: ['READ', 'WRITE', 'DELETE', 'ALTER'],
    DESCRIBE_CONFIGS: ['ALTER_CONFIGS'],
  }
  const same = ['ALL', operation]
  if (about.some((rule) => rule.permission === 'DENY' && same.includes(rule.operation))) return false
  return about.some(
    (rule) => rule.permission === 'ALLOW' && [...same, ...(implied[operation] ?? [])].includes(rule.operation),
  )
}

const names = ['a', 'ab', 'abc', 'b', 'ba', '*']
const ruleArbitrary: fc.Arbitrary<AccessRule> = fc.record({
  resourceType: fc.constantFrom('TOPIC', 'GROUP'),
  resourceName: fc.constantFrom(...names),
  patternType: fc.constantFrom('LITERAL', 'PREFIXED'),
  principal: fc.constantFrom('User:alice', 'User:bob', 'User:*'),
  host: fc.constantFrom('*', '10.0.0.1', '10.0.0.2'),
  operation: fc.constantFrom('READ', 'WRITE', 'DESCRIBE', 'ALTER_CONFIGS', 'DESCRIBE_CONFIGS', 'ALL'),
  permission: fc.constantFrom('ALLOW', 'ALLOW', 'DENY'),
})
const actorArbitrary = fc.record({
  principal: fc.constantFrom('User:alice', 'User:bob'),
  host: fc.constantFrom('10.0.0.1', '10.0.0.2'),
})
const operationArbitrary = fc.constantFrom<Operation>(
  'READ',
  'WRITE',
  'DESCRIBE',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'DELETE',
)

describe('the authorizer', () => {
  it('allows what the plain words of the rules allow, with rules added and taken away', () => {
    const asked = fc.tuple(
      actorArbitrary,
      operationArbitrary,
      fc.constantFrom<ResourceType>('TOPIC', 'GROUP'),
      fc.constantFrom(...names, 'abcd', 'x'),
    )
    const rules = fc.array(ruleArbitrary, { maxLength: 12 })
    fc.assert(
      fc.property(rules, fc.array(fc.nat(11)), asked, (all, removed, [actor, operation, type, name]) => {
        const left = all.filter((_, i) => !removed.includes(i))
        const authorizer = new Authorizer(rulesOf(all, removed))
        expect(authorizer.rules.size).toBe(left.length)
        expect(authorizer.isAllowed(actor, operation, type, name)).toBe(isAllowedBy(left, actor, operation, type, name))
      }),
      { numRuns: 3_000 },
    )
  })

  it('allows something for some resource where there is a name for which it does', () => {
    fc.assert(
      fc.property(fc.array(ruleArbitrary, { maxLength: 8 }), actorArbitrary, (rules, actor) => {
        const authorizer = new Authorizer(rulesOf(rules))
        const candidates = ['hardcode', ...rules.flatMap(({ resourceName }) => [resourceName, `${resourceName}~`])]
        const isAllowed = candidates.some(
          (name) => name !== '*' && name !== '*~' && isAllowedBy(rules, actor, 'WRITE', 'TOPIC', name),
        )
        const isOnlyOdd = rules.some(
          ({ resourceName, patternType }) => resourceName === '*' && patternType === 'PREFIXED',
        )
        fc.pre(!isOnlyOdd)
        expect(authorizer.isAllowedForSome(actor, 'WRITE', 'TOPIC')).toBe(isAllowed)
      }),
      { numRuns: 2_000 },
    )
  })

  const alice = { principal: 'User:alice', host: '10.0.0.1' }
  const rule = (more: Partial<AccessRule>): AccessRule => ({
    ...{ resourceType: 'TOPIC', resourceName: 'orders', patternType: 'LITERAL', principal: 'User:alice' },
    ...{ host: '*', operation: 'READ', permission: 'ALLOW', ...more },
  })

  it('allows super users everything, whatever is denied', () => {
    const denied = rulesOf([rule({ operation: 'ALL', permission: 'DENY' })])
    const authorizer = new Authorizer(denied, { superUsers: ['User:alice', 'User:CN=a,O=b'] })
    expect(authorizer.isAllowed(alice, 'WRITE', 'TOPIC', 'orders')).toBe(true)
    expect(authorizer.isAllowed({ principal: 'User:CN=a,O=b', host: 'x' }, 'ALTER', 'CLUSTER', 'kafka-cluster')).toBe(
      true,
    )
    expect(authorizer.isAllowed({ ...alice, principal: 'User:CN=a' }, 'WRITE', 'TOPIC', 'orders')).toBe(false)
    expect(() => new Authorizer(denied, { superUsers: ['alice'] })).toThrow("'alice' is not a super user")
  })

  it('allows what no rule is about only where that is said', () => {
    const rules = rulesOf([rule({})])
    const open = new Authorizer(rules, { allowEveryoneIfNoRuleFound: true })
    expect(open.isAllowed(alice, 'WRITE', 'TOPIC', 'other')).toBe(true)
    expect(open.isAllowed(alice, 'WRITE', 'TOPIC', 'orders')).toBe(false)
    expect(open.isAllowed({ ...alice, principal: 'User:bob' }, 'READ', 'TOPIC', 'orders')).toBe(false)
    expect(new Authorizer(rules).isAllowed(alice, 'WRITE', 'TOPIC', 'other')).toBe(false)
  })

  it('goes on denying by prefix and by name when one of several rules is taken away (CVE-2024-27309)', () => {
    const rules = [
      rule({ permission: 'DENY' }),
      rule({ permission: 'ALLOW' }),
      rule({ permission: 'DENY', principal: 'User:*' }),
    ]
    const left = new Authorizer(rulesOf(rules, [2]))
    expect(left.isAllowed(alice, 'READ', 'TOPIC', 'orders')).toBe(false)
    const open = new Authorizer(rulesOf(rules, [2]), { allowEveryoneIfNoRuleFound: true })
    expect(open.isAllowed({ principal: 'User:bob', host: 'h' }, 'READ', 'TOPIC', 'orders')).toBe(false)
  })

  it('tells operations as bits by their codes', () => {
    const authorizer = new Authorizer(rulesOf([rule({ operation: 'WRITE' })]))
    expect(authorizer.operationBits(alice, 'TOPIC', 'orders')).toBe((1 << 4) | (1 << 8))
    expect(authorizer.operationBits({ ...alice, principal: 'User:bob' }, 'TOPIC', 'orders')).toBe(0)
  })
})

describe('filters of rules', () => {
  const any: RuleFilter = {
    ...{ resourceType: undefined, resourceName: null, patternType: 'ANY', principal: null },
    ...{ host: null, operation: undefined, permission: undefined },
  }
  const prefixed: AccessRule = {
    ...{ resourceType: 'TOPIC', resourceName: 'ord', patternType: 'PREFIXED', principal: 'User:a' },
    ...{ host: '*', operation: 'READ', permission: 'ALLOW' },
  }

  it.each<[Partial<RuleFilter>, boolean]>([
    [{}, true],
    [{ resourceType: 'GROUP' }, false],
    [{ resourceType: 'TOPIC', resourceName: 'ord' }, true],
    [{ resourceName: 'orders' }, false],
    [{ resourceName: 'orders', patternType: 'MATCH' }, true],
    [{ resourceName: 'or', patternType: 'MATCH' }, false],
    [{ resourceName: 'ord', patternType: 'LITERAL' }, false],
    [{ resourceName: 'ord', patternType: 'PREFIXED' }, true],
    [{ patternType: 'LITERAL' }, false],
    [{ principal: 'User:*' }, false],
    [{ principal: 'User:a', host: '*', operation: 'READ', permission: 'ALLOW' }, true],
    [{ host: '10.0.0.1' }, false],
    [{ operation: 'ALL' }, false],
    [{ permission: 'DENY' }, false],
  ])('%j of a prefixed rule: %s', (filter, isExpected) => {
    expect(isMeant(prefixed, { ...any, ...filter })).toBe(isExpected)
  })

  it('mean literal rules by their name, or all names', () => {
    const literal: AccessRule = { ...prefixed, patternType: 'LITERAL', resourceName: '*' }
    expect(isMeant(literal, { ...any, patternType: 'MATCH', resourceName: 'orders' })).toBe(true)
    expect(isMeant(literal, { ...any, resourceName: 'orders' })).toBe(false)
    expect(
      isMeant({ ...literal, resourceName: 'orders' }, { ...any, patternType: 'MATCH', resourceName: 'orders' }),
    ).toBe(true)
  })
})
