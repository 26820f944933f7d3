import { MillraceError } from '../errors.ts'
import type { AuthorizerOptions } from '../listener-options.ts'
import type { Config } from './listener-setting.ts'

const standardAuthorizer = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

export const authorizerSettingNames: readonly string[] = [
  'authorizer.class.name',
  'super.users',
  'allow.everyone.if.no.acl.found',
]

/**
 * Who may do what by Kafka's settings; undefined where everybody may do everything, because no authorizer is named.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function authorizerOf(config: Config): AuthorizerOptions | undefined {
  const name = config.get('authorizer.class.name') ?? ''
  const superUsers = config.get('super.users')
  const allowed = config.get('allow.everyone.if.no.acl.found')
  if (name === '') {
    const pointless =
      superUsers !== undefined ? 'super.users' : allowed !== undefined ? 'allow.everyone.if.no.acl.found' : undefined
    if (pointless === undefined) return undefined
    throw new MillraceError('INVALID_ARGUMENT', `${pointless} is set, but everybody may do everything`, {
      remedy: `Set authorizer.class.name=${standardAuthorizer}.`,
    })
  }
  if (name !== standardAuthorizer) {
    throw new MillraceError('INVALID_ARGUMENT', `There is no ${name}`, {
      remedy: `Set authorizer.class.name=${standardAuthorizer}.`,
    })
  }
  if (allowed !== undefined && allowed !== 'true' && allowed !== 'false') {
    throw new MillraceError('INVALID_ARGUMENT', `'${allowed}' is not a value of allow.everyone.if.no.acl.found`, {
      remedy: "Write 'true' or 'false'.",
    })
  }
  return {
    // Names have commas in them where they are subjects of certificates.
    superUsers: (superUsers ?? '').split(';').filter((user) => user !== ''),
    allowEveryoneIfNoRuleFound: allowed === 'true',
  }
}
