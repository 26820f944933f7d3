import type { Broker } from '../broker.ts'
import { handleAlterUserScramCredentials } from './alter-user-scram-credentials.ts'
import { handleDescribeUserScramCredentials } from './describe-user-scram-credentials.ts'
import type { Handler } from './handler.ts'
import { handleSaslAuthenticate } from './sasl-authenticate.ts'
import { handleSaslHandshake } from './sasl-handshake.ts'

/** The APIs by which clients log in, and by which it is said who may do what. */
export function securityHandlers(broker: Broker): readonly Handler[] {
  return [
    handleSaslHandshake(),
    handleSaslAuthenticate(),
    handleDescribeUserScramCredentials(broker),
    handleAlterUserScramCredentials(broker),
  ]
}
