import type { AuthorizerOptions } from '../listener-options.ts'
import type { Broker } from './broker.ts'
import { GuardedBroker } from './guards/guarded-broker.ts'
import { handlersOf } from './handlers/handlers.ts'
import { Authorizer } from './security/authorizer.ts'
import type { BrokerServerOptions } from './server/broker-server.ts'

/**
 * What a broker serves clients with: its handlers, who may log in, who may do what, and how much of it.
 * @throws MillraceError INVALID_ARGUMENT where a super user is not written as `User:NAME`
 */
export function serviceOf(
  broker: Broker,
  authorizerOptions?: AuthorizerOptions,
): Pick<BrokerServerOptions, 'handlers' | 'credentials' | 'guarded' | 'quotas'> {
  const authorizer = authorizerOptions && new Authorizer(broker.topics.rules, authorizerOptions)
  return {
    handlers: handlersOf(broker, authorizer),
    credentials: (mechanism, user) => broker.topics.credentials.get(mechanism, user),
    quotas: broker.topics.quotas,
    guarded: authorizer && new GuardedBroker(broker, authorizer),
  }
}
