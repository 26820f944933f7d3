import type { Broker } from '../broker.ts'
import type { Authorizer } from '../security/authorizer.ts'
import { handleAlterClientQuotas } from './alter-client-quotas.ts'
import { handleAlterUserScramCredentials } from './alter-user-scram-credentials.ts'
import { handleCreateAcls } from './create-acls.ts'
import { handleDeleteAcls } from './delete-acls.ts'
import { handleDescribeAcls } from './describe-acls.ts'
import { handleDescribeClientQuotas } from './describe-client-quotas.ts'
import { handleDescribeUserScramCredentials } from './describe-user-scram-credentials.ts'
import type { Handler } from './handler.ts'
import { handleSaslAuthenticate } from './sasl-authenticate.ts'
import { handleSaslHandshake } from './sasl-handshake.ts'

/** The APIs by which clients log in, and by which it is said who may do what. */
export function securityHandlers(broker: Broker, authorizer: Authorizer | undefined): readonly Handler[] {
  return [
    handleSaslHandshake(),
    handleSaslAuthenticate(),
    handleDescribeUserScramCredentials(broker),
    handleAlterUserScramCredentials(broker),
    handleDescribeClientQuotas(broker),
    handleAlterClientQuotas(broker),
    handleDescribeAcls(authorizer),
    handleCreateAcls(broker, authorizer),
    handleDeleteAcls(broker, authorizer),
  ]
}
