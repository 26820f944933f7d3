import { codeOf } from '../protocol/error-codes.ts'
import { saslHandshake } from '../protocol/messages/sasl-handshake.ts'
import { type Handler, handlerOf } from './handler.ts'

/** SaslHandshake 0-1: which mechanism a client logs in with. After the first version tokens follow without requests around them. */
export function handleSaslHandshake(): Handler {
  return handlerOf(saslHandshake, [0, 1], ({ mechanism }, { session, apiVersion }) => {
    const answer = session.handshake(mechanism, apiVersion)
    return { errorCode: answer.type === 'refuse' ? codeOf(answer.error) : 0, mechanisms: session.mechanisms }
  })
}
