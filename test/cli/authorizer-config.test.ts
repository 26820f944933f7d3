import { describe, expect, it } from 'vitest'
import { authorizerOf } from '../../src/cli/authorizer-config.ts'

const name = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
const read = (config: Readonly<Record<string, string>>) => authorizerOf(new Map(Object.entries(config)))

describe('who may do what, by settings', () => {
  it('is everybody everything without an authorizer', () => {
    expect(read({})).toBeUndefined()
    expect(read({ 'authorizer.class.name': '' })).toBeUndefined()
  })

  it('is what the authorizer says', () => {
    expect(read({ 'authorizer.class.name': name })).toEqual({ superUsers: [], allowEveryoneIfNoRuleFound: false })
    const more = { 'super.users': 'User:admin;User:CN=a,O=b', 'allow.everyone.if.no.acl.found': 'true' }
    expect(read({ 'authorizer.class.name': name, ...more })).toEqual({
      superUsers: ['User:admin', 'User:CN=a,O=b'],
      allowEveryoneIfNoRuleFound: true,
    })
  })

  it.each<[Record<string, string>, string]>([
    [{ 'authorizer.class.name': 'com.Mine' }, 'There is no com.Mine'],
    [{ 'super.users': 'User:a' }, 'super.users is set, but everybody may do everything'],
    [{ 'allow.everyone.if.no.acl.found': 'true' }, 'but everybody may do everything'],
    [{ 'authorizer.class.name': name, 'allow.everyone.if.no.acl.found': 'yes' }, "'yes' is not a value"],
  ])('is refused: %j', (config, why) => {
    expect(() => read(config)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(why) }),
    )
  })
})
