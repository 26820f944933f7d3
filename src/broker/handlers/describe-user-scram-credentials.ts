import type { Broker } from '../broker.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeUserScramCredentials } from '../protocol/messages/describe-user-scram-credentials.ts'
import { scramTypeOf } from '../security/scram-credentials.ts'
import { type Handler, handlerOf } from './handler.ts'

type Result = ResponseOf<typeof describeUserScramCredentials>['results'][number]

/** DescribeUserScramCredentials 0: which users have credentials of which mechanisms, and with how many iterations; never the credentials. */
export function handleDescribeUserScramCredentials(broker: Broker): Handler {
  return handlerOf(describeUserScramCredentials, [0, 0], ({ users }) => {
    const { credentials } = broker.topics
    const named = (users ?? []).map(({ name }) => name)
    const asked = named.length === 0 ? credentials.users : [...new Set(named)]
    const results = asked.map((user): Result => {
      const credentialInfos = [...credentials.of(user)].map(([mechanism, { iterations }]) => {
        return { mechanism: scramTypeOf(mechanism), iterations }
      })
      const isTwice = named.indexOf(user) !== named.lastIndexOf(user)
      const error = isTwice ? 'DUPLICATE_RESOURCE' : credentialInfos.length === 0 ? 'RESOURCE_NOT_FOUND' : 'NONE'
      if (error === 'NONE') return { user, errorCode: 0, errorMessage: null, credentialInfos }
      const errorMessage = isTwice ? `User '${user}' is named twice.` : `User '${user}' has no credentials.`
      return { user, errorCode: codeOf(error), errorMessage, credentialInfos: [] }
    })
    return { errorCode: 0, errorMessage: null, results }
  })
}
