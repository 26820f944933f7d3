import { describe, expect, it } from 'vitest'
import { PrincipalMapping } from '../../../src/broker/security/principal-mapping.ts'

const alice = 'CN=Alice,OU=Grinding,O=Mill,C=CH'

/** What Kafka's own test of these rules (SslPrincipalMapperTest) expects, and what it leaves open. */
describe('rules for principals', () => {
  it.each([
    [undefined, alice, alice],
    ['DEFAULT', alice, alice],
    ['RULE:^CN=(.*?),OU=(.*?),O=(.*?),C=(.*?)$/$1@$2/L', alice, 'alice@grinding'],
    ['RULE:^CN=(.*?),.*$/$1/U', alice, 'ALICE'],
    ['RULE:^CN=(.*?),.*$/$1/', alice, 'Alice'],
    ['RULE:^cn=(.*?),.*$/$1/, RULE:^CN=(.*?),.*$/second-$1/, DEFAULT', alice, 'second-Alice'],
    ['RULE:^nobody$/x/,DEFAULT', alice, alice],
    ['RULE:^CN=([^,]+),.*$/a\\/b-$1/', alice, 'a/b-Alice'],
    ['RULE:^CN=([^,]+),.*$/\\$1 $& $1/', alice, '$1 $& Alice'],
    ['RULE:CN=Alice/x/', alice, undefined],
    ['', alice, undefined],
    ['DEFAULT', `CN=${'x'.repeat(1_100)}`, undefined],
  ])('%s make of %s: %s', (rules, subject, name) => {
    expect(new PrincipalMapping(rules).nameOf(subject)).toBe(name)
  })

  it.each(['default', 'RULE:', 'RULE:a/b', 'RULE:^CN=(.*$/x/', 'RULE:a/b/X', 'DEFAULT RULE:a/b/'])(
    'refuses %s',
    (rules) => {
      expect(() => new PrincipalMapping(rules)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    },
  )
})
