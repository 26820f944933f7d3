import { codeOf } from '../protocol/error-codes.ts'
import { saslAuthenticate } from '../protocol/messages/sasl-authenticate.ts'
import { type Handler, handlerOf } from './handler.ts'

const nothing = Buffer.alloc(0)

/** SaslAuthenticate 0-2: a token of the mechanism that the handshake has named, and the answer to it. */
export function handleSaslAuthenticate(): Handler {
  return handlerOf(saslAuthenticate, [0, 2], async ({ authBytes }, { session }) => {
    const answer = await session.authenticate(authBytes)
    if (answer.type === 'refuse') {
      return { errorCode: codeOf(answer.error), errorMessage: answer.message, authBytes: nothing }
    }
    return { errorCode: 0, errorMessage: null, authBytes: answer.bytes, sessionLifetimeMs: answer.lifetimeMs }
  })
}
